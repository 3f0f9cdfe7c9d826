// Handlers: which statements make one up, and how many variants of it there must be.
//
// A handler on a thousand functions is one body with a thousand points, unless it names variables
// of the probed code: those lie in different places, so it is lowered once for each point, and what
// comes out alike is put together again.
#include "sema/handlers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "sema/dump.h"
#include "sema/lower.h"
#include "sema/visit.h"
#include "support/overloaded.h"

namespace stp::sema {
namespace {

using prog::Type;

bool names_target(const ast::Expr& e) {
  return std::holds_alternative<ast::Target>(e.node) || std::holds_alternative<ast::Cast>(e.node) ||
         std::holds_alternative<ast::Dereference>(e.node) ||
         std::holds_alternative<ast::AtOperator>(e.node);
}

// The name that the account uses: the first point as it was written.
std::string written_name(const ExpandedPoint& p) { return probes::spell(p.written->components); }

// Whether the value is of globals, constants and operators alone: it changes when a handler writes one of
// them, and at no other time.
bool of_globals(const prog::Expr* e) {
  auto all = [](const std::vector<prog::Expr*>& list) {
    return std::all_of(list.begin(), list.end(), of_globals);
  };
  return std::visit(
      Overloaded{
          [](const prog::NumberConst&) { return true; },
          [](const prog::StringConst&) { return true; },
          [](const prog::GlobalRef&) { return true; },
          [&](const prog::ElementRef& r) { return all(r.keys); },
          [&](const prog::InExpr& i) { return all(i.keys); },
          [](const prog::UnaryExpr& u) { return of_globals(u.operand); },
          [](const prog::BinaryExpr& b) { return of_globals(b.left) && of_globals(b.right); },
          [](const prog::TernaryExpr& t) {
            return of_globals(t.condition) && of_globals(t.then) && of_globals(t.otherwise);
          },
          [](const prog::AggregateExpr& a) { return of_globals(a.operand); },
          [](const auto&) { return false; },
      },
      e->node);
}

// `if (!condition) next` in front of the handler. Points are armed and disarmed a little later than the
// condition changes; and not all conditions arm.
prog::Stmt* guarded(prog::Program& program, const std::vector<prog::Expr*>& conditions,
                    prog::Stmt* body) {
  prog::BlockStmt block;
  for (prog::Expr* condition : conditions) {
    auto* next = program.stmt(condition->span, prog::NextStmt{});
    auto* off = program.expr(Type::number, condition->span,
                             prog::UnaryExpr{ast::UnaryOp::logical_not, condition});
    block.statements.push_back(program.stmt(condition->span, prog::IfStmt{off, next, nullptr}));
  }
  block.statements.push_back(body);
  return program.stmt(body->span, std::move(block));
}

// Points that are armed as long as the session runs: their condition is asked at each hit alone.
bool stays_armed(prog::PointKind kind) {
  return kind == prog::PointKind::netfilter || kind == prog::PointKind::procfs ||
         kind == prog::PointKind::standard_input;
}

struct Variant {
  prog::Probe probe;
  std::string text;  // what it does, to compare
  ProbeFunctions functions = {};
  std::string given = {};  // the functions that its points give locals the values of
};

std::string given_by(const probes::Found& found) {
  std::string functions;
  for (const probes::ScriptVariable& v : found.surroundings.script_variables)
    if (v.from == probes::ScriptVariable::From::builtin) functions += v.of + " ";
  return functions;
}

class ProbeLowering {
 public:
  ProbeLowering(Unit& unit, const PendingProbe& pending, const Context& context)
      : unit_(unit), pending_(pending), context_(context) {}

  void run() {
    const auto& statements = pending_.handler->scope.statements;
    targets_ = has_targets(statements) || calls_probe_functions(unit_, statements) ||
               names_parameters(pending_);
    for (const ExpandedPoint& p : pending_.points)
      for (const probes::Found& found : p.found) add(p, found);
    for (Variant& v : variants_) {
      for (const auto& [key, index] : v.functions.indices)
        if (!v.probe.entry_values.empty())
          unit_.program->functions[index].of_probe = unit_.program->probes.size();
      unit_.program->probes.push_back(std::move(v.probe));
    }
  }

 private:
  void add(const ExpandedPoint& p, probes::Found found) {
    // A tracepoint is told by its name, not by an address.
    if (found.surroundings.provider && found.point.kind != prog::PointKind::tracepoint)
      found.point.section = unit_.section_of(*found.surroundings.provider, found.point.address);
    found.point.gate = gate_;
    if (found.point.kind == prog::PointKind::never) {
      // It is checked like any other, and never made.
      if (variants_.empty()) lower(p, found);
      return;
    }
    // Without variables of the probed code all points have one body, but those of returns
    // (which run an entry handler) and the rest stay apart.
    if (!targets_)
      for (Variant& v : variants_)
        if (v.probe.points.front().kind == found.point.kind && v.given == given_by(found)) {
          v.probe.points.push_back(found.point);
          return;
        }
    if (failed_) return;
    size_t errors = unit_.diagnostics->errors(), functions = unit_.program->functions.size();
    Variant made = lower(p, found);
    // The next point would most likely repeat the errors.
    failed_ = unit_.diagnostics->errors() != errors;
    for (Variant& v : variants_)
      if (v.text == made.text && v.probe.points.front().kind == found.point.kind) {
        v.probe.points.push_back(found.point);
        unit_.program->functions.resize(functions);
        while (!unit_.copies.empty() && unit_.copies.back().first >= functions) unit_.copies.pop_back();
        return;
      }
    made.given = given_by(found);
    made.probe.points.push_back(found.point);
    variants_.push_back(std::move(made));
  }

  // All points of this probe have the same conditions.
  void set_gate(const std::vector<prog::Expr*>& conditions, prog::Point& point) {
    if (stays_armed(point.kind)) return;
    if (!gate_ && !conditions.empty() &&
        std::all_of(conditions.begin(), conditions.end(), of_globals)) {
      prog::Program& program = *unit_.program;
      prog::Expr* all = conditions.front();
      for (size_t i = 1; i < conditions.size(); ++i)
        all = program.expr(Type::number, all->span,
                           prog::BinaryExpr{ast::BinaryOp::logical_and, all, conditions[i]});
      program.gates.push_back({all->span, all});
      gate_ = static_cast<uint32_t>(program.gates.size());
    }
    point.gate = gate_;
  }

  Variant lower(const ExpandedPoint& p, probes::Found& found) {
    Variant v;
    v.probe.span = pending_.declaration->span;
    v.probe.name = written_name(p);
    const types::Provider* provider = nullptr;
    if (targets_)
      provider = found.surroundings.provider ? found.surroundings.provider
                                             : context_.sources.kernel(*unit_.diagnostics);
    // Each variant has its own locals: entry values may differ in number.
    Scope scope = pending_.handler->scope;
    Lowering lowering(unit_, scope, &found.surroundings, provider, &v.probe.entry_values,
                      context_.guru);
    if (!p.prologues.empty() || !p.epilogues.empty()) lowering.set_handler(pending_.declaration->body);
    lowering.set_probe_functions(&v.functions);
    std::vector<prog::Expr*> conditions;
    for (const ast::Expr* condition : p.conditions)
      conditions.push_back(lowering.condition(*condition));
    prog::Stmt* body = lowering.statements(scope.statements);
    body = with_script_variables(lowering.script_variables(v.probe.span), body);
    v.probe.body = conditions.empty() ? body : guarded(*unit_.program, conditions, body);
    set_gate(conditions, found.point);
    v.probe.locals = scope.locals;
    if (!targets_) return v;
    v.text = dump_handler(*unit_.program, v.probe);
    for (const auto& [key, index] : v.functions.indices)
      v.text += dump_function(*unit_.program, unit_.program->functions[index]);
    return v;
  }

  prog::Stmt* with_script_variables(std::vector<prog::Stmt*> assignments, prog::Stmt* body) {
    if (assignments.empty()) return body;
    assignments.push_back(body);
    return unit_.program->stmt(body->span, prog::BlockStmt{std::move(assignments)});
  }

  Unit& unit_;
  const PendingProbe& pending_;
  const Context& context_;
  bool targets_ = false, failed_ = false;
  uint32_t gate_ = 0;  // as in Point
  std::vector<Variant> variants_;
};

// A file is answered by one probe, and is no folder.
void check_files(const std::vector<PendingProbe>& pending, Diagnostics& d) {
  std::vector<const prog::Point*> files;
  auto add = [&](const prog::Point& point, const ExpandedPoint& p) {
    for (const prog::Point* other : files) {
      if (other->symbol == point.symbol && !point.number && !other->number)
        d.error(Code::duplicate, p.written->span,
                fmt::format("procfs file '{}' has a read probe already", point.symbol));
      else if (other->symbol.starts_with(point.symbol + "/") || point.symbol.starts_with(other->symbol + "/"))
        d.error(Code::duplicate, p.written->span,
                fmt::format("procfs file '{}' cannot stand beside '{}': one of them is a folder",
                            point.symbol, other->symbol));
      else
        continue;
      return;
    }
    files.push_back(&point);
  };
  for (const PendingProbe& probe : pending)
    for (const ExpandedPoint& p : probe.points)
      for (const probes::Found& found : p.found)
        if (found.point.kind == prog::PointKind::procfs) add(found.point, p);
}

}  // namespace

bool has_targets(const std::vector<const ast::Stmt*>& statements) {
  bool found = false;
  for (const ast::Stmt* s : statements)
    walk(*s, [&](const ast::Expr& e) { found |= names_target(e); });
  return found;
}

std::vector<PendingProbe> collect_probes(Unit& unit, const ast::File& script,
                                         const Context& context) {
  std::vector<PendingProbe> pending;
  for (const auto& declaration : script.declarations) {
    auto* probe = std::get_if<ast::Probe*>(&declaration);
    if (!probe) continue;
    // Points that come through different aliases have different statements around the handler.
    std::map<std::vector<const void*>, size_t> by_body;
    for (ExpandedPoint& p : expand((*probe)->points, context, *unit.diagnostics)) {
      std::vector<const void*> key;
      for (auto* s : p.prologues) key.push_back(s);
      key.push_back(nullptr);
      for (auto* s : p.epilogues) key.push_back(s);
      key.push_back(nullptr);
      for (auto* c : p.conditions) key.push_back(c);
      auto [at, fresh] = by_body.emplace(key, pending.size());
      if (fresh) {
        auto handler = std::make_unique<HandlerInfo>();
        handler->declaration = *probe;
        auto& statements = handler->scope.statements;
        statements = p.prologues;
        if ((*probe)->body) statements.push_back((*probe)->body);
        statements.insert(statements.end(), p.epilogues.begin(), p.epilogues.end());
        pending.push_back({*probe, {}, handler.get()});
        unit.handlers.push_back(std::move(handler));
      }
      for (const probes::Found& found : p.found)
        pending[at->second].handler->scope.has_text |= found.surroundings.has_text();
      pending[at->second].points.push_back(std::move(p));
    }
  }
  check_files(pending, *unit.diagnostics);
  return pending;
}

void lower_probes(Unit& unit, const std::vector<PendingProbe>& pending, const Context& context) {
  for (const PendingProbe& p : pending) ProbeLowering(unit, p, context).run();
}

}  // namespace stp::sema
