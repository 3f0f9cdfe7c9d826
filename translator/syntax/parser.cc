// A recursive-descent parser: this file holds the cursor, recovery from errors, and
// declarations; probe points, statements and expressions have files of their own.
//
// The language separates neither statements nor declarations by anything that must
// be written, so after an error there is no sure place to go on. What works: a
// statement ends at `;`, at the `}` of its block, or where a line starts while no
// parenthesis is open; a declaration ends where a line starts with one of the four
// keywords, or behind its balanced braces. A header that is wrong does not hide its
// body: the body is parsed for its own errors.
#include "syntax/parser.h"

#include <algorithm>

#include "syntax/habits.h"
#include "syntax/parser_state.h"

namespace stp {

using Kind = Token::Kind;

Parser::Parser(Preprocessed input, const PreprocessorContext& context, ast::File& file,
               Diagnostics& diagnostics)
    : tokens_(std::move(input.tokens)),
      macros_(std::move(input.macros)),
      context_(context),
      file_(file),
      diagnostics_(diagnostics) {}

// ---------------------------------------------------------------------- cursor

Parser::Nest::Nest(Parser& parser) : parser_(parser) {
  if (++parser_.nesting_ > kMaxNesting)
    parser_.fail(Code::too_deep, parser_.at().span, "this nests too deeply");
}

const Token& Parser::at(size_t ahead) const {
  return panic_ ? tokens_.back() : tokens_[std::min(pos_ + ahead, tokens_.size() - 1)];
}

Token Parser::take() {
  Token token = at();
  if (!panic_ && pos_ + 1 < tokens_.size()) ++pos_;
  return token;
}

bool Parser::accept_op(std::string_view op) {
  if (!at_op(op)) return false;
  ++pos_;
  return true;
}

bool Parser::accept_keyword(std::string_view word) {
  if (!at_keyword(word)) return false;
  ++pos_;
  return true;
}

bool Parser::expect_op(std::string_view op, std::string_view where) {
  if (accept_op(op)) return true;
  fail_expected("'" + std::string(op) + "' was expected " + std::string(where));
  return false;
}

bool Parser::expect_keyword(std::string_view word, std::string_view where) {
  if (accept_keyword(word)) return true;
  fail_expected("'" + std::string(word) + "' was expected " + std::string(where));
  return false;
}

ast::Name Parser::expect_name(std::string_view what) {
  if (!at().is(Kind::identifier)) {
    fail_expected(std::string(what) + " was expected");
    return {};
  }
  Token token = take();
  return {token.text, token.span};
}

ast::Name Parser::expect_strings(std::string_view what) {
  if (!at().is(Kind::string)) {
    fail_expected(std::string(what) + " was expected");
    return {};
  }
  ast::Name joined{"", at().span};
  while (at().is(Kind::string)) joined.text += take().text;
  joined.span = since(joined.span);
  return joined;
}

int64_t Parser::expect_number(std::string_view what) {
  bool negative = at_op("-") && at(1).is(Kind::number);
  if (negative) ++pos_;
  if (!at().is(Kind::number)) {
    fail_expected(std::string(what) + " was expected");
    return 0;
  }
  auto value = static_cast<uint64_t>(take().value);
  return static_cast<int64_t>(negative ? 0 - value : value);
}

bool Parser::touches_previous() const {
  if (pos_ == 0 || panic_) return false;
  const Span& before = tokens_[pos_ - 1].span;
  const Span& here = at().span;
  return before.file == here.file && before.end == here.begin;
}

Span Parser::since(const Span& start) const {
  if (pos_ == 0) return start;
  const Span& last = tokens_[pos_ - 1].span;
  return last.file == start.file && last.end >= start.end ? join(start, last) : start;
}

// An indented `global` is more likely a statement that somebody expects to work.
bool Parser::at_declaration() const {
  if (!at().starts_line || !at().is(Kind::keyword)) return false;
  if (at_keyword("probe") || at_keyword("function")) return true;
  if (!at_keyword("global") && !at_keyword("private")) return false;
  const Span& span = at().span;
  return span.begin == 0 || span.file->text()[span.begin - 1] == '\n';
}

// ---------------------------------------------------------------------- errors

void Parser::fail(Code code, const Span& span, const std::string& text) {
  report(code, span, text);
  // Nobody writes such a file by hand; to go on would only find more of the same.
  if (code == Code::too_deep) pos_ = tokens_.size() - 1;
  panic_ = true;
}

// What an open string has taken in is not missed a second time.
void Parser::fail_expected(const std::string& what) {
  if (!panic_ && pos_ > 0 && tokens_[pos_ - 1].open) {
    ++silenced_;
    panic_ = true;
  }
  size_t errors = diagnostics_.errors(), mark = diagnostics_.mark();
  const char* cure = panic_ ? nullptr : cure_of_habit(tokens_, pos_, what);
  fail(Code::expected, at().span, what + ", not " + describe(at()));
  if (cure && diagnostics_.errors() > errors) diagnostics_.note_since(mark, cure, {});
}

void Parser::report(Code code, const Span& span, const std::string& text) {
  if (!panic_) diagnostics_.error(code, span, text);
}

void Parser::need_guru(const Span& span, const std::string& what) {
  if (context_.guru || file_.source->role() != SourceFile::Role::user) return;
  report(Code::needs_guru, span, what + " needs guru mode (-g)");
}

// To the next statement of the block in which the one that starts at `start` failed.
void Parser::recover_statement(size_t start) {
  static constexpr std::string_view starters[] = {
      "if", "while", "for", "foreach", "return", "delete", "break", "continue", "next", "try"};
  panic_ = false;
  int open = 0;
  bool has_for = false;  // where a `;` may lie inside of parentheses
  auto count = [&](const Token& token) {
    has_for |= token.is_keyword("for");
    if (token.is_op("(") || token.is_op("[")) ++open;
    if (token.is_op(")") || token.is_op("]")) --open;
  };
  for (size_t i = start; i < pos_; ++i) count(tokens_[i]);
  // `x = {1, 2}`: no block.
  if (at_op("{") && pos_ > start && tokens_[pos_ - 1].is_op("="))
    while (!accept_op("}") && !at().is(Kind::end) && !at_declaration()) ++pos_;
  for (; !at().is(Kind::end); ++pos_) {
    if (at_op("}") || at_declaration()) return;
    bool fresh = pos_ > start && at().starts_line;
    if (fresh && tokens_[pos_ - 1].open) return;
    if (fresh && at().is(Kind::keyword) &&
        std::find(std::begin(starters), std::end(starters), at().text) != std::end(starters))
      return;
    if ((open <= 0 || !has_for) && accept_op(";")) return;
    if (open <= 0) {
      if (fresh || (at_op("{") && pos_ > start)) return;
    } else if (at_op("{")) {
      // An unclosed parenthesis before a block: `if (x { ... }`.
      return;
    }
    count(at());
  }
}

// To the `{` of a body whose header failed; false when there seems to be none.
bool Parser::recover_to_body() {
  panic_ = false;
  for (; !at().is(Kind::end) && !at_declaration(); ++pos_) {
    if (!at_op("{")) continue;
    const Token& before = tokens_[pos_ ? pos_ - 1 : 0];
    bool group = before.is_op(".") || before.is_op(",");
    if (!group) return true;
  }
  return false;
}

void Parser::skip_balanced() {
  int open = 0;
  for (; !at().is(Kind::end); ++pos_) {
    if (at_op("(")) ++open;
    if (at_op(")") && --open == 0) break;
    if (at_op("}") || at_declaration()) return;
  }
  accept_op(")");
}

// To the next declaration, past balanced braces.
void Parser::recover_declaration() {
  panic_ = false;
  int open = 0;
  for (; !at().is(Kind::end); ++pos_) {
    if (at_declaration()) return;
    if (at_op("{")) ++open;
    if (at_op("}") && --open <= 0) {
      ++pos_;
      if (at().is(Kind::keyword) || at().is(Kind::embedded) || at().is(Kind::end)) return;
      --pos_;
    }
  }
}

// ---------------------------------------------------------------- declarations

void Parser::parse_file() {
  while (!at().is(Kind::end)) {
    size_t start = pos_;
    suspect_ = {};
    parse_declaration();
    if (!panic_) continue;
    if (pos_ == start) ++pos_;
    pos_ = std::min(pos_, tokens_.size() - 1);
    recover_declaration();
  }
}

void Parser::parse_declaration() {
  const Span start = at().span;
  if (at_keyword("probe")) return parse_probe();
  if (accept_keyword("global")) return parse_globals(false);
  if (accept_keyword("function")) return parse_function(start, false);
  if (accept_keyword("private")) {
    if (accept_keyword("function")) return parse_function(start, true);
    if (!accept_keyword("global") && !at().is(Kind::identifier))
      return fail_expected("'function', 'global' or a name was expected after 'private'");
    return parse_globals(true);
  }
  if (at().is(Kind::embedded)) {
    need_guru(start, "embedded C");
    Token token = take();
    file_.declarations.push_back(file_.arena.make<ast::EmbeddedTop>(token.text, token.span));
    return;
  }
  const std::string word = at().text;
  size_t known = diagnostics_.errors();
  fail_expected("a declaration (probe, function, global or private) was expected");
  if (diagnostics_.errors() > known) suggest_declaration(word);
}

void Parser::suggest_declaration(const std::string& word) {
  if (!diagnostics_.suggests()) return;
  for (const auto& near : nearest(word, {"probe", "function", "global", "private"}))
    diagnostics_.note_since(diagnostics_.mark() - 1, "did you mean '" + near + "'?", {});
}

void Parser::parse_globals(bool is_private) {
  do {
    ast::Global* global = parse_global(is_private);
    if (!panic_) file_.declarations.push_back(global);
  } while (accept_op(","));
  accept_op(";");
}

// name, name%, name[size], name%[size], name = literal
ast::Global* Parser::parse_global(bool is_private) {
  auto* global = file_.arena.make<ast::Global>();
  global->is_private = is_private;
  global->name = expect_name("a global variable's name");
  global->wrap = accept_op("%");
  if (accept_op("[")) {
    const Span start = at().span;
    int64_t size = expect_number("an array's size");
    if (size <= 0 || size > INT32_MAX)
      report(Code::bad_declaration, since(start), "an array's size must be 1 to 2147483647");
    global->size = size;
    expect_op("]", "after an array's size");
  }
  if (!at_op("=")) return global;
  if (global->wrap || global->size)
    fail(Code::bad_declaration, at().span, "only a scalar can be initialized, not an array");
  accept_op("=");
  const Span start = at().span;
  if (at().is(Kind::string)) {
    ast::Name text = expect_strings("a string");
    global->init = make(start, ast::String{text.text}, {});
  } else {
    int64_t value = expect_number("a number or a string");
    global->init = make(start, ast::Number{value}, {});
  }
  if (at().is(Kind::op) && !at_op(",") && !at_op(";"))
    fail(Code::bad_declaration, at().span,
         "a global's first value is one literal; give it another in 'probe begin'");
  return global;
}

// function name [: type] ( parameters ) [: priority] body
void Parser::parse_function(const Span& start, bool is_private) {
  auto* function = file_.arena.make<ast::Function>();
  function->is_private = is_private;
  function->name = expect_name("a function's name");
  if (accept_op(":")) function->type = parse_type();
  if (expect_op("(", "after a function's name")) parse_parameters(*function);
  if (accept_op(":")) parse_priority(*function);
  if (!at_op("{") && !at().is(Kind::embedded))
    fail_expected("'{' was expected before a function's body");
  bool failed = panic_;
  if (failed && !recover_to_body()) return;
  if (at().is(Kind::embedded)) {
    need_guru(at().span, "a function in C");
    Token token = take();
    function->embedded = token.text;
    function->embedded_span = token.span;
  } else {
    function->body = parse_block("before a function's body");
  }
  function->span = since(start);
  if (!failed && !panic_) file_.declarations.push_back(function);
}

void Parser::parse_parameters(ast::Function& function) {
  while (!at_op(")") && !panic_) {
    ast::Parameter parameter;
    parameter.name = expect_name("a parameter's name or ')'");
    if (accept_op(":")) parameter.type = parse_type();
    function.params.push_back(parameter);
    if (!accept_op(",")) break;
  }
  expect_op(")", "after a function's parameters");
}

void Parser::parse_priority(ast::Function& function) {
  const Span start = at().span;
  function.priority = expect_number("a function's priority (a number)");
  if (*function.priority <= 0)
    report(Code::bad_declaration, since(start), "a function's priority must be above 0");
}

ast::TypeName Parser::parse_type() {
  if (accept_keyword("long")) return ast::TypeName::number;
  if (accept_keyword("string")) return ast::TypeName::string;
  fail_expected("'long' or 'string' was expected after ':'");
  return ast::TypeName::none;
}

std::unique_ptr<ast::File> parse(const SourceFile& source, const PreprocessorContext& context,
                                 const MacroLibrary& library, SourceMap& map,
                                 Diagnostics& diagnostics, size_t* used_args) {
  auto file = std::make_unique<ast::File>();
  file->source = &source;
  Preprocessed input = preprocess(source, context, library, map, diagnostics);
  if (used_args) *used_args = input.used_args;
  Parser(std::move(input), context, *file, diagnostics).parse_file();
  return file;
}

}  // namespace stp
