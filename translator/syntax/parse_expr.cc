// Expressions: operators of all kinds around operands (parse_operand.cc).
//
// Binary operators are parsed by precedence climbing over the table in operators.cc.
// Two do not fit it: `in` and the matching operators `=~` and `!~` do not group with
// operators of their own or a tighter level (`a in b in c`, `a == b =~ "c"` are errors), so
// the loop carries the tightest level that is still allowed.
//
// Accesses (->member, [index], a `$` at the end) are collected by the node they apply
// to: a target variable, @var or @cast keeps them itself, anything else gets a
// Dereference around it, and an identifier with [ ] is an element of an array.
#include <algorithm>

#include "syntax/parser_state.h"

namespace stp {

using Kind = Token::Kind;

int Parser::height(const ast::Expr* expr) const {
  auto it = heights_.find(expr);
  return it == heights_.end() ? 1 : it->second;
}

void Parser::set_height(const ast::Expr* expr, int below) {
  heights_[expr] = below + 1;
  if (below >= kMaxHeight) fail(Code::too_deep, expr->span, "this expression nests too deeply");
}

int Parser::highest(const std::vector<ast::Expr*>& exprs) const {
  int below = 0;
  for (const ast::Expr* expr : exprs)
    if (expr) below = std::max(below, height(expr));
  return below;
}

// Assignments group to the right, and their left side is whatever binds tighter;
// whether it can be assigned to is not a question of syntax.
ast::Expr* Parser::parse_expr() {
  Nest nest(*this);
  const Span start = at().span;
  ast::Expr* target = parse_ternary();
  if (accept_op("=")) {
    ast::Expr* value = parse_expr();
    return make(start, ast::Assign{std::nullopt, target, value}, {target, value});
  }
  if (accept_op("<<<")) {
    ast::Expr* value = parse_expr();
    return make(start, ast::Accumulate{target, value}, {target, value});
  }
  if (!at().is(Kind::op)) return target;
  const BinaryOperator* row = find_compound_assignment(at().text);
  if (!row) return target;
  take();
  ast::Expr* value = parse_expr();
  return make(start, ast::Assign{row->op, target, value}, {target, value});
}

ast::Expr* Parser::parse_ternary() {
  Nest nest(*this);
  const Span start = at().span;
  ast::Expr* condition = parse_binary(kBindOr);
  if (!accept_op("?")) return condition;
  ast::Expr* then = parse_expr();
  expect_op(":", "between the two values of '?'");
  ast::Expr* otherwise = parse_ternary();
  return make(start, ast::Ternary{condition, then, otherwise}, {condition, then, otherwise});
}

// Operators that bind at least as tightly as `least`.
ast::Expr* Parser::parse_binary(int least) {
  const Span start = at().span;
  int most = kBindUnary;
  ast::Expr* left;
  if (at_op("[") && least <= kBindIn) {
    left = parse_bracketed_in();
    most = kBindIn - 1;
  } else {
    left = parse_unary();
  }
  bool compared = false;
  for (;;) {
    if (at_keyword("in") && least <= kBindIn && kBindIn <= most) {
      left = parse_in(start, {left});
      most = kBindIn - 1;
      continue;
    }
    if (!at().is(Kind::op)) return left;
    bool match = at_op("=~") || at_op("!~");
    if (match && least <= kBindCompare && kBindCompare <= most && !compared) {
      left = parse_match(left);
      most = kBindCompare - 1;
      continue;
    }
    const BinaryOperator* row = find_binary(at().text);
    if (!row || row->binding < least || row->binding > most) return left;
    take();
    ast::Expr* right = parse_binary(row->binding + 1);
    left = make(start, ast::Binary{row->op, left, right}, {left, right});
    compared = row->binding == kBindCompare;
    most = row->binding;  // `1 | a in b - 2`: what binds tighter had its turn in the operand
  }
}

ast::Expr* Parser::parse_match(ast::Expr* text) {
  bool negated = take().text == "!~";
  ast::Name pattern = expect_strings("a string with a regular expression");
  return make(text->span, ast::RegexMatch{negated, text, std::move(pattern)}, {text});
}

// [key, *, ...] in array
ast::Expr* Parser::parse_bracketed_in() {
  const Span start = take().span;
  std::vector<ast::Expr*> keys = parse_keys();
  if (!at_keyword("in")) {
    fail_expected("'in' was expected after a list of keys");
    return placeholder();
  }
  return parse_in(start, std::move(keys));
}

ast::Expr* Parser::parse_in(const Span& start, std::vector<ast::Expr*> keys) {
  accept_keyword("in");
  const Span array_start = at().span;
  ast::Expr* array = parse_histogram();
  if (!array) {
    ast::Name name = expect_name("an array's name");
    array = make(array_start, ast::Identifier{name.text}, {});
  }
  int below = std::max(highest(keys), height(array));
  ast::Expr* in = make(start, ast::In{std::move(keys), array}, {});
  set_height(in, below);
  return in;
}

ast::Expr* Parser::parse_unary() {
  Nest nest(*this);
  using Op = ast::UnaryOp;
  const Span start = at().span;
  for (Op op : {Op::negate, Op::plus, Op::logical_not, Op::bit_not}) {
    if (!accept_op(spelling_of(op))) continue;
    ast::Expr* operand = parse_unary();
    return make(start, ast::Unary{op, operand}, {operand});
  }
  if (at_op("&")) return parse_address_of();
  return parse_incremented();
}

// & in front of a target variable or what is read through a pointer.
ast::Expr* Parser::parse_address_of() {
  const Span start = take().span;
  ast::Expr* operand = parse_accesses();
  auto mark = [&](auto& node) {
    node.address_of = true;
    operand->span = since(start);
    return operand;
  };
  if (!operand->parenthesised) {
    if (auto* target = std::get_if<ast::Target>(&operand->node)) return mark(*target);
    if (auto* cast = std::get_if<ast::Cast>(&operand->node)) return mark(*cast);
    if (auto* deref = std::get_if<ast::Dereference>(&operand->node)) return mark(*deref);
  }
  return make(start, ast::Dereference{operand, {}, true, 0}, {operand});
}

// ++ and --, in front or behind, once.
ast::Expr* Parser::parse_incremented() {
  const Span start = at().span;
  if (at_op("++") || at_op("--")) {
    bool decrement = take().text == "--";
    ast::Expr* operand = parse_accesses();
    return make(start, ast::Increment{true, decrement, operand}, {operand});
  }
  ast::Expr* operand = parse_accesses();
  if (!at_op("++") && !at_op("--")) return operand;
  bool decrement = take().text == "--";
  return make(start, ast::Increment{false, decrement, operand}, {operand});
}

// What asks for a structure to be printed: `$` or `$$` right behind, as a token of its own.
// (Behind a name it is part of the name's token; see parse_target.)
int Parser::parse_pretty() {
  if (!at().is(Kind::identifier) || !touches_previous()) return 0;
  if (at().text != "$" && at().text != "$$") return 0;
  return static_cast<int>(take().text.size());
}

// An operand and all ->member and [index] behind it.
ast::Expr* Parser::parse_accesses() {
  const Span start = at().span;
  ast::Expr* base = parse_primary();
  auto* target = std::get_if<ast::Target>(&base->node);
  auto* cast = std::get_if<ast::Cast>(&base->node);
  if (base->parenthesised) target = nullptr, cast = nullptr;
  if (target && target->pretty) return base;

  std::vector<ast::Access> accesses;
  int pretty = 0;
  int below = height(base);
  while (!pretty && (at_op("->") || at_op("["))) {
    ast::Access access{ast::Access::Kind::index, "", nullptr, at().span};
    if (take().text == "[") {
      access.index = parse_expr();
      expect_op("]", "after an index");
      below = std::max(below, height(access.index));
    } else if (at().is(Kind::identifier) || at().is(Kind::keyword)) {
      access.kind = ast::Access::Kind::member;
      access.member = take().text;
      for (; pretty < 2 && access.member.size() > 1 && access.member.back() == '$'; ++pretty)
        access.member.pop_back();
    } else {
      fail_expected("a member's name was expected after '->'");
      break;
    }
    access.span = since(access.span);
    accesses.push_back(std::move(access));
  }
  if (!pretty) pretty = parse_pretty();
  if (accesses.empty() && !pretty) return base;
  // Passes make a tree of them, one level for each.
  below += static_cast<int>(std::min<size_t>(accesses.size(), kMaxHeight));
  if (target || cast) {
    (target ? target->accesses : cast->accesses) = std::move(accesses);
    (target ? target->pretty : cast->pretty) = pretty;
    base->span = since(start);
    set_height(base, below);
    return base;
  }
  ast::Expr* deref = make(start, ast::Dereference{base, std::move(accesses), false, pretty}, {});
  set_height(deref, below);
  return deref;
}

}  // namespace stp
