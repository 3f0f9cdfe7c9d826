// One body from syntax to program: every name an index, every expression a type.
//
// A handler is lowered once for each set of places that its target variables can have; everything
// else in it comes out the same.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "probes/kind.h"
#include "sema/format.h"
#include "sema/scope.h"

namespace stp::sema {

// A probe's own copies of functions; apart for what is kept from a function's entry.
struct ProbeFunctions {
  std::map<std::pair<const FunctionGroup*, bool>, size_t> indices;  // into Program::functions
};

class Lowering {
 public:
  // `surroundings` and `provider`: null in functions. `entry_values`: where what is kept from a
  // function's entry goes; null where nothing can be.
  Lowering(Unit& unit, Scope& scope, const probes::Surroundings* surroundings,
           const types::Provider* provider, std::vector<prog::Expr*>* entry_values, bool guru);

  prog::Stmt* statements(const std::vector<const ast::Stmt*>&);
  // The handler's own statements, for @probewrite: of a probe whose point is an alias.
  void set_handler(const ast::Stmt* handler) { handler_ = handler; }
  void set_probe_functions(ProbeFunctions* functions) { probe_functions_ = functions; }
  // Assignments to the locals that the point gives values to.
  std::vector<prog::Stmt*> script_variables(const Span&);
  // A number that decides: the `if` of a probe point.
  prog::Expr* condition(const ast::Expr& e) { return value(e, prog::Type::number); }

 private:
  // Why something has its type: the use elsewhere that told it.
  struct Reason {
    std::string text;
    Span told;  // empty: nothing to show
    bool assigned = false;  // it is given the value

    Reason(std::string why = {}, Span from = {}) : text(std::move(why)), told(from) {}
  };

  // lower_stmt.cc
  prog::Stmt* statement(const ast::Stmt&);
  prog::Stmt* optional(const ast::Stmt*);
  prog::Stmt* unread_statement(const ast::Stmt&, bool pure);  // unread.cc
  prog::Stmt* foreach_statement(const ast::Foreach&, const Span&);
  prog::Stmt* foreach_bucket(const ast::Foreach&, const ast::Aggregate&, const Span&);
  prog::Stmt* delete_statement(const ast::Delete&, const Span&);
  prog::Stmt* try_statement(const ast::TryCatch&, const Span&);
  prog::Stmt* return_statement(const ast::Return&, const Span&);
  prog::Stmt* loop(prog::LoopStmt loop, const ast::Stmt* body, const Span&);
  // The local that a statement puts a value into. A global gets it from a hidden one, by an
  // assignment that is added to `first`.
  std::optional<size_t> receiver(const ast::Name&, prog::Type, std::vector<prog::Stmt*>& first);
  void check_not_walked(size_t global, const Span&);
  void check_not_walked(const FunctionGroup&, const Span&);

  // lower_expr.cc
  // The expression as `wanted` (none: whatever it is, but not nothing). Never null: after an
  // error, a constant of the wanted type.
  prog::Expr* value(const ast::Expr&, prog::Type wanted = prog::Type::none,
                    const Reason& needs = {});
  prog::Expr* any(const ast::Expr&);  // may have no value
  prog::Expr* expression(const ast::Expr&, prog::Type wanted);
  prog::Expr* assignable(const ast::Expr&, prog::Type wanted);
  prog::Expr* identifier(const ast::Identifier&, const Span&);
  prog::Expr* element(const ast::Index&, const Span&);
  prog::Expr* call(const ast::Call&, const Span&);
  prog::Expr* in_buckets(const ast::In&, const ast::Aggregate&, const Span&);
  std::optional<bool> decided(const ast::Expr&);
  prog::Expr* wrong_arity(const std::string& name, const ast::Call&, const Span&,
                          const std::vector<size_t>& arities);
  prog::Expr* embedded(const ast::EmbeddedExpr&, const Span&);
  prog::Expr* regex_match(const ast::RegexMatch&, const Span&);
  prog::Expr* binary(const ast::Binary&, const Span&);
  prog::Expr* assign(const ast::Assign&, const Span&);
  prog::Expr* statistic(const ast::Expr&);
  prog::Expr* aggregate(const ast::Aggregate&, const Span&);
  prog::Expr* histogram(const ast::Aggregate&, const Span&);
  prog::Global* statistic_global(const prog::Expr& operand);
  prog::Expr* at_operator(const ast::AtOperator&, const Span&, prog::Type wanted);
  prog::Expr* header_constant(const ast::AtOperator&, const Span&);
  prog::Expr* enumerator(const ast::AtOperator&, const Span&);
  prog::Expr* perf_counter(const ast::AtOperator&, const Span&);
  prog::Expr* dereference(const ast::AtOperator&, const Span&);
  prog::Expr* register_value(const ast::AtOperator&, const Span&);
  bool is_written(const ast::Expr&);
  prog::Expr* entry_value(const ast::Expr&, const Span&, prog::Type wanted);
  std::vector<prog::Expr*> keys(const GlobalInfo&, const std::vector<ast::Expr*>&, const Span&,
                                bool wildcards);
  const GlobalInfo* array(const ast::Expr&, const char* what);
  std::vector<prog::Expr*> arguments(const std::string& function, const std::vector<ast::Expr*>&,
                                     const std::vector<prog::Type>& types, const Span&,
                                     const FunctionGroup* = nullptr);

  // probe_functions.cc
  size_t function_of_probe(const FunctionGroup&, const Span&);

  // lower_print.cc
  prog::Expr* print(const ast::Print&, const Span&);
  prog::Expr* memory(prog::Expr* address, prog::Expr* bytes, bool user, bool digits);
  prog::Expr* printf(const ast::Print&, const Span&);
  prog::Expr* wrong_count(const ast::Print&, const std::vector<Conversion>&, const Span&);
  prog::Expr* print_argument(const ast::Expr&, prog::Type wanted, std::string& letters,
                             const Reason& needs = {});
  size_t format(std::string text, std::string letters);
  const prog::PrintExpr* text_of_numbers(const prog::Expr*);
  void take_in(std::string& text, std::string& letters, std::vector<prog::Expr*>& args);

  // script_variables.cc
  prog::Expr* parameter(const std::string& name, const Span&);

  // target.cc
  const types::Variable* call_variable(const std::string& name) const;
  prog::Expr* target(const ast::Target&, const Span&);
  prog::Expr* cast(const ast::Cast&, const Span&);
  prog::Expr* kept_from_entry(const std::function<prog::Expr*()>& lower, const Span&);
  bool is_defined(const ast::Expr&);
  struct Place;
  std::optional<Place> find_variable(const ast::Target&, const Span&);
  std::optional<Place> global_variable(const ast::Target&, const Span&);
  std::nullopt_t no_variable(const ast::Target&, const Span&, Code, const std::string& text,
                             const std::vector<std::string>& near = {});
  std::nullopt_t no_variable(const ast::Target&, const Span&, const types::Lack&);
  std::vector<std::string> known_variables();
  bool is_variable_of_probed_code(const std::string& name);
  void note_known_variables(Diagnostic&);
  void note_conversion(Diagnostic&, const ast::Expr&, prog::Type is, prog::Type wanted);

  // target_handed.cc
  bool is_handed(const ast::Target&) const;
  std::optional<Place> hook_argument(const ast::Target&, const Span&);
  std::vector<types::Variable> hook_arguments();
  prog::Expr* assignable_argument(prog::Expr*, const Span&);
  prog::Expr* text_value(const ast::Target&, const Span&, bool assigned);
  template <typename Node>
  prog::Expr* follow(Place, const Node&, const Span&);
  bool step(Place&, const ast::Access&);
  prog::Expr* read(const Place&, const Span&);
  // `from`: the provider that knows the variable; null: the probe's.
  std::optional<Place> place_of(const types::Variable&, const Span&,
                                const types::Provider* from = nullptr);
  bool any_provider(const std::string& modules, const Span&,
                    const std::function<bool(const types::Provider&)>& use);
  prog::Expr* of_this_cpu(const types::LocPtr&, const types::Provider&, const Span&);
  prog::Expr* read_parts(const Place&, uint64_t bits, const Span&);
  prog::Expr* in_one_part(const Place&, uint64_t bits, bool is_signed, const Span&);
  bool step_in_parts(Place&, const ast::Access&);
  std::optional<Place> target_of(const Place&, int64_t element, const Span&);
  bool step_to_target(Place&, const ast::Access&);
  std::optional<Place> cast_type(const ast::Cast&, const Span&);
  const types::Type* type_named(const std::string& name, const std::string& modules, const Span&);

  // target_write.cc
  prog::Expr* assignable_target(const ast::Expr&);

  // pointer_types.cc
  class PointerTypes;
  Place pointer_to(const types::Type*, prog::Expr* value);
  prog::Expr* dereferenced(const ast::Dereference&, const Span&);

  // pretty.cc
  Place shown(const Place&, const Span&);
  class Description;
  void describe(Description&, const Place&, int dollars, const Span&);
  prog::Expr* unless_lost(const std::function<prog::Expr*()>&);
  prog::Expr* number_of(const types::Variable&, const Span&);
  prog::Expr* pretty(const Place&, int dollars, const Span&);
  prog::Expr* target_group(const ast::Target&, const Span&);
  std::vector<types::Variable> group_members(const std::string& name);
  prog::Expr* plain_group(const std::vector<types::Variable>&, const Span&);
  prog::Expr* pretty_group(const std::vector<types::Variable>&, int dollars, const Span&);

  // reasons.cc
  Reason reason(const ast::Expr&);
  Reason reason_of_key(const GlobalInfo&, size_t key);
  Reason reason_of_parameter(const FunctionGroup&, size_t parameter);
  Reason reason_of_result();

  // Reports, and gives a constant to go on with.
  prog::Expr* error(Code, const Span&, const std::string& text,
                    prog::Type type = prog::Type::number);
  // What stands for a value after an error; whatever it is used as, no other error follows.
  prog::Expr* bad(prog::Type, const Span&);
  prog::Expr* unresolved(const Span&, const std::string& text);
  prog::Expr* constant(int64_t, const Span&);
  prog::Expr* nothing(prog::Type, const Span&);
  Diagnostics& diagnostics() { return *unit_.diagnostics; }
  prog::Program& program() { return *unit_.program; }

  Unit& unit_;
  Scope& scope_;
  const probes::Surroundings* surroundings_;
  const types::Provider* provider_;
  std::vector<prog::Expr*>* entry_values_;
  bool guru_;
  const ast::Expr* statement_ = nullptr;  // the last expression that is a statement of its own
  const ast::Stmt* handler_ = nullptr;
  ProbeFunctions* probe_functions_ = nullptr;  // null in functions of all probes
  bool at_entry_ = false;  // inside @entry(): variables as they are at the function's entry
  std::set<const prog::Expr*> bad_;
  std::deque<types::Type> pointers_;  // made for typed values of the script
  int loops_ = 0;
  size_t foreach_count_ = 0;
  struct Walk {
    size_t id, global;
    std::string value;  // the value variable of one over statistics; else empty
  };
  std::vector<Walk> walks_;  // the foreach statements around this place
};

prog::Type type_of(const probes::ScriptVariable&);

}  // namespace stp::sema
