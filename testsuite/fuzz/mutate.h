// Mutations that know what a token is: bytes changed at random are mostly refused by the lexer, and
// then nothing behind it is tested. Half of the mutations are these, half libFuzzer's own.
//
// A text is cut into words, numbers, strings, blanks and marks; the words to put in are those of
// stp.dict. Many copies of one token in a row look for what nests too deeply.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <vector>

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

namespace stp::fuzz {

using Words = std::vector<std::string>;

// The entries of a dictionary of libFuzzer's: "text", where \\ \" and \xAB are understood.
inline Words read_dictionary(const std::string& path) {
  Words words;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (line.size() < 2 || line[0] != '"') continue;
    std::string word;
    for (size_t i = 1; i + 1 < line.size(); ++i) {
      if (line[i] != '\\')
        word += line[i];
      else if (line[++i] != 'x')
        word += line[i];
      else
        word += static_cast<char>(std::stoi(line.substr(i + 1, 2), nullptr, 16)), i += 2;
    }
    words.push_back(word);
  }
  return words;
}

inline Words cut(const std::string& text) {
  auto in_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || strchr("_$@", c) != nullptr;
  };
  auto blank = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  Words tokens;
  for (size_t i = 0, end; i < text.size(); i = end) {
    end = i + 1;
    if (text[i] == '"') {
      while (end < text.size() && text[end] != '"' && text[end] != '\n') ++end;
      end = std::min(end + 1, text.size());
    } else if (in_word(text[i])) {
      while (end < text.size() && in_word(text[end])) ++end;
    } else if (blank(text[i])) {
      while (end < text.size() && blank(text[end])) ++end;
    }
    tokens.push_back(text.substr(i, end - i));
  }
  return tokens;
}

class Mutation {
 public:
  Mutation(Words tokens, const Words& words, unsigned seed)
      : tokens_(std::move(tokens)), words_(words), random_(seed) {}

  std::string run() {
    for (size_t n = below(3) + 1; n-- > 0;) once();
    std::string text;
    for (const std::string& token : tokens_) text += token;
    return text;
  }

 private:
  size_t below(size_t limit) { return limit ? random_() % limit : 0; }
  auto place(size_t at) { return tokens_.begin() + static_cast<ptrdiff_t>(at); }

  void once() {
    const size_t at = below(tokens_.size() + 1), length = below(12) + 1;
    const size_t end = std::min(at + length, tokens_.size());
    const Words part(place(at), place(end));
    const size_t to = below(tokens_.size() + 1);
    switch (below(8)) {
      case 0:
        tokens_.erase(place(at), place(end));
        break;
      case 1:
      case 2:
        tokens_.insert(place(to), part.begin(), part.end());
        break;
      case 3:
        if (at < tokens_.size()) tokens_[at] = words_[below(words_.size())];
        break;
      case 4:
        if (at < tokens_.size() && to < tokens_.size()) tokens_[at] = tokens_[to];
        break;
      case 5:
        if (at < tokens_.size() && to < tokens_.size()) std::swap(tokens_[at], tokens_[to]);
        break;
      case 6:
        if (end > at && below(16) == 0) {
          Words many;
          for (size_t n = below(1200); n-- > 0;) many.push_back(tokens_[at]);
          tokens_.insert(place(at), many.begin(), many.end());
          break;
        }
        [[fallthrough]];
      default:
        tokens_.insert(place(at), words_[below(words_.size())]);
    }
  }

  Words tokens_;
  const Words& words_;
  std::minstd_rand random_;
};

inline size_t mutate(uint8_t* data, size_t size, size_t most, unsigned seed, const Words& words) {
  if (seed % 2 || words.empty()) return LLVMFuzzerMutate(data, size, most);
  std::string text(reinterpret_cast<const char*>(data), size);
  text = Mutation(cut(text), words, seed / 2).run();
  size_t made = std::min(text.size(), most);
  std::copy_n(text.begin(), made, data);
  return made;
}

}  // namespace stp::fuzz
