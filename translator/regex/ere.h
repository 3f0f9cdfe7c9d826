// POSIX extended regular expressions, read into a tree.
//
// What is there is what egrep(1) documents, less what no automaton can match: back-references and
// word boundaries. Bytes are characters, as in the strings of the language.
#pragma once

#include <bitset>
#include <string>
#include <variant>
#include <vector>

namespace stp::regex {

struct Node {
  enum class Kind {
    empty,
    bytes,   // one byte of `set`
    begin,   // ^
    end,     // $
    all,     // the children, one after the other
    any,     // one of the children
    repeat,  // the child, `least` to `most` times; most < 0: without end
    group,   // ( child ), which matched() can tell
  } kind = Kind::empty;
  std::bitset<256> set;
  std::vector<Node> children;
  int least = 0, most = 0;
};

struct Pattern {
  Node root;
  int groups = 0;  // pairs of parentheses
};

struct Wrong {
  size_t at;  // offset in the pattern
  std::string text;
};

// Never fails otherwise than with Wrong.
std::variant<Pattern, Wrong> parse(const std::string& pattern);

}  // namespace stp::regex
