// A syntax tree as script text that parses to the same tree.
#pragma once

#include <string>

#include "syntax/ast.h"

namespace stp {

std::string print(const ast::File&);
// In the form of SystemTap's -p1: sorted by what is declared, each operand in parentheses.
std::string print_sorted(const ast::File&);
std::string print(const ast::Expr&);
std::string print(const ast::ProbePoint&);

}  // namespace stp
