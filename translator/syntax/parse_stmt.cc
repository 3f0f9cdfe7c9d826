// Statements. A `;` behind a simple statement belongs to it, so that
// `if (a) b; else c` reads as in C, although no statement needs one.
#include <algorithm>

#include "syntax/parser_state.h"

namespace stp {

using Kind = Token::Kind;

namespace {

// Those made of other statements end as these do.
bool ends_with_semicolon(const ast::Stmt& s) {
  return !std::holds_alternative<ast::Empty>(s.node) && !std::holds_alternative<ast::Block>(s.node) &&
         !std::holds_alternative<ast::If>(s.node) && !std::holds_alternative<ast::While>(s.node) &&
         !std::holds_alternative<ast::For>(s.node) &&
         !std::holds_alternative<ast::Foreach>(s.node) &&
         !std::holds_alternative<ast::TryCatch>(s.node);
}

// The blanks before the first word of the line that holds a place.
size_t indentation(const Span& span) {
  std::string_view line = span.file->line(span.file->position(span.begin).line);
  return std::min(line.find_first_not_of(" \t"), line.size());
}

}  // namespace

ast::Stmt* Parser::parse_block(std::string_view where) {
  const Span open = at().span;
  ast::Block block;
  if (expect_op("{", where)) parse_block_rest(block.statements, open);
  return make_stmt(since(open), std::move(block));
}

// The statements up to the `}`. Goes on behind each statement that failed.
void Parser::parse_block_rest(std::vector<ast::Stmt*>& statements, const Span& open) {
  size_t errors = diagnostics_.errors() + silenced_;
  bool recovered = false;
  while (!at_op("}") && !at().is(Kind::end) && !at_declaration()) {
    // The `else` of an `if` whose condition failed.
    if (recovered && accept_keyword("else")) continue;
    size_t start = pos_;
    statements.push_back(parse_statement());
    recovered = panic_;
    if (!panic_) continue;
    statements.pop_back();
    recover_statement(start);
    if (pos_ == start && !at_op("}") && !at_declaration() && !at().is(Kind::end)) ++pos_;
  }
  if (at_op("}")) {
    // One that stands further left than the line of its '{' was meant for a block outside.
    const Token close = take();
    if (!suspect_ && close.starts_line && close.span.file == open.file && !open.via &&
        indentation(close.span) < indentation(open))
      suspect_ = open;
    return;
  }
  if (panic_) return;
  // A brace that an error swallowed is not missed a second time. In both cases what is
  // around the block ends here too.
  if (diagnostics_.errors() + silenced_ == errors)
    diagnostics_
        .error(Code::expected, at().span,
               "'}' was expected to close a block, not " + describe(at()))
        .note(suspect_ ? "by the indentation, it is this block that is not closed"
                       : "the block starts here",
              suspect_ ? suspect_ : open);
  panic_ = true;
}

ast::Stmt* Parser::parse_statement() {
  Nest nest(*this);
  const Span start = at().span;
  auto* stmt = file_.arena.make<ast::Stmt>(start, ast::Empty{});
  stmt->node = parse_statement_node();
  stmt->span = since(start);
  if (ends_with_semicolon(*stmt)) accept_op(";");
  return stmt;
}

decltype(ast::Stmt::node) Parser::parse_statement_node() {
  if (accept_op(";")) return ast::Empty{};
  if (at_op("{")) {
    const Span open = take().span;
    ast::Block block;
    parse_block_rest(block.statements, open);
    return block;
  }
  if (accept_keyword("if")) return parse_if();
  if (accept_keyword("while")) return parse_while();
  if (accept_keyword("for")) return parse_for();
  if (accept_keyword("foreach")) return parse_foreach();
  if (accept_keyword("try")) return parse_try();

  decltype(ast::Stmt::node) node;
  if (accept_keyword("return")) {
    node = ast::Return{at_op(";") || at_op("}") ? nullptr : parse_expr()};
  } else if (accept_keyword("delete")) {
    node = parse_delete();
  } else if (accept_keyword("next")) {
    node = ast::Next{};
  } else if (accept_keyword("break")) {
    node = ast::Break{};
  } else if (accept_keyword("continue")) {
    node = ast::Continue{};
  } else if (at().is(Kind::embedded)) {
    need_guru(at().span, "embedded C");
    node = ast::EmbeddedStmt{take().text};
  } else if (at().is(Kind::keyword)) {
    fail_expected("a statement was expected");
  } else {
    node = ast::ExprStmt{parse_expr()};
  }
  return node;
}

ast::If Parser::parse_if() {
  ast::If node{};
  expect_op("(", "after 'if'");
  node.condition = parse_expr();
  expect_op(")", "after the condition of 'if'");
  node.then = parse_statement();
  if (accept_keyword("else")) node.otherwise = parse_statement();
  return node;
}

ast::While Parser::parse_while() {
  ast::While node{};
  expect_op("(", "after 'while'");
  node.condition = parse_expr();
  expect_op(")", "after the condition of 'while'");
  node.body = parse_statement();
  return node;
}

ast::For Parser::parse_for() {
  ast::For node{};
  expect_op("(", "after 'for'");
  if (!at_op(";")) node.init = parse_expr();
  expect_op(";", "after the first part of 'for'");
  if (!at_op(";")) node.condition = parse_expr();
  expect_op(";", "after the condition of 'for'");
  if (!at_op(")")) node.step = parse_expr();
  expect_op(")", "after the last part of 'for'");
  node.body = parse_statement();
  return node;
}

// foreach ( [value =] keys in array [slice] sort [limit n] ) statement
ast::Foreach Parser::parse_foreach() {
  ast::Foreach node{};
  expect_op("(", "after 'foreach'");
  parse_foreach_keys(node);
  expect_keyword("in", "after the variables of 'foreach'");
  parse_foreach_array(node);
  if (accept_keyword("limit")) node.limit = parse_expr();
  expect_op(")", "to close the head of 'foreach'");
  node.body = parse_statement();
  return node;
}

void Parser::parse_foreach_keys(ast::Foreach& node) {
  size_t sign = at(1).is_op("+") || at(1).is_op("-");
  if (at().is(Kind::identifier) && at(1 + sign).is_op("=")) {
    node.value = expect_name("a variable");
    parse_sort(node, 0);
    accept_op("=");
  }
  bool list = accept_op("[");
  do {
    node.keys.push_back(expect_name(list ? "a variable" : "a variable or '['"));
    parse_sort(node, node.keys.size());
  } while (list && accept_op(","));
  if (list) expect_op("]", "after the variables of 'foreach'");
}

void Parser::parse_foreach_array(ast::Foreach& node) {
  const Span start = at().span;
  node.array = parse_histogram();
  if (!node.array) {
    ast::Name name = expect_name("an array's name");
    node.array = make(start, ast::Identifier{name.text}, {});
  }
  if (accept_op("[")) node.slice = parse_keys();
  ast::AggregateOp op;
  if (at().is(Kind::at_word) && find_aggregate(at().text, &op)) {
    bool histogram = op == ast::AggregateOp::hist_log || op == ast::AggregateOp::hist_linear;
    if (histogram) return fail(Code::expected, at().span, "a histogram is nothing to sort by");
    take();
    node.sort_by = op;
    if (!at_op("+") && !at_op("-"))
      return fail_expected("'+' or '-' was expected after '@" + std::string(spelling_of(op)) + "'");
  }
  parse_sort(node, 0);
}

void Parser::parse_sort(ast::Foreach& node, size_t key) {
  if (!at_op("+") && !at_op("-")) return;
  if (node.sort != 0)
    return fail(Code::expected, at().span, "'foreach' can sort by one thing only");
  node.sort = take().text == "+" ? 1 : -1;
  node.sort_key = key;
}

// A variable, an array, an element or a slice. An operator behind it would go on with an
// expression, of which nothing could be deleted; it does not start the next statement.
ast::Delete Parser::parse_delete() {
  Nest nest(*this);
  const Span start = at().span;
  if (accept_op("(")) {
    ast::Delete inner = parse_delete();
    expect_op(")", "to close the '('");
    return inner;
  }
  ast::Name name = expect_name("a variable");
  ast::Expr* target = make(start, ast::Identifier{name.text}, {});
  if (accept_op("[")) {
    std::vector<ast::Expr*> keys = parse_keys();
    int below = highest(keys);
    target = make(start, ast::Index{target, std::move(keys)}, {});
    set_height(target, below);
  }
  if (at_op("[") || (at().is(Kind::op) && find_binary(at().text)))
    fail_expected("only variables and elements can be deleted; ';' was expected");
  return {target};
}

ast::TryCatch Parser::parse_try() {
  ast::TryCatch node{};
  node.body = parse_block("after 'try'");
  expect_keyword("catch", "after the block of 'try'");
  if (accept_op("(")) {
    node.message = expect_name("a variable for the error's text");
    expect_op(")", "after the variable of 'catch'");
  }
  node.handler = parse_block("after 'catch'");
  return node;
}

}  // namespace stp
