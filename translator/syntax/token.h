// Tokens: what the lexer makes, the preprocessor rewrites and the parser reads.
//
// A token keeps its spelling, and the parser compares spellings. An enumerator for
// each of the sixty operators was tried on paper: every table would then hold each
// operator twice, and a message needs the spelling anyway.
//
// What is wrong with a token travels with it. A conditional may drop the token
// (`%( arch == "arm64" %? $9 %)`), and then nobody shall hear of it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/diagnostics.h"
#include "support/source.h"

namespace stp {

struct Token {
  enum class Kind {
    end,
    identifier,  // a$b; also $name and $$name
    keyword,
    number,    // text is the spelling, value what it means
    string,    // text has its escapes resolved
    at_word,   // @name; text has no '@'
    argument,  // $1 @1 $# @#, until the preprocessor has replaced it
    embedded,  // %{ ... %}; text is what lies between
    op,
    bad,  // `problem` says why
  };
  struct Problem {
    Code code;
    std::string text;
  };

  Kind kind = Kind::end;
  std::string text;
  int64_t value = 0;
  Span span;
  bool starts_line = false;
  bool open = false;  // a string without its end, which has taken in the rest of the line
  std::shared_ptr<const Problem> problem;

  bool is(Kind other) const { return kind == other; }
  bool is_op(std::string_view spelling) const { return kind == Kind::op && text == spelling; }
  bool is_keyword(std::string_view spelling) const {
    return kind == Kind::keyword && text == spelling;
  }
  // "$x" and "$$vars", which are identifiers to the lexer.
  bool is_target() const { return kind == Kind::identifier && text[0] == '$'; }
};

using Tokens = std::vector<Token>;

// The token as a message names it: "number '3'", "'{'", "the end of the file".
std::string describe(const Token&);

}  // namespace stp
