// The parser's insides, shared by parser.cc, parse_points.cc, parse_stmt.cc and parse_expr.cc.
//
// Errors: the first one sets `panic_`, and from then on at() answers that the file has
// ended. Every loop then stops and every function returns what it has, without a check
// after each call and without exceptions; further errors are swallowed. Whoever can go
// on (a block behind a statement, the file behind a declaration) calls a recover_...
// function, which finds the place to go on from and clears the panic. Functions
// return non-null nodes even in panic.
//
// Depth: recursion is counted by Nest, and the height of expression trees by make(),
// because `1+1+1+...` builds a deep tree without recursion. So neither the parser nor any
// pass that walks the tree recursively can run out of stack.
#pragma once

#include <initializer_list>
#include <string>
#include <unordered_map>
#include <vector>

#include "support/diagnostics.h"
#include "syntax/ast.h"
#include "syntax/operators.h"
#include "syntax/preprocessor.h"
#include "syntax/token.h"

namespace stp {

class Parser {
 public:
  Parser(Preprocessed input, const PreprocessorContext& context, ast::File& file,
         Diagnostics& diagnostics);
  void parse_file();

 private:
  static constexpr int kMaxNesting = 500;
  static constexpr int kMaxHeight = 1000;
  static constexpr size_t kMaxPoints = 4096;
  static constexpr size_t kMaxComponents = 64;  // of a probe point

  // One level of recursion, as long as it lives.
  class Nest {
   public:
    explicit Nest(Parser& parser);
    ~Nest() { --parser_.nesting_; }
    Nest(const Nest&) = delete;

   private:
    Parser& parser_;
  };

  // ---- cursor
  const Token& at(size_t ahead = 0) const;
  bool at_op(std::string_view op) const { return at().is_op(op); }
  bool at_keyword(std::string_view word) const { return at().is_keyword(word); }
  bool at_declaration() const;  // a keyword of a declaration, first on its line
  Token take();
  bool accept_op(std::string_view op);
  bool accept_keyword(std::string_view word);
  // `where` completes the message: "'(' was expected after 'if', not ...".
  bool expect_op(std::string_view op, std::string_view where);
  bool expect_keyword(std::string_view word, std::string_view where);
  ast::Name expect_name(std::string_view what);
  ast::Name expect_strings(std::string_view what);  // adjacent literals, joined
  int64_t expect_number(std::string_view what);     // with a minus perhaps
  bool touches_previous() const;                    // no space before at()
  Span since(const Span& start) const;              // from `start` to the last taken token

  // ---- errors
  void fail(Code, const Span&, const std::string& text);  // and panic
  void fail_expected(const std::string& what);            // "... was expected, not <at()>"
  void report(Code, const Span&, const std::string& text);
  void need_guru(const Span&, const std::string& what);
  void recover_statement(size_t start);
  bool recover_to_body();
  void recover_declaration();
  void skip_balanced();  // from an opening parenthesis to behind the closing one

  // ---- declarations: parser.cc
  void parse_declaration();
  void suggest_declaration(const std::string& word);
  void parse_globals(bool is_private);
  ast::Global* parse_global(bool is_private);
  void parse_function(const Span& start, bool is_private);
  void parse_parameters(ast::Function&);
  void parse_priority(ast::Function&);
  ast::TypeName parse_type();

  // ---- probes: parse_points.cc
  void parse_probe();
  void parse_probe_body(ast::Probe&, ast::Alias&, bool is_alias);
  bool parse_points(std::vector<ast::ProbePoint*>&);
  std::vector<ast::ProbePoint> parse_point();
  std::vector<ast::ProbePoint> parse_alternatives();
  ast::Component parse_component();
  void parse_suffix(std::vector<ast::ProbePoint>&);
  void check_alias_names(const std::vector<ast::ProbePoint*>&);

  // ---- statements: parse_stmt.cc
  ast::Stmt* parse_block(std::string_view where);
  void parse_block_rest(std::vector<ast::Stmt*>&, const Span& open);
  ast::Stmt* parse_statement();
  decltype(ast::Stmt::node) parse_statement_node();
  ast::If parse_if();
  ast::While parse_while();
  ast::For parse_for();
  ast::Foreach parse_foreach();
  void parse_foreach_keys(ast::Foreach&);
  void parse_foreach_array(ast::Foreach&);
  void parse_sort(ast::Foreach&, size_t key);
  ast::Delete parse_delete();
  ast::TryCatch parse_try();
  template <typename T>
  ast::Stmt* make_stmt(const Span& span, T node) {
    return file_.arena.make<ast::Stmt>(span, std::move(node));
  }

  // ---- expressions: parse_expr.cc
  ast::Expr* parse_expr();
  ast::Expr* parse_ternary();
  ast::Expr* parse_binary(int least);
  ast::Expr* parse_match(ast::Expr* text);
  ast::Expr* parse_bracketed_in();
  ast::Expr* parse_in(const Span& start, std::vector<ast::Expr*> keys);
  ast::Expr* parse_unary();
  ast::Expr* parse_address_of();
  ast::Expr* parse_incremented();
  ast::Expr* parse_accesses();
  int parse_pretty();

  // ---- operands: parse_operand.cc
  ast::Expr* parse_primary();
  ast::Expr* parse_name();
  ast::Expr* parse_target();
  ast::Expr* parse_variable(const std::string& where);
  ast::Expr* parse_at_word();
  ast::Expr* parse_at_var();
  ast::Expr* parse_cast();
  ast::Expr* parse_aggregate(ast::AggregateOp);
  ast::Expr* parse_at_operator(const struct AtOperatorRow&);
  std::vector<std::string> known_at_words() const;
  ast::Expr* parse_unknown_at_word();
  ast::Expr* parse_print(const struct PrintRow&);
  ast::Expr* parse_histogram();  // where one may stand; null when at() is none
  std::vector<ast::Expr*> parse_arguments(std::string_view of);  // behind the `(`, with the `)`
  std::vector<ast::Expr*> parse_keys();  // behind the `[`, with the `]`; null for `*`
  ast::Expr* placeholder();

  int height(const ast::Expr* expr) const;
  void set_height(const ast::Expr* expr, int below);
  template <typename T>
  ast::Expr* make(const Span& start, T node, std::initializer_list<const ast::Expr*> children) {
    auto* expr = file_.arena.make<ast::Expr>(since(start), std::move(node));
    int below = 0;
    for (const ast::Expr* child : children) below = std::max(below, height(child));
    if (children.size()) set_height(expr, below);
    return expr;
  }
  int highest(const std::vector<ast::Expr*>&) const;

  Tokens tokens_;
  std::vector<std::string> macros_;
  const PreprocessorContext& context_;
  ast::File& file_;
  Diagnostics& diagnostics_;
  size_t pos_ = 0;
  int nesting_ = 0;
  bool panic_ = false;
  Span suspect_;  // the '{' of a declaration's first block whose '}' seems to be another's
  size_t silenced_ = 0;  // errors that follow from another
  std::unordered_map<const ast::Expr*, int> heights_;  // of those above 1
};

}  // namespace stp
