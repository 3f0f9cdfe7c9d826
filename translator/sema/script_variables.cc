// Local variables that a probe point gives a value to, as an alias does: name, argstr and the parameters
// of syscall.NAME. What a handler does not name is not computed.
#include "sema/builtins.h"
#include "sema/handlers.h"
#include "sema/lower.h"

namespace stp::sema {

using probes::ScriptVariable;
using prog::Expr;
using prog::Type;
using From = ScriptVariable::From;

namespace {

bool is_parameter(const ScriptVariable& v) { return v.from != From::builtin; }

template <typename Use>
void each_named(const PendingProbe& pending, Use use) {
  const Scope& scope = pending.handler->scope;
  for (const ExpandedPoint& point : pending.points)
    for (const probes::Found& found : point.found)
      for (const ScriptVariable& v : found.surroundings.script_variables)
        if (auto local = scope.names.find(v.name); local != scope.names.end()) use(v, local->second);
}

}  // namespace

Type type_of(const ScriptVariable& v) {
  if (v.from == From::builtin) return find_builtin(v.of)->result;
  return v.from == From::parameter ? Type::number : Type::string;
}

void declare_script_variables(Unit&, const std::vector<PendingProbe>& probes) {
  for (const PendingProbe& pending : probes) {
    Scope& scope = pending.handler->scope;
    each_named(pending, [&](const ScriptVariable& v, size_t local) {
      if (scope.locals[local].type == Type::none) {
        scope.locals[local].type = type_of(v);
        scope.told[local] = pending.declaration->span;
      }
      scope.assigned[local] = true;
    });
  }
}

void collect_counters(Unit& unit, const std::vector<PendingProbe>& probes) {
  for (const PendingProbe& pending : probes)
    for (const ExpandedPoint& point : pending.points)
      for (const probes::Found& found : point.found)
        if (const std::string& name = found.point.counter; !name.empty() && !unit.counters.insert(name).second)
          unit.diagnostics->error(Code::duplicate, point.written->span,
                                  "two counters are called '" + name + "'");
}

bool names_parameters(const PendingProbe& pending) {
  bool found = false;
  each_named(pending, [&](const ScriptVariable& v, size_t) { found |= is_parameter(v); });
  return found;
}

Expr* Lowering::parameter(const std::string& name, const Span& span) {
  ast::Target t{};
  t.kind = ast::Target::Kind::variable;
  t.name = name;
  return target(t, span);
}

// What the point gives, of what the handler names.
std::vector<prog::Stmt*> Lowering::script_variables(const Span& span) {
  std::vector<prog::Stmt*> assignments;
  if (!surroundings_) return assignments;
  auto call = [&](const std::string& name, std::vector<Expr*> args) {
    const prog::Builtin* b = find_builtin(name);
    return program().expr(b->result, span, prog::BuiltinCall{b, std::move(args)});
  };
  for (const ScriptVariable& v : surroundings_->script_variables) {
    auto local = scope_.names.find(v.name);
    // Of several points those count that agree with the first.
    if (local == scope_.names.end() || scope_.locals[local->second].type != type_of(v)) continue;
    Expr* value = nullptr;
    if (v.from == From::builtin)
      value = call(v.of, {});
    else if (v.from == From::parameter)
      value = parameter(v.of, span);
    else
      value = call("__stp_syscall_text",
                   {parameter(v.of, span), v.count.empty() ? constant(-1, span) : parameter(v.count, span),
                    constant(v.from == From::quoted, span)});
    Expr* to = program().expr(value->type, span, prog::LocalRef{local->second});
    Expr* assigned = program().expr(value->type, span, prog::AssignExpr{std::nullopt, to, value});
    assignments.push_back(program().stmt(span, prog::ExprStmt{assigned}));
  }
  return assignments;
}

}  // namespace stp::sema
