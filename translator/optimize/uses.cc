// A walk over each body, then the closure over calls: functions may call each other in circles, so
// the sets grow until none does.
#include "optimize/uses.h"

#include <map>

#include "support/overloaded.h"
#include "types/location.h"

namespace stp {
namespace {

using namespace prog;

// DWARF numbers of the registers that hold arguments, and the stack pointer: System V x86-64 ABI,
// figure 3.36. An ftrace handler without full registers sees these.
constexpr int kept_at_entry[] = {5, 4, 1, 2, 8, 9, 7};

bool is_kept(int64_t reg) {
  for (int kept : kept_at_entry)
    if (kept == reg) return true;
  return false;
}

class Walk {
 public:
  Walk(Uses& uses, std::set<size_t>& calls, bool in_function = false)
      : uses_(uses), calls_(calls), in_function_(in_function) {}

  void statement(const Stmt* s) {
    if (!s) return;
    std::visit(Overloaded{
                   [&](const BlockStmt& b) {
                     for (const Stmt* each : b.statements) statement(each);
                   },
                   [&](const IfStmt& i) {
                     value(i.condition);
                     statement(i.then);
                     statement(i.otherwise);
                   },
                   [&](const LoopStmt& l) {
                     value(l.init);
                     value(l.condition);
                     value(l.step);
                     statement(l.body);
                   },
                   [&](const ForeachStmt& f) {
                     uses_.read.insert(f.global);
                     // Sorting keeps its order in the array itself: two walks must not share it.
                     uses_.written.insert(f.global);
                     walks_[f.id] = f.global;
                     if (f.sort_by) uses_.asked.emplace(f.global, *f.sort_by);
                     values(f.slice);
                     value(f.limit);
                     statement(f.body);
                   },
                   [&](const ExprStmt& e) {
                     if (!adds(e.value)) value(e.value);
                   },
                   [&](const ReturnStmt& r) { value(r.value); },
                   [&](const DeleteStmt& d) { target(d.target); },
                   [&](const DeleteSliceStmt& d) {
                     uses_.written.insert(d.global);
                     values(d.slice);
                   },
                   [&](const TryStmt& t) {
                     statement(t.body);
                     statement(t.handler);
                   },
                   [&](const OverloadStmt& o) { values(o.calls); },
                   [&](const EmbeddedStmt& e) { embedded(e.c); },
                   [](const auto&) {},
               },
               s->node);
  }

  void value(const Expr* e) {
    if (!e) return;
    std::visit(Overloaded{
                   [&](const GlobalRef& g) { uses_.read.insert(g.index); },
                   [&](const ElementRef& r) {
                     uses_.read.insert(r.global);
                     values(r.keys);
                   },
                   [&](const CallExpr& c) {
                     calls_.insert(c.function);
                     values(c.args);
                   },
                   [&](const BuiltinCall& c) {
                     uses_.all_registers |= c.builtin->needs_registers;
                     values(c.args);
                   },
                   [&](const UnaryExpr& u) { value(u.operand); },
                   [&](const BinaryExpr& b) {
                     value(b.left);
                     value(b.right);
                   },
                   [&](const TernaryExpr& t) {
                     value(t.condition);
                     value(t.then);
                     value(t.otherwise);
                   },
                   [&](const InExpr& i) {
                     uses_.read.insert(i.global);
                     values(i.keys);
                   },
                   [&](const RegexExpr& r) { value(r.text); },
                   [&](const AssignExpr& a) {
                     target(a.target);
                     if (a.op) value(a.target);
                     value(a.value);
                   },
                   [&](const IncrementExpr& i) {
                     target(i.target);
                     value(i.target);
                   },
                   [&](const AccumulateExpr& a) {
                     accumulate(a.target);
                     value(a.value);
                   },
                   [&](const AggregateExpr& a) {
                     value(a.operand);
                     if (auto* g = std::get_if<GlobalRef>(&a.operand->node)) uses_.asked.emplace(g->index, a.op);
                     if (auto* r = std::get_if<ElementRef>(&a.operand->node)) uses_.asked.emplace(r->global, a.op);
                     if (auto* w = std::get_if<WalkValueRef>(&a.operand->node))
                       uses_.asked.emplace(walks_.at(w->foreach_id), a.op);
                   },
                   [&](const HistogramExpr& h) { value(h.operand); },
                   [&](const BucketExpr& b) {
                     value(b.operand);
                     value(b.index);
                   },
                   [&](const PrintExpr& p) { values(p.args); },
                   [&](const LocExpr& l) {
                     uses_.target = true;
                     location(l.loc);
                   },
                   [&](const LoadExpr& l) { value(l.address); },
                   [&](const NarrowExpr& n) { value(n.operand); },
                   [&](const RegisterBitsExpr& r) {
                     uses_.target = true;
                     location(types::loc_reg(static_cast<int>(r.dwarf_register)));
                   },
                   [&](const EmbeddedCExpr& c) { embedded(c.c); },
                   [](const auto&) {},
               },
               e->node);
  }

  void embedded(const EmbeddedC& c) {
    // The C may do anything with the registers.
    uses_.target = uses_.all_registers = true;
    for (const GlobalUse& use : c.globals) {
      if (use.read) uses_.read.insert(use.global);
      if (use.write) uses_.written.insert(use.global);
    }
  }

 private:
  void values(const std::vector<Expr*>& list) {
    for (const Expr* e : list) value(e);
  }

  // A statement that adds to a number, and leaves nothing that depends on what it was.
  bool adds(const Expr* e) {
    const Expr *to = nullptr, *more = nullptr;
    if (auto* i = std::get_if<IncrementExpr>(&e->node)) {
      to = i->target;
    } else if (auto* a = std::get_if<AssignExpr>(&e->node)) {
      if (a->op != ast::BinaryOp::add && a->op != ast::BinaryOp::sub) return false;
      to = a->target;
      more = a->value;
    }
    auto* g = to ? std::get_if<GlobalRef>(&to->node) : nullptr;
    if (in_function_ || !g) return false;
    uses_.added.insert(g->index);
    value(more);
    return true;
  }

  void target(const Expr* e) {
    if (auto* g = std::get_if<GlobalRef>(&e->node)) {
      uses_.written.insert(g->index);
    } else if (auto* r = std::get_if<ElementRef>(&e->node)) {
      uses_.written.insert(r->global);
      values(r->keys);
    } else {
      // What is written to a register must come back from where all of them are saved.
      uses_.all_registers |= !std::holds_alternative<LoadExpr>(e->node) &&
                             !std::holds_alternative<LocalRef>(e->node) &&
                             !std::holds_alternative<TextRef>(e->node);
      value(e);
    }
  }

  void accumulate(const Expr* e) {
    if (auto* g = std::get_if<GlobalRef>(&e->node))
      uses_.accumulated.insert(g->index);
    else
      target(e);
  }

  void location(const types::LocPtr& loc) {
    if (!loc) return;
    if (loc->op == types::LocOp::reg && !is_kept(loc->value)) uses_.all_registers = true;
    for (const types::LocPtr& arg : loc->args) location(arg);
  }

  Uses& uses_;
  std::set<size_t>& calls_;
  bool in_function_;
  std::map<size_t, size_t> walks_;  // the global that each foreach goes over
};

// True when `to` grew.
bool add(Uses& to, const Uses& from) {
  auto size = [&] {
    return to.read.size() + to.written.size() + to.accumulated.size() + to.asked.size() + to.all_registers;
  };
  size_t before = size();
  to.read.insert(from.read.begin(), from.read.end());
  to.written.insert(from.written.begin(), from.written.end());
  to.accumulated.insert(from.accumulated.begin(), from.accumulated.end());
  to.asked.insert(from.asked.begin(), from.asked.end());
  to.all_registers |= from.all_registers;
  return size() != before;
}

}  // namespace

std::vector<Uses> function_uses(const Program& program) {
  std::vector<Uses> uses(program.functions.size());
  std::vector<std::set<size_t>> calls(program.functions.size());
  for (size_t i = 0; i < uses.size(); ++i) {
    Walk walk(uses[i], calls[i], true);
    if (const auto& c = program.functions[i].embedded) walk.embedded(*c);
    walk.statement(program.functions[i].body);
  }
  for (bool grown = true; grown;) {
    grown = false;
    for (size_t i = 0; i < uses.size(); ++i)
      for (size_t callee : calls[i])
        if (callee != i) grown |= add(uses[i], uses[callee]);
  }
  return uses;
}

Uses value_uses(const Expr* e) {
  Uses uses;
  std::set<size_t> calls;
  Walk(uses, calls).value(e);
  return uses;
}

Uses probe_uses(const Probe& probe, const std::vector<Uses>& functions) {
  Uses uses = entry_uses(probe, functions);
  std::set<size_t> calls;
  Walk(uses, calls).statement(probe.body);
  for (size_t function : calls) add(uses, functions[function]);
  return uses;
}

Uses entry_uses(const Probe& probe, const std::vector<Uses>& functions) {
  Uses uses;
  std::set<size_t> calls;
  Walk walk(uses, calls);
  for (const Expr* e : probe.entry_values) walk.value(e);
  for (size_t function : calls) add(uses, functions[function]);
  return uses;
}

}  // namespace stp
