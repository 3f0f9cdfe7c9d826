// A handler is light when all it does is to count, and guarded when it has no more than numbers,
// which cannot go wrong: no memory of the probed code, no arrays, no loops, no functions of the script, no
// output; and no strings, but to compare what is there already (`execname() == "sshd"`), which is short. Then it
// needs neither a context nor a budget: it is as long as its text.
//
// Of a statistic with @min, @max or @variance an interrupt must not find a part half done; and a function of
// the kernel may itself be probed. Either makes a handler guarded.
#include "optimize/weight.h"

#include <algorithm>
#include <iterator>

#include "support/overloaded.h"
#include "types/location.h"

namespace stp {
namespace {

using namespace prog;

class Weighing {
 public:
  explicit Weighing(const Program& program) : program_(program) {}

  void statement(const Stmt* s) {
    if (!s) return;
    ++statements_;
    std::visit(Overloaded{
                   [&](const BlockStmt& b) {
                     for (const Stmt* each : b.statements) statement(each);
                   },
                   [&](const IfStmt& i) {
                     value(i.condition);
                     statement(i.then);
                     statement(i.otherwise);
                   },
                   [&](const ExprStmt& e) { effect(e.value); },
                   [](const NextStmt&) {},
                   [&](const auto&) { heavy(); },
               },
               s->node);
  }

  void value(const Expr* e) {
    if (e->type == Type::string) return text(e);
    std::visit(Overloaded{
                   [](const NumberConst&) {},
                   [](const LocalRef&) {},
                   [](const EntryExpr&) {},
                   [](const RegisterBitsExpr&) {},
                   [&](const GlobalRef& g) {
                     if (program_.globals[g.index].counter) heavy();
                   },
                   [&](const BuiltinCall& c) { builtin(*c.builtin); },
                   [&](const UnaryExpr& u) { value(u.operand); },
                   [&](const BinaryExpr& b) { binary(b); },
                   [&](const RegexExpr& r) {
                     text(r.text);
                     if (program_.keeps_match) heavy();
                   },
                   [&](const TernaryExpr& t) {
                     value(t.condition);
                     value(t.then);
                     value(t.otherwise);
                   },
                   [&](const NarrowExpr& n) { value(n.operand); },
                   [&](const LocExpr& l) { location(l.loc); },
                   [&](const auto&) { heavy(); },
               },
               e->node);
  }

  Weight result() const {
    return statements_ > program_.limits.actions ? Weight::full : weight_;
  }

  void no_lighter_than(Weight weight) { weight_ = std::min(weight_, weight); }

 private:
  void text(const Expr* e) {
    no_lighter_than(Weight::guarded);
    if (std::holds_alternative<StringConst>(e->node)) return;
    auto* call = std::get_if<BuiltinCall>(&e->node);
    if (!call || !call->builtin->borrows) return heavy();
    builtin(*call->builtin);
  }

  void heavy() { no_lighter_than(Weight::full); }

  void effect(const Expr* e) {
    if (auto* a = std::get_if<AccumulateExpr>(&e->node)) {
      // Of an array: it may be full.
      auto* global = std::get_if<GlobalRef>(&a->target->node);
      if (!global) return heavy();
      if (!program_.globals[global->index].shape.counted) no_lighter_than(Weight::guarded);
      return value(a->value);
    }
    if (auto* i = std::get_if<IncrementExpr>(&e->node)) return changed(i->target);
    auto* a = std::get_if<AssignExpr>(&e->node);
    if (!a || e->type == Type::string) return value(e);
    changed(a->target);
    // `a /= 0`, and what else C has no operator for.
    if (a->op && a->op != ast::BinaryOp::add && a->op != ast::BinaryOp::sub) heavy();
    value(a->value);
  }

  void changed(const Expr* target) {
    if (std::holds_alternative<LocalRef>(target->node)) return;
    auto* g = std::get_if<GlobalRef>(&target->node);
    if (!g || !program_.globals[g->index].counter) heavy();
  }

  void builtin(const Builtin& b) {
    if (!b.of_hit || !b.args.empty()) return heavy();
    if (!b.leaf) no_lighter_than(Weight::guarded);
  }

  void binary(const BinaryExpr& b) {
    value(b.left);
    value(b.right);
    if (b.op != ast::BinaryOp::div && b.op != ast::BinaryOp::mod) return;
    auto* n = std::get_if<NumberConst>(&b.right->node);
    if (!n || n->value <= 0) heavy();
  }

  // Memory may not be there, also that of a thread, a divisor may be 0, and a caller unknown.
  void location(const types::LocPtr& loc) {
    using types::LocOp;
    if (!loc) return;
    constexpr LocOp uncertain[] = {LocOp::deref, LocOp::div, LocOp::mod, LocOp::thread, LocOp::by_caller};
    if (std::find(std::begin(uncertain), std::end(uncertain), loc->op) != std::end(uncertain))
      heavy();
    for (const types::LocPtr& arg : loc->args) location(arg);
  }

  const Program& program_;
  Weight weight_ = Weight::light;
  size_t statements_ = 0;
};

}  // namespace

Weight weight_of(const Probe& probe, const Program& program) {
  // begin, end and error probes run once, and may sleep.
  if (!probe.locks.empty() || !probe.gates.empty() || probe.alone || !probe.body) return Weight::full;
  // A text has its place in the handler's frame, also one that only a branch names that was not taken.
  for (const Local& local : probe.locals)
    if (local.type == Type::string) return Weight::full;
  Weighing weighing(program);
  if (program.timing) weighing.no_lighter_than(Weight::guarded);  // times are kept by CPU
  weighing.statement(probe.body);
  for (const Expr* e : probe.entry_values) weighing.value(e);
  return weighing.result();
}

}  // namespace stp
