// Operands: literals, names, calls, target variables, the print functions, and what
// starts with '@'.
//
// A histogram is no value: it stands only where one may be used, alone in a print, with
// an index, or as what foreach and `in` look through. parse_histogram() is called there;
// elsewhere one is an error.
#include <algorithm>

#include "syntax/parser_state.h"

namespace stp {

using Kind = Token::Kind;

// The operators that take arguments in parentheses and mean something to the passes
// behind. `literal` ones take strings alone.
struct AtOperatorRow {
  std::string_view name;
  size_t least, most;
  bool literal;
  bool guru;
};

struct PrintRow {
  std::string_view name;
  ast::Print::Kind kind;
  bool to_string;
  bool literal;        // a string literal comes first
  size_t least, most;  // arguments behind it
};

namespace {

constexpr size_t kAny = SIZE_MAX;

constexpr AtOperatorRow kAtOperators[] = {
    {"defined", 1, 1, false, false},    {"entry", 1, 1, false, false},
    {"probewrite", 1, 1, false, false}, {"const", 1, 1, true, true},
    {"enum", 1, 2, true, false},        {"perf", 1, 1, true, false},
    {"kregister", 1, 1, false, true},   {"uregister", 1, 1, false, false},
    {"kderef", 2, 2, false, true},      {"uderef", 2, 2, false, false},
};

constexpr PrintRow kPrints[] = {
    {"print", ast::Print::Kind::print, false, false, 1, kAny},
    {"sprint", ast::Print::Kind::print, true, false, 1, kAny},
    {"println", ast::Print::Kind::println, false, false, 0, kAny},
    {"sprintln", ast::Print::Kind::println, true, false, 0, kAny},
    {"printd", ast::Print::Kind::printd, false, true, 2, kAny},
    {"sprintd", ast::Print::Kind::printd, true, true, 2, kAny},
    {"printdln", ast::Print::Kind::printdln, false, true, 2, kAny},
    {"sprintdln", ast::Print::Kind::printdln, true, true, 2, kAny},
    {"printf", ast::Print::Kind::printf, false, true, 0, kAny},
    {"sprintf", ast::Print::Kind::printf, true, true, 0, kAny},
};

template <typename Table>
auto find_row(const Table& table, std::string_view name) -> decltype(&table[0]) {
  for (const auto& row : table)
    if (row.name == name) return &row;
  return nullptr;
}

bool is_histogram(ast::AggregateOp op) {
  return op == ast::AggregateOp::hist_log || op == ast::AggregateOp::hist_linear;
}

}  // namespace

ast::Expr* Parser::placeholder() { return make(at().span, ast::Number{0}, {}); }

std::vector<ast::Expr*> Parser::parse_arguments(std::string_view of) {
  std::vector<ast::Expr*> args;
  if (accept_op(")")) return args;
  do args.push_back(parse_expr());
  while (accept_op(","));
  if (!accept_op(")"))
    fail_expected("',' or ')' was expected after an argument of " + std::string(of));
  return args;
}

std::vector<ast::Expr*> Parser::parse_keys() {
  std::vector<ast::Expr*> keys;
  do keys.push_back(accept_op("*") ? nullptr : parse_expr());
  while (accept_op(","));
  if (!accept_op("]")) fail_expected("',' or ']' was expected after a key");
  return keys;
}

ast::Expr* Parser::parse_primary() {
  const Span start = at().span;
  switch (at().kind) {
    case Kind::number:
      return make(start, ast::Number{take().value}, {});
    case Kind::string: {
      ast::Name text = expect_strings("a string");
      return make(start, ast::String{std::move(text.text)}, {});
    }
    case Kind::identifier:
      return at().is_target() ? parse_target() : parse_name();
    case Kind::at_word:
      return parse_at_word();
    case Kind::embedded: {
      need_guru(start, "embedded C");
      std::string code = take().text;
      return make(start, ast::EmbeddedExpr{std::move(code)}, {});
    }
    default:
      break;
  }
  if (accept_op("(")) {
    ast::Expr* expr = parse_expr();
    expect_op(")", "to close the '('");
    expr->parenthesised = true;
    return expr;
  }
  fail_expected("an expression was expected");
  return placeholder();
}

// A variable, an element of an array, a call, or a print.
ast::Expr* Parser::parse_name() {
  if (const PrintRow* print = find_row(kPrints, at().text)) return parse_print(*print);
  const Token name = take();
  if (accept_op("(")) {
    std::vector<ast::Expr*> args = parse_arguments("'" + name.text + "'");
    int below = highest(args);
    ast::Expr* call = make(name.span, ast::Call{{name.text, name.span}, std::move(args)}, {});
    set_height(call, below);
    return call;
  }
  ast::Expr* variable = make(name.span, ast::Identifier{name.text}, {});
  if (!accept_op("[")) return variable;
  std::vector<ast::Expr*> keys;
  do keys.push_back(parse_expr());
  while (accept_op(","));
  if (!accept_op("]")) fail_expected("',' or ']' was expected after a key");
  int below = highest(keys);
  ast::Expr* element = make(name.span, ast::Index{variable, std::move(keys)}, {});
  set_height(element, below);
  return element;
}

// The lexer takes `$x$$` as one name; the `$` behind it ask for pretty-printing. A name
// that is nothing but `$` keeps them.
ast::Expr* Parser::parse_target() {
  const Token token = take();
  ast::Target target{ast::Target::Kind::variable, token.text.substr(1), "", {}, false, 0};
  bool named = target.name.find_first_not_of('$') != std::string::npos;
  for (; named && target.pretty < 2 && target.name.back() == '$'; ++target.pretty)
    target.name.pop_back();
  return make(token.span, std::move(target), {});
}

ast::Expr* Parser::parse_at_word() {
  const Token& name = at();
  ast::AggregateOp op;
  if (find_aggregate(name.text, &op)) {
    if (!is_histogram(op)) return parse_aggregate(op);
    const Span start = name.span;
    ast::Expr* histogram = parse_histogram();
    if (!at_op("[")) {
      report(Code::expected, histogram->span,
             "a histogram is no value; it can be printed, or indexed with [ ]");
      panic_ = true;
      return histogram;
    }
    take();
    ast::Expr* index = parse_expr();
    expect_op("]", "after the index of a histogram");
    return make(start, ast::Index{histogram, {index}}, {histogram, index});
  }
  if (name.text == "var") return parse_at_var();
  if (name.text == "cast") return parse_cast();
  if (const AtOperatorRow* row = find_row(kAtOperators, name.text)) return parse_at_operator(*row);
  return parse_unknown_at_word();
}

// A name and nothing else: what it stands for is not read.
ast::Expr* Parser::parse_variable(const std::string& where) {
  if (!at().is(Kind::identifier)) fail_expected("the name of a variable was expected " + where);
  if (at().is_target()) return parse_target();
  const Token name = take();
  return make(name.span, ast::Identifier{name.text}, {});
}

// @var("name@file" [, "module"])
ast::Expr* Parser::parse_at_var() {
  const Span start = take().span;
  ast::Target target{ast::Target::Kind::at_var, "", "", {}, false, 0};
  expect_op("(", "after '@var'");
  target.name = expect_strings("the variable's name, a string,").text;
  if (accept_op(",")) target.module = expect_strings("a module's name, a string,").text;
  expect_op(")", "to close '@var'");
  return make(start, std::move(target), {});
}

// @cast(operand, "type" [, "module"])
ast::Expr* Parser::parse_cast() {
  const Span start = take().span;
  ast::Cast cast{};
  expect_op("(", "after '@cast'");
  ast::Expr* operand = cast.operand = parse_expr();
  expect_op(",", "after the value of '@cast'");
  cast.type = expect_strings("the type's name, a string,").text;
  if (accept_op(",")) cast.module = expect_strings("a module's name, a string,").text;
  expect_op(")", "to close '@cast'");
  return make(start, std::move(cast), {operand});
}

// @op(operand [, number]): the shift of @variance; low, high and step of @hist_linear.
ast::Expr* Parser::parse_aggregate(ast::AggregateOp op) {
  const Span start = take().span;
  const std::string name = "'@" + std::string(spelling_of(op)) + "'";
  ast::Aggregate aggregate{op, nullptr, {}};
  expect_op("(", "after " + name);
  aggregate.operand = parse_expr();
  size_t least = op == ast::AggregateOp::hist_linear ? 3 : 0;
  size_t most = op == ast::AggregateOp::variance ? 1 : least;
  while (aggregate.params.size() < most && (at_op(",") || aggregate.params.size() < least)) {
    expect_op(",", "in " + name);
    const Span number = at().span;
    int64_t value = expect_number("a number");
    aggregate.params.push_back(make(number, ast::Number{value}, {}));
    if (panic_) break;
  }
  expect_op(")", "to close " + name);
  ast::Expr* operand = aggregate.operand;
  return make(start, std::move(aggregate), {operand});
}

ast::Expr* Parser::parse_histogram() {
  ast::AggregateOp op;
  if (!at().is(Kind::at_word) || !find_aggregate(at().text, &op) || !is_histogram(op))
    return nullptr;
  return parse_aggregate(op);
}

ast::Expr* Parser::parse_at_operator(const AtOperatorRow& row) {
  const Span start = take().span;
  const std::string name = "'@" + std::string(row.name) + "'";
  if (row.guru) need_guru(start, name);
  ast::AtOperator op{std::string(row.name), {}};
  expect_op("(", "after " + name);
  do {
    const Span literal = at().span;
    if (row.literal)
      op.args.push_back(make(literal, ast::String{expect_strings("a string").text}, {}));
    else if (op.name == "probewrite")
      op.args.push_back(parse_variable("in " + name));
    else
      op.args.push_back(parse_expr());
  } while (op.args.size() < row.most && accept_op(","));
  if (op.args.size() < row.least) expect_op(",", "in " + name);
  expect_op(")", "to close " + name);
  int below = highest(op.args);
  ast::Expr* expr = make(start, std::move(op), {});
  set_height(expr, below);
  return expr;
}

std::vector<std::string> Parser::known_at_words() const {
  std::vector<std::string> known = macros_;
  for (const AtOperatorRow& row : kAtOperators) known.emplace_back(row.name);
  for (auto word :
       {"var", "cast", "count", "sum", "min", "max", "avg", "variance", "hist_log", "hist_linear"})
    known.emplace_back(word);
  return known;
}

// Reports, and goes on as if it had been a value, with arguments or without. The
// arguments of a macro need not be expressions, so they are not looked at.
ast::Expr* Parser::parse_unknown_at_word() {
  const Token name = take();
  if (!panic_) {
    Diagnostic& error = diagnostics_.error(
        Code::bad_macro, name.span, "'@" + name.text + "' is neither an operator nor a macro");
    if (diagnostics_.suggests())
      for (const std::string& near : nearest(name.text, known_at_words()))
        error.note("did you mean '@" + near + "'?");
    if (error.notes.empty() && (at_op("[") || at_op("=") || at_op("++") || at_op("<<<")))
      error.note("variables have no '@': declare 'global " + name.text + "', and write " + name.text);
  }
  if (touches_previous() && at_op("(")) skip_balanced();
  return make(name.span, ast::Number{0}, {});
}

// name ( [literal ,] arguments )
ast::Expr* Parser::parse_print(const PrintRow& row) {
  const Token name = take();
  const std::string quoted = "'" + name.text + "'";
  ast::Print print{row.kind, row.to_string, std::nullopt, {}};
  expect_op("(", "after " + quoted);
  bool open = true;
  if (row.literal) {
    print.literal =
        expect_strings(row.kind == ast::Print::Kind::printf ? "a string with the format"
                                                            : "a string with the delimiter");
    open = accept_op(",");
    if (!open && row.least == 0) expect_op(")", "to close " + quoted);
    if (!open && row.least > 0) expect_op(",", "after the delimiter of " + quoted);
  }
  if (open) {
    // A histogram is printed whole when it stands alone.
    const size_t first = pos_;
    ast::Expr* histogram = row.literal ? nullptr : parse_histogram();
    if (histogram && accept_op(")")) {
      print.args.push_back(histogram);
    } else {
      if (!panic_) pos_ = first;
      if (at_op(")") && (row.literal || row.least > 0))
        fail_expected("an argument of " + quoted + " was expected");
      print.args = parse_arguments(quoted);
      if (print.args.size() < row.least)
        fail(Code::expected, name.span, quoted + " wants at least two values");
    }
  }
  int below = highest(print.args);
  ast::Expr* expr = make(name.span, std::move(print), {});
  set_height(expr, below);
  return expr;
}

}  // namespace stp
