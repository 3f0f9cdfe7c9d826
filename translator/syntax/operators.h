// The operators of expressions, one row each.
#pragma once

#include <string_view>

#include "syntax/ast.h"

namespace stp {

// Levels of binding, loosest first. A level's operators group to the left, except
// assignment and ?: which group to the right, and `in` and matching which do not group.
enum Binding : int {
  kBindAny = 0,
  kBindAssign,
  kBindTernary,
  kBindOr,
  kBindAnd,
  kBindBitOr,
  kBindBitXor,
  kBindBitAnd,
  kBindIn,
  kBindCompare,
  kBindShift,
  kBindConcat,
  kBindAdd,
  kBindMul,
  kBindUnary,
  kBindPostfix,
  kBindPrimary,
};

struct BinaryOperator {
  std::string_view spelling;
  ast::BinaryOp op;
  int binding;
  std::string_view assignment;  // the compound form, or empty
};

// Null when the spelling is no such operator.
const BinaryOperator* find_binary(std::string_view spelling);
const BinaryOperator* find_compound_assignment(std::string_view spelling);
const BinaryOperator& row_of(ast::BinaryOp);

std::string_view spelling_of(ast::UnaryOp);
std::string_view spelling_of(ast::AggregateOp);  // without the '@'
// The operator that `@name` stands for; false when there is none.
bool find_aggregate(std::string_view name, ast::AggregateOp* op);

}  // namespace stp
