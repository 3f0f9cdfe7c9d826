// Recursive descent over the grammar of POSIX.1-2017, 9.5.3 (ERE). Where POSIX leaves the meaning
// open: an empty alternative matches nothing at all, a `)` without its `(` is itself, an operator of
// repetition without something to repeat is an error, and so is one behind ^ or $.
#include "regex/ere.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>

namespace stp::regex {
namespace {

using Set = std::bitset<256>;
using Kind = Node::Kind;

// RE_DUP_MAX of POSIX; and how many bytes an expression can have when its counts are written out,
// which bounds the automaton's states.
constexpr int most_repeats = 255;
constexpr size_t most_positions = 4096;
constexpr int most_groups = 63;
constexpr int deepest = 100;

struct ClassName {
  const char* name;
  int (*has)(int);
};
constexpr ClassName class_names[] = {
    {"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
    {"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
    {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit},
};

// strchr() finds the NUL behind the text as well, and an expression may hold one.
bool one_of(const char* set, char c) { return c && std::strchr(set, c); }

Set one(unsigned char c) { return Set().set(c); }

Set all_bytes() { return Set().set().reset(0); }  // strings hold no NUL

Set class_set(int (*has)(int)) {
  Set set;
  for (int c = 1; c < 128; ++c)
    if (has(c)) set.set(c);
  return set;
}

// \w and \s of GNU; empty for other letters.
Set escaped_class(char c) {
  Set word = class_set(isalnum) | one('_'), space = class_set(isspace);
  switch (c) {
    case 'w':
      return word;
    case 'W':
      return all_bytes() & ~word;
    case 's':
      return space;
    case 'S':
      return all_bytes() & ~space;
    default:
      return {};
  }
}

class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}

  Pattern run() {
    Pattern pattern;
    pattern.root = alternatives(0);
    if (at_ < text_.size()) fail("this ')' closes nothing");
    if (positions(pattern.root) > most_positions) fail("the regular expression is too large", 0);
    pattern.groups = groups_;
    return pattern;
  }

 private:
  [[noreturn]] void fail(const std::string& text, size_t at) { throw Wrong{at, text}; }
  [[noreturn]] void fail(const std::string& text) { fail(text, at_); }

  bool more() const { return at_ < text_.size(); }
  char peek() const { return more() ? text_[at_] : '\0'; }
  bool accept(char c) {
    if (!more() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  Node alternatives(int depth) {
    if (depth > deepest) fail("the parentheses nest too deeply");
    Node any{Kind::any, {}, {}};
    do any.children.push_back(sequence(depth));
    while (accept('|'));
    return any.children.size() == 1 ? std::move(any.children[0]) : any;
  }

  Node sequence(int depth) {
    Node all{Kind::all, {}, {}};
    while (more() && peek() != '|' && !(peek() == ')' && depth > 0))
      all.children.push_back(repeated(depth));
    if (all.children.empty()) return {};
    return all.children.size() == 1 ? std::move(all.children[0]) : all;
  }

  Node repeated(int depth) {
    Node node = atom(depth);
    for (int levels = 0; one_of("*+?{", peek()); ++levels) {
      if (levels > deepest) fail("the repetitions nest too deeply");
      if (node.kind == Kind::begin || node.kind == Kind::end)
        fail(fmt::format("'{}' cannot repeat ^ or $", peek()));
      Node outer{Kind::repeat, {}, {}, 0, -1};
      char op = text_[at_++];
      if (op == '+') outer.least = 1;
      if (op == '?') outer.most = 1;
      if (op == '{') interval(outer);
      outer.children.push_back(std::move(node));
      node = std::move(outer);
    }
    return node;
  }

  int number() {
    if (!isdigit(static_cast<unsigned char>(peek()))) fail("a number was expected");
    int value = 0;
    size_t start = at_;
    while (isdigit(static_cast<unsigned char>(peek())) && value <= most_repeats)
      value = value * 10 + (text_[at_++] - '0');
    if (value > most_repeats) fail(fmt::format("a count is {} at most", most_repeats), start);
    return value;
  }

  // Behind the brace.
  void interval(Node& node) {
    size_t start = at_;
    node.least = node.most = number();
    if (accept(',')) node.most = peek() == '}' ? -1 : number();
    if (!accept('}')) fail("'}' was expected");
    if (node.most >= 0 && node.most < node.least)
      fail("the first count is larger than the second", start);
  }

  Node atom(int depth) {
    size_t start = at_;
    char c = text_[at_++];
    switch (c) {
      case '(': {
        if (++groups_ > most_groups)
          fail(fmt::format("more than {} pairs of parentheses", most_groups), start);
        Node group{Kind::group, {}, {}};
        group.children.push_back(alternatives(depth + 1));
        if (!accept(')')) fail("this '(' is not closed", start);
        return group;
      }
      case '[':
        return {Kind::bytes, bracket(start), {}};
      case '.':
        return {Kind::bytes, all_bytes(), {}};
      case '^':
        return {Kind::begin, {}, {}};
      case '$':
        return {Kind::end, {}, {}};
      case '\\':
        return {Kind::bytes, escape(start), {}};
      case '*':
      case '+':
      case '?':
      case '{':
        fail(fmt::format("there is nothing for '{}' to repeat", c), start);
      default:
        return {Kind::bytes, one(c), {}};
    }
  }

  Set escape(size_t start) {
    if (!more()) fail("the expression ends behind a backslash", start);
    char c = text_[at_++];
    if (c >= '1' && c <= '9') fail("back-references cannot be matched", start);
    if (one_of("<>bB`'", c)) fail(fmt::format("'\\{}' cannot be matched", c), start);
    Set set = escaped_class(c);
    return set.any() ? set : one(c);
  }

  // Behind the `[`. A backslash is itself here.
  Set bracket(size_t start) {
    bool inverted = accept('^');
    Set set;
    bool first = true;
    for (; first || peek() != ']'; first = false) {
      if (!more()) fail("this '[' is not closed", start);
      if (peek() == '[' && at_ + 1 < text_.size() && text_[at_ + 1] == ':') {
        set |= named_class();
        continue;
      }
      size_t place = at_;
      unsigned char low = element(start), high = low;
      bool range = peek() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']';
      if (range) {
        ++at_;
        high = element(start);
      }
      if (high < low) fail("the range is upside down", place);
      for (int c = low; c <= high; ++c) set.set(c);
    }
    ++at_;
    return inverted ? all_bytes() & ~set : set;
  }

  // One byte of a bracket: itself, [.x.] or [=x=].
  unsigned char element(size_t start) {
    if (peek() == '[' && at_ + 1 < text_.size() && one_of(".=", text_[at_ + 1])) {
      char mark = text_[at_ + 1];
      if (at_ + 4 >= text_.size() || text_[at_ + 3] != mark || text_[at_ + 4] != ']')
        fail("one character was expected between the brackets");
      at_ += 5;
      return text_[at_ - 3];
    }
    if (!more()) fail("this '[' is not closed", start);
    return text_[at_++];
  }

  Set named_class() {
    size_t begin = at_ + 2, end = text_.find(":]", begin);
    if (end == text_.npos) fail("this '[:' is not closed");
    std::string name = text_.substr(begin, end - begin);
    for (const ClassName& row : class_names)
      if (name == row.name) {
        at_ = end + 2;
        return class_set(row.has);
      }
    fail(fmt::format("there is no class of characters '{}'", name));
  }

  // How many bytes it has with the counts written out.
  static size_t positions(const Node& node) {
    if (node.kind == Kind::bytes) return 1;
    size_t sum = node.kind == Kind::begin || node.kind == Kind::end;
    for (const Node& child : node.children) sum += positions(child);
    if (node.kind == Kind::repeat) sum *= std::max({node.least, node.most, 1});
    return std::min(sum, most_positions + 1);
  }

  const std::string& text_;
  size_t at_ = 0;
  int groups_ = 0;
};

}  // namespace

std::variant<Pattern, Wrong> parse(const std::string& pattern) {
  try {
    return Parser(pattern).run();
  } catch (Wrong& wrong) {
    return std::move(wrong);
  }
}

}  // namespace stp::regex
