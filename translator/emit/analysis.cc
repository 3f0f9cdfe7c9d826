// What emit asks about a Program beyond one expression: effects, what can stay borrowed, how deep
// frames and walks nest.
#include <algorithm>
#include <functional>
#include <set>

#include "emit/body.h"
#include "support/overloaded.h"

namespace stp::emit_c {

using namespace prog;

namespace {

// Calls `expression` for every expression and `statement` for every statement below, outermost
// first. Either returns false to go no deeper.
struct Visit {
  std::function<void(const Expr*)> expression = [](const Expr*) {};
  std::function<void(const ForeachStmt&, bool entered)> walk = [](const ForeachStmt&, bool) {};

  void operator()(const std::vector<Expr*>& list) const {
    for (const Expr* e : list) (*this)(e);
  }

  void operator()(const Expr* e) const {
    if (!e) return;
    expression(e);
    const Visit& in = *this;
    std::visit(Overloaded{
                   [&](const ElementRef& r) { in(r.keys); },
                   [&](const CallExpr& c) { in(c.args); },
                   [&](const BuiltinCall& c) { in(c.args); },
                   [&](const UnaryExpr& u) { in(u.operand); },
                   [&](const BinaryExpr& o) { in(o.left), in(o.right); },
                   [&](const TernaryExpr& t) { in(t.condition), in(t.then), in(t.otherwise); },
                   [&](const InExpr& i) { in(i.keys); },
                   [&](const RegexExpr& r) { in(r.text); },
                   [&](const AssignExpr& a) { in(a.target), in(a.value); },
                   [&](const IncrementExpr& i) { in(i.target); },
                   [&](const AccumulateExpr& a) { in(a.target), in(a.value); },
                   [&](const AggregateExpr& a) { in(a.operand); },
                   [&](const HistogramExpr& h) { in(h.operand); },
                   [&](const BucketExpr& k) { in(k.operand), in(k.index); },
                   [&](const PrintExpr& p) { in(p.args); },
                   [&](const LoadExpr& l) { in(l.address); },
                   [&](const NarrowExpr& n) { in(n.operand); },
                   [](const auto&) {},
               },
               e->node);
  }

  void operator()(const Stmt* s) const {
    if (!s) return;
    const Visit& in = *this;
    std::visit(Overloaded{
                   [&](const BlockStmt& b) {
                     for (const Stmt* each : b.statements) in(each);
                   },
                   [&](const IfStmt& i) { in(i.condition), in(i.then), in(i.otherwise); },
                   [&](const LoopStmt& l) { in(l.init), in(l.condition), in(l.step), in(l.body); },
                   [&](const ForeachStmt& f) {
                     in(f.slice), in(f.limit);
                     walk(f, true);
                     in(f.body);
                     walk(f, false);
                   },
                   [&](const ExprStmt& e) { in(e.value); },
                   [&](const ReturnStmt& r) { in(r.value); },
                   [&](const DeleteStmt& d) { in(d.target); },
                   [&](const DeleteSliceStmt& d) {
                     in(d.slice);
                     // It walks the array as a foreach does.
                     ForeachStmt as_walk{};
                     as_walk.global = d.global;
                     walk(as_walk, true), walk(as_walk, false);
                   },
                   [&](const TryStmt& t) { in(t.body), in(t.handler); },
                   [&](const OverloadStmt& o) { in(o.calls); },
                   [](const auto&) {},
               },
               s->node);
  }
};

// The local that an expression assigns to, or none.
const LocalRef* assigned_local(const Expr* e) {
  if (auto* a = std::get_if<AssignExpr>(&e->node)) return std::get_if<LocalRef>(&a->target->node);
  return nullptr;
}

bool assigns_local(const Stmt* s, size_t index) {
  bool found = false;
  Visit visit;
  visit.expression = [&](const Expr* e) {
    const LocalRef* local = assigned_local(e);
    found |= local && local->index == index;
  };
  visit.walk = [&](const ForeachStmt& f, bool) {
    found |= f.value == index || std::count(f.keys.begin(), f.keys.end(), index) > 0;
  };
  visit(s);
  return found;
}

bool writes_local_otherwise(const Stmt* s, size_t index) {
  if (!s) return false;
  auto in = [&](const Stmt* inner) { return writes_local_otherwise(inner, index); };
  return std::visit(
      Overloaded{
          [&](const BlockStmt& b) {
            return std::any_of(b.statements.begin(), b.statements.end(), in);
          },
          [&](const IfStmt& i) { return in(i.then) || in(i.otherwise); },
          [&](const LoopStmt& l) { return in(l.body); },
          [&](const ForeachStmt& f) { return in(f.body); },
          [&](const DeleteStmt& d) {
            auto* local = std::get_if<LocalRef>(&d.target->node);
            return local && local->index == index;
          },
          [&](const TryStmt& t) { return t.message == index || in(t.body) || in(t.handler); },
          [](const auto&) { return false; },
      },
      s->node);
}

// What the runtime runs of a script: handlers, what they keep at entries, conditions of points.
template <typename Seen>
void each_root(const Program& program, Seen seen) {
  for (const Probe& probe : program.probes) {
    seen(probe.body);
    for (const Expr* e : probe.entry_values) seen(e);
  }
  for (const Gate& gate : program.gates) seen(gate.condition);
}

// The longest chain of calls from each function, as nesting levels and bytes of frames.
struct Chain {
  size_t levels = 0, bytes = 0;
};

template <typename Node>
std::set<size_t> called(const Node* body) {
  std::set<size_t> functions;
  Visit visit;
  visit.expression = [&](const Expr* e) {
    if (auto* call = std::get_if<CallExpr>(&e->node)) functions.insert(call->function);
  };
  visit(body);
  return functions;
}

class Chains {
 public:
  Chains(const Program& program, const std::vector<Written>& functions)
      : program_(program), functions_(functions), known_(functions.size()) {}

  // Calls in circles are counted once here: their number is what the nesting limit bounds.
  template <typename Node>
  Chain from(const Node* body) {
    Chain longest;
    for (size_t callee : called(body)) {
      Chain chain = of(callee);
      longest.levels = std::max(longest.levels, chain.levels);
      longest.bytes = std::max(longest.bytes, chain.bytes);
    }
    return longest;
  }

 private:
  Chain of(size_t function) {
    if (known_[function]) return *known_[function];
    if (!active_.insert(function).second) return {};
    Chain chain = from(program_.functions[function].body);
    chain.levels += functions_[function].enters;
    chain.bytes += functions_[function].frame_bytes;
    active_.erase(function);
    known_[function] = chain;
    return chain;
  }

  const Program& program_;
  const std::vector<Written>& functions_;
  std::vector<std::optional<Chain>> known_;
  std::set<size_t> active_;
};

// How many walks over `global` may be open at once, at most, from this body on. Calls in
// circles can open any number: `active` bounds those to a few, and more are a script error.
class WalkDepth {
 public:
  WalkDepth(const Program& program, size_t global) : program_(program), global_(global) {}

  template <typename Node>
  size_t of(const Node* body) {
    size_t open = 0, most = 0;
    Visit visit;
    visit.walk = [&](const ForeachStmt& f, bool entered) {
      if (f.global != global_) return;
      entered ? ++open : --open;
      most = std::max(most, open);
    };
    visit.expression = [&](const Expr* e) {
      if (auto* call = std::get_if<CallExpr>(&e->node))
        most = std::max(most, open + of_function(call->function));
    };
    visit(body);
    return most;
  }

 private:
  size_t of_function(size_t function) {
    if (auto known = known_.find(function); known != known_.end()) return known->second;
    if (!active_.insert(function).second) return 0;
    size_t depth = of(program_.functions[function].body);
    if (program_.functions[function].recursive) depth *= walks_of_recursion;
    active_.erase(function);
    return known_[function] = depth;
  }

  static constexpr size_t walks_of_recursion = 4;
  const Program& program_;
  size_t global_;
  std::map<size_t, size_t> known_;
  std::set<size_t> active_;
};

// The most bytes that a string can have, with its end; 0: as many as any.
size_t room_of(const Expr* e) {
  if (auto* text = std::get_if<StringConst>(&e->node)) return text->value.size() + 1;
  if (auto* call = std::get_if<BuiltinCall>(&e->node)) return call->builtin->task_name ? 16 : 0;
  auto* either = std::get_if<TernaryExpr>(&e->node);
  if (!either) return 0;
  size_t then = room_of(either->then), otherwise = room_of(either->otherwise);
  return then && otherwise ? std::max(then, otherwise) : 0;
}

// The element that an expression makes when there is none.
const ElementRef* made_element(const Expr* e) {
  const Expr* target = nullptr;
  if (auto* a = std::get_if<AssignExpr>(&e->node)) target = a->target;
  if (auto* i = std::get_if<IncrementExpr>(&e->node)) target = i->target;
  if (auto* a = std::get_if<AccumulateExpr>(&e->node)) target = a->target;
  return target ? std::get_if<ElementRef>(&target->node) : nullptr;
}

}  // namespace

Module::Module(const Program& p) : program(p), names(p), function_uses(stp::function_uses(p)) {}

bool Module::has_effects(const Expr* e) const {
  bool found = false;
  Visit visit;
  visit.expression = [&](const Expr* inner) {
    if (auto* call = std::get_if<CallExpr>(&inner->node)) {
      found |= !function_uses[call->function].written.empty();
      return;
    }
    found |= std::holds_alternative<AssignExpr>(inner->node) ||
             std::holds_alternative<IncrementExpr>(inner->node) ||
             std::holds_alternative<AccumulateExpr>(inner->node) ||
             std::holds_alternative<EmbeddedCExpr>(inner->node) ||
             (program.keeps_match && std::holds_alternative<RegexExpr>(inner->node));
  };
  visit(e);
  return found;
}

bool Module::borrows_param(size_t function, size_t param) const {
  const Stmt* body = program.functions[function].body;
  if (assigns_local(body, param) || writes_local_otherwise(body, param)) return false;
  const std::set<size_t>& written = function_uses[function].written;
  return std::none_of(written.begin(), written.end(), [&](size_t g) {
    const Global& global = program.globals[g];
    return global.value == Type::string || global.array;
  });
}

Depths depths(const Module& module, const std::vector<Written>& functions,
              const std::vector<Written>& handlers) {
  const Program& program = module.program;
  Chains chains(program, functions);
  Chain longest;
  size_t handler_bytes = 0, function_bytes = 0;
  bool recursive = false;
  for (const Function& f : program.functions) recursive |= f.recursive;
  for (const Written& f : functions) function_bytes = std::max(function_bytes, f.frame_bytes);
  for (const Written& h : handlers) handler_bytes = std::max(handler_bytes, h.frame_bytes);
  each_root(program, [&](const auto* root) {
    Chain chain = chains.from(root);
    longest.levels = std::max(longest.levels, chain.levels);
    longest.bytes = std::max(longest.bytes, chain.bytes);
  });
  Depths depths;
  size_t levels = program.limits.nesting.value_or(longest.levels + (recursive ? 10 : 0));
  depths.nesting = levels + 1;  // the handler's own
  depths.frame_stack = handler_bytes + (recursive ? levels * function_bytes : longest.bytes);
  for (size_t g = 0; g < program.globals.size(); ++g) {
    WalkDepth walks(program, g);
    size_t most = 0;
    if (program.globals[g].array)
      each_root(program, [&](const auto* root) { most = std::max(most, walks.of(root)); });
    depths.walks.push_back(std::min<size_t>(most, 255));
  }
  return depths;
}

std::vector<std::vector<size_t>> key_rooms(const Program& program) {
  std::vector<std::vector<size_t>> rooms;
  for (const Global& g : program.globals) rooms.emplace_back(g.keys.size(), 1);
  Visit visit;
  visit.expression = [&](const Expr* e) {
    const ElementRef* made = made_element(e);
    for (size_t k = 0; made && k < made->keys.size(); ++k) {
      size_t& room = rooms[made->global][k];
      size_t more = made->keys[k]->type == Type::string ? room_of(made->keys[k]) : 0;
      room = room && more ? std::max(room, more) : 0;
    }
  };
  each_root(program, [&](const auto* root) { visit(root); });
  for (const Function& function : program.functions) visit(function.body);
  // C of the script may do anything; and no string is longer than any may be.
  for (auto& keys : rooms)
    for (size_t& room : keys)
      if (program.has_embedded_c() || room >= program.limits.string_size) room = 0;
  return rooms;
}

}  // namespace stp::emit_c
