// print and its kin: format strings, and how many arguments of which type they take.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sema/scope.h"
#include "syntax/ast.h"

namespace stp::sema {

// One argument that a format takes.
struct Conversion {
  prog::Type wanted;  // none: number or string, as it comes
  char letter;        // of the conversion; '*' for a width or precision
  size_t begin = 0, end = 0;  // where the conversion stands in the format
  std::optional<size_t> modifier = {};  // where the 'l' of "%ld" stands, which changes nothing
  // Of %m and %M: their flags and width as written, and how many bytes they read.
  std::string width = {};
  std::optional<int64_t> bytes = {};  // none: the argument before says it
  bool user = false;
};
// What stands in a format, or why it cannot be.
struct ParsedFormat {
  std::vector<Conversion> conversions;
  std::string error;  // empty when it is good
  size_t begin = 0, end = 0;  // of the conversion that is wrong
};
ParsedFormat parse_format(const std::string& format);

// The place in the script of a conversion of the format that `literal` is; all of the literal where
// it was written in a way that hides it.
Span place_in_format(const Span& literal, const std::string& format, size_t begin, size_t end);

// The types that printf's format asks of its arguments; none for the other forms.
std::vector<prog::Type> argument_types(const ast::Print&);

// `text` with its percent signs doubled, to stand in a format.
std::string escape_format(const std::string& text);

}  // namespace stp::sema
