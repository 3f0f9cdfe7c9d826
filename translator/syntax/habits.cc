// C, awk, Python, Go and bpftrace are what people know who write their first script. What they write
// then is wrong in few ways, each with one cure; a message that names it saves a look into a manual.
//
// One table of token patterns: whoever finds the next habit adds a row. The parser does not know of them:
// it says what it expected, and this looks at the tokens around.
#include "syntax/habits.h"

#include <algorithm>
#include <string>

namespace stp {
namespace {

using Kind = Token::Kind;

constexpr const char* kNoDeclaration = "variables have no declaration: their first value tells the type";
constexpr const char* kTypeBehind = "a type stands behind its name: function f:string(a:long, b)";
constexpr const char* kElements = "arrays are global, and filled by element: name[1] = 2";

// A pattern: empty fits everything; a word in capitals a class, `a|b` one of them, else the spelling.
struct Habit {
  std::string_view wanted;  // how the message begins
  std::string_view before, found, next;
  const char* cure;
};

constexpr Habit kHabits[] = {
    {"a declaration", "", "fn|func|fun|def|sub|proc|FUNCTION", "NAME", "functions begin with 'function': function f(a, b) { ... }"},
    {"a declaration", "", "NAME", ":", "a handler is written: probe kernel.function(\"vfs_read\") { ... }"},
    {"a declaration", "", "BEGIN|begin|END|end", "{", "handlers begin with 'probe': probe begin { ... }"},
    {"a declaration", "", "NAME", "{|.", "handlers begin with 'probe': probe begin { ... }"},
    {"a declaration", "", "NAME", "(|=|[", "statements stand in handlers: probe begin { ... }"},
    {"a declaration", "", "TYPE", "function", kTypeBehind},
    {"a declaration", "NAME", ":", "", kNoDeclaration},
    {"a declaration", "TYPE", "NAME", "", kNoDeclaration},
    {"a declaration", "NAME", "NAME", "", "names are set apart by commas: global a, b"},
    {"a global variable's name", ",", "global", "", "one 'global' is enough for a list: global a, b"},
    {"a global variable's name", "global", "long|string", "", kNoDeclaration},
    {"a number or a string", "=", "{|[|(", "", kElements},
    {"an array's size", "[", "]", "", "without a size there are no brackets: global name"},
    {"'{' was expected before a function's body", "", "->|:", "", kTypeBehind},
    {"')' was expected after a function's parameters", "", "NAME", "", kTypeBehind},
    {"a parameter's name", "", "long|string", "", kTypeBehind},
    {"'long' or 'string'", "", "TYPE|bool", "", "numbers are 'long', and text is 'string'"},
    {"'{', ',', '='", "", ":", "", "the parts of a probe point are set apart by '.': kernel.function(\"vfs_read\")"},
    {"'{', ',', '='", "}", "", "", "those braces were taken for a list of points: the point stands in front, probe begin { ... }"},
    {"a string or a number", "(", "NAME", "", "text stands in double quotes"},
    {"';' was expected after the first part of 'for'", "TYPE", "NAME", "", kNoDeclaration},
    {"';' was expected after the first part of 'for'", "", ")", "", "'foreach' walks an array: foreach (key in array) { ... }"},
    {"';' was expected after the first part of 'for'", "", ",", "", "each part of 'for' is one expression"},
    {"an array's name", "in", "NUMBER", "", "'for' counts: for (i = 0; i < 10; i++) { ... }"},
    {"'in' was expected after the variables", "", ",", "", "several keys stand in brackets: foreach ([a, b] in array)"},
    {"'in' was expected after a list of keys", "]", "", "", kElements},
    {"a statement", "", "long|string", "NAME", kNoDeclaration},
    {"an expression", "", ":", "=", "'=' assigns"},
    {"an expression", "NUMBER|STRING|default", ":", "", "there is no 'switch': 'if' and 'else if' tell cases apart"},
    {"an expression", ")", "}", "", "a loop's condition stands in front: while (condition) { ... }; there is no 'do'"},
    {"an expression", "=", "{", "", kElements},
    {"an expression", "", "*", "NAME", "'->' and '[0]' lead to what a pointer points at"},
    {"')' was expected to close", "STRING", "NAME", "", "a comma stands between the format and each value"},
    {"'catch'", "", "except|finally|rescue", "", "'catch (message) { ... }' runs when something failed"},
    {"", "", "and", "", "the logical and is '&&'"},
    {"", "", "or", "", "the logical or is '||'"},
    {"", "not", "", "", "the logical not is '!'"},
};

bool is_type(std::string_view word) {
  static constexpr std::string_view words[] = {"int", "char", "unsigned", "var", "let", "auto", "local", "my",
                                               "u64", "u32", "void", "size_t", "const", "uint64_t"};
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

bool fits_one(const Token& token, std::string_view pattern) {
  if (pattern == "NAME") return token.is(Kind::identifier);
  if (pattern == "NUMBER") return token.is(Kind::number);
  if (pattern == "STRING") return token.is(Kind::string);
  if (pattern == "TYPE") return token.is(Kind::identifier) && is_type(token.text);
  return !token.is(Kind::string) && token.text == pattern;
}

bool fits(const Token* token, std::string_view pattern) {
  if (pattern.empty()) return true;
  while (token) {
    size_t end = std::min(pattern.find('|'), pattern.size());
    if (fits_one(*token, pattern.substr(0, end))) return true;
    if (end == pattern.size()) break;
    pattern.remove_prefix(end + 1);
  }
  return false;
}

struct Word {
  std::string_view name;
  const char* cure;
};

constexpr Word kFunctions[] = {
    {"elif", "'else if' is two words"},
    {"elsif", "'else if' is two words"},
    {"elseif", "'else if' is two words"},
    {"switch", "'if' and 'else if' tell cases apart"},
    {"count", "@count(s) reads a statistic, which s <<< value feeds"},
    {"sum", "@sum(s) reads a statistic, which s <<< value feeds"},
    {"min", "@min(s) reads a statistic, which s <<< value feeds"},
    {"max", "@max(s) reads a statistic, which s <<< value feeds"},
    {"avg", "@avg(s) reads a statistic, which s <<< value feeds"},
    {"hist", "print(@hist_log(s)) shows a statistic, which s <<< value feeds"},
    {"lhist", "print(@hist_linear(s, low, high, step)) shows a statistic, which s <<< value feeds"},
    {"len", "strlen(text) counts the bytes of a text; a loop with 'foreach' counts elements"},
    {"str", "user_string(address) and kernel_string(address) read text, sprint(number) makes it"},
    {"puts", "println(value) prints a line"},
    {"echo", "println(value) prints a line"},
};

constexpr Word kNames[] = {
    {"do", "there is no 'do': a loop's condition stands in front, while (condition) { ... }"},
    {"null", "there are numbers and text alone: 0 is no address, \"\" is empty text"},
    {"NULL", "there are numbers and text alone: 0 is no address, \"\" is empty text"},
    {"nil", "there are numbers and text alone: 0 is no address, \"\" is empty text"},
    {"None", "there are numbers and text alone: 0 is no address, \"\" is empty text"},
    {"true", "truth is a number: 1"},
    {"True", "truth is a number: 1"},
    {"false", "truth is a number: 0"},
    {"False", "truth is a number: 0"},
    {"comm", "the process's name is execname()"},
    {"retval", "what the probed function returns is $return, in its .return probe"},
};

template <size_t N>
const char* find(const Word (&words)[N], std::string_view name) {
  for (const Word& word : words)
    if (word.name == name) return word.cure;
  return nullptr;
}

}  // namespace

const char* cure_of_habit(const Tokens& tokens, size_t at, std::string_view wanted) {
  auto token = [&](size_t i) { return i < tokens.size() ? &tokens[i] : nullptr; };
  for (const Habit& habit : kHabits)
    if (wanted.starts_with(habit.wanted) && fits(token(at - 1), habit.before) &&
        fits(token(at), habit.found) && fits(token(at + 1), habit.next))
      return habit.cure;
  return nullptr;
}

const char* cure_of_function(std::string_view name) { return find(kFunctions, name); }

const char* cure_of_name(std::string_view name) {
  return is_type(name) ? kNoDeclaration : find(kNames, name);
}

}  // namespace stp
