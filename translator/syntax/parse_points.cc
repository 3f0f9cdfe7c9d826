// Probes and probe points.
//
// Braces in a probe point are a shorthand, a.{b,c}.d for a.b.d and a.c.d, and are
// gone when this file is done: a point is built as the list of all points it stands for.
// The list is bounded, since {a,b}.{a,b}.{a,b}... doubles with each part.
#include <algorithm>

#include "syntax/parser_state.h"

namespace stp {

using Kind = Token::Kind;

// probe points { body }
// probe name = name = points { body } [, { body }]
void Parser::parse_probe() {
  const Span start = take().span;
  ast::Probe probe{};
  ast::Alias alias{};
  bool is_alias = false;
  for (;;) {
    std::vector<ast::ProbePoint*> points;
    bool single = parse_points(points);
    bool assigned = at_op("=") || at_op("+=");
    if (!assigned || !single) {
      if (assigned) fail_expected("'{' was expected after the probe points");
      probe.points = points;
      break;
    }
    check_alias_names(points);
    alias.epilogue |= take().text == "+=";
    is_alias = true;
    alias.names.insert(alias.names.end(), points.begin(), points.end());
  }
  if (!at_op("{")) fail_expected("'{', ',', '=' or '+=' was expected after a probe point");
  bool failed = panic_;
  if (failed && !recover_to_body()) return;
  parse_probe_body(probe, alias, is_alias);
  if (failed || panic_) return;
  if (is_alias) {
    alias.points = std::move(probe.points);
    alias.body = probe.body;
    alias.span = since(start);
    file_.declarations.push_back(file_.arena.make<ast::Alias>(std::move(alias)));
  } else {
    probe.span = since(start);
    file_.declarations.push_back(file_.arena.make<ast::Probe>(std::move(probe)));
  }
}

void Parser::parse_probe_body(ast::Probe& probe, ast::Alias& alias, bool is_alias) {
  probe.body = parse_block("before a probe's handler");
  if (!is_alias || !at_op(",")) return;
  if (alias.epilogue)
    report(Code::bad_declaration, at().span, "an alias of '+=' has one handler only");
  take();
  alias.second = parse_block("before an alias's second handler");
}

// Points separated by commas. True when it was a single one, which may be an alias's name.
bool Parser::parse_points(std::vector<ast::ProbePoint*>& points) {
  size_t written = 0;
  do {
    const Span start = at().span;
    for (ast::ProbePoint& point : parse_point())
      points.push_back(file_.arena.make<ast::ProbePoint>(std::move(point)));
    ++written;
    if (points.size() > kMaxPoints)
      fail(Code::bad_probe_point, since(start),
           "the braces stand for more than " + std::to_string(kMaxPoints) + " probe points");
  } while (accept_op(","));
  return written == 1 && points.size() == 1;
}

void Parser::check_alias_names(const std::vector<ast::ProbePoint*>& names) {
  for (const ast::ProbePoint* name : names)
    if (name->optional || name->sufficient)
      report(Code::bad_probe_point, name->span, "an alias's name takes no '?' or '!'");
}

// component . component ... [? or !] [if (condition)]
std::vector<ast::ProbePoint> Parser::parse_point() {
  Nest nest(*this);
  const Span start = at().span;
  std::vector<ast::ProbePoint> points(1);
  do {
    std::vector<ast::ProbePoint> parts;
    if (at_op("{")) {
      parts = parse_alternatives();
    } else {
      parts.emplace_back();
      parts[0].components.push_back(parse_component());
    }
    if (points.size() * parts.size() > kMaxPoints) {
      fail(Code::bad_probe_point, since(start),
           "the braces stand for more than " + std::to_string(kMaxPoints) + " probe points");
      return points;
    }
    std::vector<ast::ProbePoint> product;
    for (const ast::ProbePoint& head : points) {
      if (head.optional || head.sufficient || head.condition)
        fail(Code::bad_probe_point, since(start),
             "'?', '!' and 'if' must come last in a probe point");
      for (const ast::ProbePoint& tail : parts) {
        if (head.components.size() + tail.components.size() > kMaxComponents) {
          fail(Code::bad_probe_point, since(start),
               "a probe point has at most " + std::to_string(kMaxComponents) + " parts");
          return points;
        }
        ast::ProbePoint point = tail;
        point.components.insert(point.components.begin(), head.components.begin(),
                                head.components.end());
        product.push_back(std::move(point));
      }
    }
    points = std::move(product);
  } while (accept_op("."));
  parse_suffix(points);
  for (ast::ProbePoint& point : points) point.span = since(start);
  return points;
}

// { point , point ... }
std::vector<ast::ProbePoint> Parser::parse_alternatives() {
  accept_op("{");
  std::vector<ast::ProbePoint> all;
  do {
    for (ast::ProbePoint& point : parse_point()) all.push_back(std::move(point));
  } while (accept_op(",") && all.size() <= kMaxPoints);
  expect_op("}", "after alternatives of a probe point");
  return all;
}

// A name with wildcards, written without spaces, and perhaps (number) or ("string").
ast::Component Parser::parse_component() {
  ast::Component component;
  auto is_part = [&] { return at().is(Kind::identifier) || at().is(Kind::keyword) || at_op("*"); };
  if (!is_part()) {
    fail_expected("a part of a probe point (a name, '*' or '{') was expected");
    return component;
  }
  component.span = at().span;
  bool star = false;
  do {
    // Two names never touch; one of two neighbours is a `*`.
    star = at_op("*");
    component.name += take().text;
  } while (is_part() && touches_previous() && (star || at_op("*")));
  component.span = since(component.span);
  if (!accept_op("(")) return component;
  component.arg_span = at().span;
  if (at().is(Kind::string))
    component.arg = expect_strings("a string").text;
  else
    component.arg = expect_number("a string or a number");
  component.arg_span = since(component.arg_span);
  expect_op(")", "after the argument of '" + component.name + "'");
  return component;
}

void Parser::parse_suffix(std::vector<ast::ProbePoint>& points) {
  bool optional = accept_op("?");
  bool sufficient = !optional && accept_op("!");
  ast::Expr* condition = nullptr;
  if (accept_keyword("if")) {
    expect_op("(", "after 'if'");
    condition = parse_expr();
    expect_op(")", "after the condition of a probe point");
  }
  for (ast::ProbePoint& point : points) {
    if ((optional || sufficient) && (point.optional || point.sufficient))
      fail(Code::bad_probe_point, tokens_[pos_ - 1].span,
           "'?' or '!' stands behind a part of this probe point already");
    point.optional |= optional;
    point.sufficient |= sufficient;
    if (condition && point.condition)
      point.condition = make(point.condition->span,
                             ast::Binary{ast::BinaryOp::logical_and, point.condition, condition},
                             {point.condition, condition});
    else if (condition)
      point.condition = condition;
  }
}

}  // namespace stp
