// What must hold between text and parser, for the fuzz targets and for the unit test that repeats
// what they found.
//
// The lexer: its tokens and the blanks and comments between them are the whole text, in order; numbers
// are what the C library reads. The preprocessor: it leaves nothing that is its own, and without macros
// and arguments it keeps the order. Both: where nothing is wrong, the tokens written as text are the
// same tokens again. Each function returns what is wrong, or nothing.
#pragma once

#include <cctype>
#include <cerrno>
#include <cstdlib>

#include "fuzz/passes.h"
#include "syntax/lexer.h"
#include "syntax/preprocessor.h"

namespace stp::fuzz {

using TokenKind = Token::Kind;

// A string's bytes in octal where they could mean something else.
inline std::string quoted_token(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    unsigned byte = static_cast<unsigned char>(c);
    if (std::isalnum(static_cast<int>(byte)) || c == ' ')
      out += c;
    else
      for (unsigned shift : {6u, 3u, 0u}) {
        if (shift == 6) out += '\\';
        out += static_cast<char>('0' + (byte >> shift & 7));
      }
  }
  return out + '"';
}

inline std::string text_of(const Tokens& tokens) {
  std::string out;
  for (const Token& token : tokens) {
    if (!out.empty()) out += token.starts_line ? '\n' : ' ';
    if (token.is(TokenKind::string))
      out += quoted_token(token.text);
    else if (token.is(TokenKind::at_word))
      out += "@" + token.text;
    else if (token.is(TokenKind::embedded))
      out += "%{" + token.text + "%}";
    else
      out += token.text;
  }
  return out;
}

inline std::string difference(const Tokens& a, const Tokens& b) {
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (a[i].kind != b[i].kind || a[i].text != b[i].text ||
        (a[i].is(TokenKind::number) && a[i].value != b[i].value) ||
        (i > 0 && a[i].starts_line != b[i].starts_line))
      return describe(a[i]) + " is, written and read again, " + describe(b[i]);
  return a.size() == b.size() ? "" : "there are more tokens than before, or less";
}

// Blanks and comments only? Tells whether a line ends in it, outside of a comment.
inline bool is_gap(std::string_view gap, bool& line_ends) {
  line_ends = false;
  while (!gap.empty()) {
    size_t skip = 1;
    if (gap.starts_with("/*")) {
      size_t end = gap.find("*/", 2);
      if (end == gap.npos) return false;
      skip = end + 2;
    } else if (gap[0] == '#' || gap.starts_with("//")) {
      skip = std::min(gap.find('\n'), gap.size());
    } else if (gap[0] == '\n') {
      line_ends = true;
    } else if (!std::isspace(static_cast<unsigned char>(gap[0]))) {
      return false;
    }
    gap.remove_prefix(skip);
  }
  return true;
}

inline std::string wrong_number(const Token& token) {
  errno = 0;
  char* end = nullptr;
  unsigned long long value = std::strtoull(token.text.c_str(), &end, 0);
  bool good = errno == 0 && *end == '\0';
  if (good == (token.problem != nullptr)) return "'" + token.text + "' is a number, or is none";
  return !good || token.value == static_cast<int64_t>(value) ? "" : "the value of " + token.text;
}

// Of an open comment, and of open embedded C, the token is the opening; the rest belongs to it.
inline bool takes_the_rest(const Token& token) {
  return token.problem && token.problem->code == Code::unterminated &&
         (token.is(TokenKind::bad) || token.is(TokenKind::embedded));
}

inline std::string lex_wrong(std::string_view bytes) {
  SourceMap map;
  const SourceFile& file = map.add("fuzz", std::string(bytes));
  const std::string_view text = file.text();
  const Tokens tokens = lex(file);
  size_t at = 0;
  bool problems = false;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    const bool last = i + 1 == tokens.size();
    if (token.is(TokenKind::end) != last) return "the end is not the last token";
    if (token.span.file != &file || token.span.begin < at || token.span.end > text.size() ||
        (last ? token.span.begin != token.span.end : token.span.begin >= token.span.end))
      return "the place of " + describe(token);
    bool line_ends = false;
    if (i > 0 && takes_the_rest(tokens[i - 1])) at = text.size();
    // The end stands right behind the last token, whatever blanks and comments follow.
    const size_t gap_end = last ? text.size() : token.span.begin;
    if (at < gap_end && !is_gap(text.substr(at, gap_end - at), line_ends))
      return "text is lost before " + describe(token);
    if (i > 0 && token.starts_line != line_ends) return "the line of " + describe(token);
    if (token.is(TokenKind::bad) && !token.problem) return "a bad token without a reason";
    if (token.is(TokenKind::number))
      if (std::string wrong = wrong_number(token); !wrong.empty()) return wrong;
    problems |= token.problem != nullptr;
    at = token.span.end;
  }
  if (tokens.empty()) return "there is no token";
  return problems ? "" : difference(tokens, lex(map.add("again", text_of(tokens))));
}

// The place in the script that a place in a macro or an argument came from.
inline const Span& root(const Span& span) { return span.via ? root(*span.via) : span; }

inline std::string places_wrong(const Tokens& tokens, const SourceFile& file, bool in_order) {
  uint32_t at = 0;
  for (const Token& token : tokens) {
    for (const Span* span = &token.span; span; span = span->via)
      if (!span->file || span->begin > span->end || span->end > span->file->text().size())
        return "the place of " + describe(token);
    const Span& place = root(token.span);
    if (!in_order) continue;
    if (place.file != &file || place.begin < at) return "the order of " + describe(token);
    at = place.begin;
  }
  return "";
}

inline std::string leftover(const Tokens& tokens) {
  if (tokens.empty() || !tokens.back().is(TokenKind::end)) return "there is no end";
  for (const Token& token : tokens) {
    if (token.is(TokenKind::bad) || token.is(TokenKind::argument) || token.problem)
      return "the parser would see " + describe(token);
    for (auto mark : {"%(", "%)", "%?", "%:"})
      if (token.is_op(mark)) return "the parser would see " + describe(token);
    if (token.is(TokenKind::end) != (&token == &tokens.back())) return "two ends";
  }
  return "";
}

inline bool has_macros(const Tokens& tokens) {
  for (const Token& token : tokens)
    if (token.is(TokenKind::at_word)) return true;
  return false;
}

// A script, and the same text as a library's file of macros.
inline std::string preprocess_wrong(std::string_view text, const Library& library) {
  SourceMap map;
  Diagnostics diagnostics;
  const SourceFile& file = map.add("fuzz", std::string(text));
  const PreprocessorContext given = context();
  const Preprocessed once = preprocess(file, given, library.macros, map, diagnostics);
  if (std::string wrong = misplaced(diagnostics, true); !wrong.empty()) return wrong;
  if (once.used_args > given.args.size()) return "more arguments are used than there are";
  if (std::string wrong = leftover(once.tokens); !wrong.empty()) return wrong;
  if (std::string wrong = places_wrong(once.tokens, file, !has_macros(lex(file))); !wrong.empty())
    return wrong;
  if (!diagnostics.failed()) {
    const SourceFile& written = map.add("again", text_of(once.tokens));
    if (std::string wrong = difference(once.tokens, lex(written)); !wrong.empty()) return wrong;
    const Preprocessed twice = preprocess(written, {}, library.macros, map, diagnostics);
    if (diagnostics.failed())
      return "what is left is refused: " + render(diagnostics.all().front()) + text_of(once.tokens);
    if (std::string wrong = difference(once.tokens, twice.tokens); !wrong.empty()) return wrong;
  }
  Diagnostics of_library;
  MacroLibrary macros;
  macros.add(map.add("fuzz.stpm", std::string(text), SourceFile::Role::tapset), given, of_library);
  return misplaced(of_library, true);
}

}  // namespace stp::fuzz
