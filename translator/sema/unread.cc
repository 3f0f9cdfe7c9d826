// Statements that compute what nobody reads.
//
// SystemTap leaves them out before it looks at types (language reference, 3.3.1). So an alias may
// name, for whoever reads it, a variable that not every kernel has, and a script may use a name of
// the alias for something else. Here such statements of a script run like all others, since what fails in
// them shall be told: but what is wrong in one is only a warning, and leaves it out. It tells no type
// either, as long as other statements do. The library's are left out: an alias of netfilter computes thirty
// variables, of which a handler reads two.
//
// With -u, and in a script in which nothing has an effect, all errors count.
#include <fmt/format.h>

#include <algorithm>

#include "sema/builtins.h"
#include "sema/lower.h"
#include "sema/scope.h"
#include "sema/visit.h"
#include "support/overloaded.h"

namespace stp::sema {
namespace {

bool is_local(const Scope& scope, const std::string& name) {
  auto found = scope.names.find(name);
  return found != scope.names.end() && found->second >= scope.params;
}

// The name of the local that the expression does nothing with but assign to it.
const std::string* assigned_local(const Scope& scope, const ast::Expr& e) {
  auto* assign = std::get_if<ast::Assign>(&e.node);
  auto* id = assign && !assign->op ? std::get_if<ast::Identifier>(&assign->target->node) : nullptr;
  return id && is_local(scope, id->name) ? &id->name : nullptr;
}

// What has no effect but on locals.
class Purity {
 public:
  explicit Purity(Unit& unit) : unit_(unit) {}

  // `may_assign`: the locals that the expression may be given to.
  template <typename MayAssign>
  bool expression(const ast::Expr& e, const MayAssign& may_assign) {
    bool pure = std::visit(
        Overloaded{
            [&](const ast::Assign& a) { return is_name(*a.target, may_assign); },
            [&](const ast::Increment& i) { return is_name(*i.operand, may_assign); },
            [](const ast::Accumulate&) { return false; },
            [&](const ast::Call& c) { return call(c); },
            [](const ast::Print& p) { return p.to_string; },
            [](const ast::EmbeddedExpr& c) { return says_pure(c.code); },
            [](const auto&) { return true; },
        },
        e.node);
    children(e, [&](const ast::Expr& part) { pure = pure && expression(part, may_assign); });
    return pure;
  }

 private:
  static bool says_pure(const std::string& code) { return code.find("/* pure */") != code.npos; }

  template <typename MayAssign>
  static bool is_name(const ast::Expr& target, const MayAssign& may_assign) {
    auto* id = std::get_if<ast::Identifier>(&target.node);
    return id && may_assign(id->name);
  }

  bool call(const ast::Call& c) {
    FunctionGroup* group =
        unit_.find_function(c.function.text, c.args.size(), c.function.span);
    if (!group) {
      const prog::Builtin* builtin = find_builtin(c.function.text);
      return builtin && !builtin->side_effect;
    }
    // One that calls itself has the effects of the rest of it.
    auto [known, fresh] = functions_.emplace(group, true);
    if (!fresh) return known->second;
    bool pure = std::all_of(group->overloads.begin(), group->overloads.end(),
                            [&](const auto& overload) { return function(*overload); });
    return functions_[group] = pure;
  }

  bool function(const FunctionInfo& f) {
    bool pure = !f.declaration->embedded || says_pure(*f.declaration->embedded);
    auto own = [&](const std::string& name) { return f.scope.names.count(name) != 0; };
    std::function<void(const ast::Stmt&)> statement = [&](const ast::Stmt& s) {
      pure = pure && !std::holds_alternative<ast::Delete>(s.node) &&
             !std::holds_alternative<ast::EmbeddedStmt>(s.node);
      parts(s, [&](const ast::Expr& e) { pure = pure && expression(e, own); }, statement);
    };
    for (const ast::Stmt* s : f.scope.statements) statement(*s);
    return pure;
  }

  Unit& unit_;
  std::map<const FunctionGroup*, bool> functions_;
};

class Search {
 public:
  Search(Scope& scope, Purity& purity) : scope_(scope), purity_(purity) {}

  void run() {
    std::vector<const ast::Stmt*> candidates;
    std::function<void(const ast::Stmt&)> statement = [&](const ast::Stmt& s) {
      if (std::holds_alternative<ast::ExprStmt>(s.node)) candidates.push_back(&s);
      parts(s, [&](const ast::Expr& e) { count(e, 1); }, statement);
    };
    for (const ast::Stmt* s : scope_.statements) statement(*s);
    // From the last to the first: what one reads is mostly computed above it.
    constexpr int most_rounds = 20;
    bool found = true;
    for (int round = 0; found && round < most_rounds; ++round) {
      found = false;
      for (auto s = candidates.rbegin(); s != candidates.rend(); ++s)
        if (!scope_.unread.count(*s)) found |= look(**s);
    }
  }

 private:
  bool is_unread(const std::string& name) const {
    auto reads = reads_.find(name);
    return is_local(scope_, name) && (reads == reads_.end() || reads->second == 0);
  }

  // Adds the reads of an expression, or takes them away.
  void count(const ast::Expr& e, int by) {
    if (auto* id = std::get_if<ast::Identifier>(&e.node)) reads_[id->name] += by;
    auto* at = std::get_if<ast::AtOperator>(&e.node);
    if (at && at->name == "probewrite") return;
    if (assigned_local(scope_, e)) return count(*std::get<ast::Assign>(e.node).value, by);
    children(e, [&](const ast::Expr& part) { count(part, by); });
  }

  bool look(const ast::Stmt& s) {
    const ast::Expr& e = *std::get<ast::ExprStmt>(s.node).value;
    auto unread = [&](const std::string& name) { return is_unread(name); };
    const std::string* name = assigned_local(scope_, e);
    bool pure = !has_compound(e) && purity_.expression(e, unread);
    if (!pure && (!name || !is_unread(*name))) return false;
    scope_.unread.emplace(&s, pure);
    if (pure) count(e, -1);
    return true;
  }

  // `a += 1` reads what it changes.
  static bool has_compound(const ast::Expr& e) {
    bool found = false;
    walk(e, [&](const ast::Expr& part) {
      auto* assign = std::get_if<ast::Assign>(&part.node);
      found |= (assign && assign->op) || std::holds_alternative<ast::Increment>(part.node);
    });
    return found;
  }

  Scope& scope_;
  Purity& purity_;
  std::map<std::string, int> reads_;  // in statements that somebody wants
};

bool has_effect(const Scope& scope) {
  bool found = false;
  for (const ast::Stmt* s : scope.statements)
    walk(*s, {}, [&](const ast::Stmt& inner) {
      bool acts = std::holds_alternative<ast::ExprStmt>(inner.node) ||
                  std::holds_alternative<ast::Delete>(inner.node) ||
                  std::holds_alternative<ast::EmbeddedStmt>(inner.node);
      found |= acts && !scope.unread.count(&inner);
    });
  return found;
}

// The functions that the scope calls, and those that they call, from statements that somebody wants.
void find_wanted(Unit& unit, const Scope& scope, std::set<const FunctionGroup*>& wanted) {
  std::function<void(const ast::Stmt&)> statement = [&](const ast::Stmt& s) {
    auto unread = scope.unread.find(&s);
    if (unread != scope.unread.end() && unread->second) return;
    parts(
        s,
        [&](const ast::Expr& e) {
          walk(e, [&](const ast::Expr& part) {
            auto* c = std::get_if<ast::Call>(&part.node);
            auto* f = c ? unit.find_function(c->function.text, c->args.size(), c->function.span) : nullptr;
            if (!f || !wanted.insert(f).second) return;
            for (const auto& overload : f->overloads) find_wanted(unit, overload->scope, wanted);
          });
        },
        statement);
  };
  for (const ast::Stmt* s : scope.statements) statement(*s);
}

// Errors that are there only for who reads the value. What a name or a call stands for must be clear.
bool is_of_value(Code code) {
  switch (code) {
    case Code::type_mismatch:
    case Code::unresolved_type:
    case Code::no_variable:
    case Code::no_location:
    case Code::no_member:
    case Code::no_type:
    case Code::no_debuginfo:
    case Code::bad_access:
    case Code::not_allowed_here:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool has_errors_of_value(const Diagnostics& d, size_t mark) {
  bool some = false, all = true;
  for (size_t i = mark; i < d.all().size(); ++i) {
    const Diagnostic& told = d.all()[i];
    if (told.severity == Diagnostic::Severity::warning) continue;
    some = true;
    all = all && is_of_value(told.code);
  }
  return some && all;
}

void find_unread(Unit& unit) {
  Purity purity(unit);
  for (auto& [key, group] : unit.functions)
    for (auto& overload : group->overloads) Search(overload->scope, purity).run();
  bool effect = false;
  for (auto& handler : unit.handlers) {
    Search(handler->scope, purity).run();
    effect |= has_effect(handler->scope);
  }
  if (!effect)
    for (auto& handler : unit.handlers) handler->scope.unread.clear();
  std::set<const FunctionGroup*> wanted;
  for (auto& handler : unit.handlers) find_wanted(unit, handler->scope, wanted);
  for (auto& [key, group] : unit.functions) group->unread = !wanted.count(group.get());
}

prog::Stmt* Lowering::unread_statement(const ast::Stmt& s, bool pure) {
  const ast::Expr& e = *std::get<ast::ExprStmt>(s.node).value;
  size_t mark = diagnostics().mark();
  size_t kept = entry_values_ ? entry_values_->size() : 0;
  prog::Expr* value = any(e);
  auto* file = home(s.span);
  if (!has_errors_of_value(diagnostics(), mark)) {
    if (!pure || !file || !file->in_library()) return program().stmt(s.span, prog::ExprStmt{value});
    if (entry_values_) entry_values_->resize(kept);
    return program().stmt(s.span, prog::BlockStmt{});
  }
  auto wrong = diagnostics().rewind(mark);
  if (entry_values_) entry_values_->resize(kept);
  const std::string* name = assigned_local(scope_, e);
  // Once, however many points the probe has.
  if (unit_.left_out.insert(&s).second && file && !file->in_library()) {
    auto& warning = diagnostics().warning(
        Code::unused, e.span,
        name ? fmt::format("'{}' is given a value and never read: this is wrong, and is left out", *name)
             : "this has no effect: it is wrong, and is left out");
    for (const Diagnostic& d : wrong) {
      warning.note(d.text, d.span);
      warning.notes.insert(warning.notes.end(), d.notes.begin(), d.notes.end());
    }
  }
  if (pure || !name) return program().stmt(s.span, prog::BlockStmt{});
  return program().stmt(s.span, prog::ExprStmt{any(*std::get<ast::Assign>(e.node).value)});
}

}  // namespace stp::sema
