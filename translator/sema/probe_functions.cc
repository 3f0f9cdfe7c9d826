// Functions that name variables of the probed code (stap(1), PROBES): each probe that calls one has a
// copy of its own, lowered as if it stood in the handler. What the variables are is known there alone.
#include <fmt/format.h>

#include <utility>

#include "sema/dump.h"
#include "sema/lower.h"
#include "sema/visit.h"

namespace stp::sema {
namespace {

bool needs_place(const ast::Expr& e) {
  if (auto* t = std::get_if<ast::Target>(&e.node)) return t->kind == ast::Target::Kind::variable;
  auto* a = std::get_if<ast::AtOperator>(&e.node);
  return a && (a->name == "entry" || a->name == "kregister");
}

}  // namespace

bool calls_probe_functions(Unit& unit, const std::vector<const ast::Stmt*>& statements) {
  bool found = false;
  for (const ast::Stmt* s : statements)
    walk(*s, [&](const ast::Expr& e) {
      auto* c = std::get_if<ast::Call>(&e.node);
      auto* f = c ? unit.find_function(c->function.text, c->args.size(), c->function.span) : nullptr;
      found |= f && f->of_probes;
    });
  return found;
}

void find_probe_functions(Unit& unit) {
  for (bool grown = true; grown;) {
    grown = false;
    for (auto& [key, group] : unit.functions) {
      // One of several overloads would need a copy of all that choose between them.
      if (group->of_probes || group->dispatches) continue;
      const auto& statements = group->overloads.front()->scope.statements;
      bool names = calls_probe_functions(unit, statements);
      for (const ast::Stmt* s : statements)
        walk(*s, [&](const ast::Expr& e) { names |= needs_place(e); });
      group->of_probes = names;
      grown |= names;
    }
  }
}

size_t Lowering::function_of_probe(const FunctionGroup& group, const Span& span) {
  FunctionInfo& info = *group.overloads.front();
  std::pair key{&group, at_entry_};
  if (auto known = probe_functions_->indices.find(key); known != probe_functions_->indices.end())
    return known->second;
  // The first probe has the function itself.
  size_t index = std::exchange(info.taken, true) ? program().functions.size() : info.index;
  probe_functions_->indices[key] = index;
  if (index != info.index) {
    program().functions.push_back(program().functions[info.index]);
    unit_.copies.emplace_back(index, info.index);
  }
  size_t mark = diagnostics().mark();
  Scope scope = info.scope;
  for (size_t i = 0; i < scope.params; ++i)
    if (scope.locals[i].type == prog::Type::none) scope.locals[i].type = group.params[i];
  Lowering inner(unit_, scope, surroundings_, provider_, entry_values_, guru_);
  inner.probe_functions_ = probe_functions_;
  inner.at_entry_ = at_entry_;
  prog::Stmt* body = inner.statements(scope.statements);
  diagnostics().note_since(mark, fmt::format("{}() is called here", group.name), span);
  prog::Function& function = program().functions[index];
  function.body = body;
  function.result = group.result;
  function.locals = scope.locals;
  return index;
}

}  // namespace stp::sema
