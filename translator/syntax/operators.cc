// One table of operators, read by the parser and by the printer, so that the two
// cannot disagree on what binds tighter.
//
// The order differs from C's in three places, all of them the language's own: `.`
// (concatenation) lies between shifts and sums, comparisons and equality share one
// level, and `in` binds just looser than that level.
#include "syntax/operators.h"

namespace stp {
namespace {

using ast::AggregateOp;
using ast::BinaryOp;
using ast::UnaryOp;

constexpr BinaryOperator kBinary[] = {
    {"*", BinaryOp::mul, kBindMul, "*="},
    {"/", BinaryOp::div, kBindMul, "/="},
    {"%", BinaryOp::mod, kBindMul, "%="},
    {"+", BinaryOp::add, kBindAdd, "+="},
    {"-", BinaryOp::sub, kBindAdd, "-="},
    {".", BinaryOp::concat, kBindConcat, ".="},
    {"<<", BinaryOp::shl, kBindShift, "<<="},
    {">>", BinaryOp::shr, kBindShift, ">>="},
    {">>>", BinaryOp::shr_unsigned, kBindShift, ""},
    {"<", BinaryOp::lt, kBindCompare, ""},
    {"<=", BinaryOp::le, kBindCompare, ""},
    {">", BinaryOp::gt, kBindCompare, ""},
    {">=", BinaryOp::ge, kBindCompare, ""},
    {"==", BinaryOp::eq, kBindCompare, ""},
    {"!=", BinaryOp::ne, kBindCompare, ""},
    {"&", BinaryOp::bit_and, kBindBitAnd, "&="},
    {"^", BinaryOp::bit_xor, kBindBitXor, "^="},
    {"|", BinaryOp::bit_or, kBindBitOr, "|="},
    {"&&", BinaryOp::logical_and, kBindAnd, ""},
    {"||", BinaryOp::logical_or, kBindOr, ""},
};

constexpr struct {
  AggregateOp op;
  std::string_view name;
} kAggregates[] = {
    {AggregateOp::count, "count"},
    {AggregateOp::sum, "sum"},
    {AggregateOp::min, "min"},
    {AggregateOp::max, "max"},
    {AggregateOp::avg, "avg"},
    {AggregateOp::variance, "variance"},
    {AggregateOp::hist_linear, "hist_linear"},
    {AggregateOp::hist_log, "hist_log"},
};

}  // namespace

const BinaryOperator* find_binary(std::string_view spelling) {
  for (const BinaryOperator& row : kBinary)
    if (row.spelling == spelling) return &row;
  return nullptr;
}

const BinaryOperator* find_compound_assignment(std::string_view spelling) {
  for (const BinaryOperator& row : kBinary)
    if (!row.assignment.empty() && row.assignment == spelling) return &row;
  return nullptr;
}

const BinaryOperator& row_of(BinaryOp op) {
  for (const BinaryOperator& row : kBinary)
    if (row.op == op) return row;
  return kBinary[0];
}

std::string_view spelling_of(UnaryOp op) {
  constexpr std::string_view spellings[] = {"-", "+", "!", "~"};
  return spellings[static_cast<int>(op)];
}

std::string_view spelling_of(AggregateOp op) {
  for (const auto& row : kAggregates)
    if (row.op == op) return row.name;
  return {};
}

bool find_aggregate(std::string_view name, AggregateOp* op) {
  for (const auto& row : kAggregates) {
    if (row.name != name) continue;
    *op = row.op;
    return true;
  }
  return false;
}

}  // namespace stp
