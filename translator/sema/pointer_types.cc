// What a number of the script points to: stap(1), TYPECASTING.
//
// A type comes from the probed code, through $variables, @var and @cast, and follows the value into
// variables and out of functions. The order of statements does not count: all that is assigned to a
// variable in its scope must agree. 0 and the like agree with everything; what has no type, with
// nothing.
#include <set>
#include <utility>

#include "sema/place.h"
#include "sema/visit.h"
#include "support/overloaded.h"

namespace stp::sema {

using prog::Expr;
using prog::Type;
using types::Kind;

namespace {

struct Pointee {
  bool any = false;                   // says nothing
  const types::Type* type = nullptr;  // null: not known
};

Pointee agreed(const Pointee& a, const Pointee& b) {
  if (a.any) return b;
  if (b.any) return a;
  bool same = a.type && b.type &&
              types::spell(types::strip(a.type)) == types::spell(types::strip(b.type));
  return same ? a : Pointee{};
}

// What a pointer or an array leads to.
const types::Type* behind(const types::Type* declared) {
  const types::Type* type = types::strip(declared);
  bool leads = type && (type->kind == Kind::pointer || type->kind == Kind::array);
  return leads ? type->of : nullptr;
}

}  // namespace

class Lowering::PointerTypes {
 public:
  explicit PointerTypes(Lowering& lowering) : lowering_(lowering), scope_(&lowering.scope_) {}

  Pointee of(const ast::Expr& e) {
    return std::visit(
        Overloaded{
            [&](const ast::Number&) { return Pointee{true}; },
            [&](const ast::Identifier& x) { return variable(x.name, e.span); },
            [&](const ast::Target& x) { return target(x, e.span); },
            [&](const ast::Cast& x) {
              auto type = lowering_.cast_type(x, e.span);
              return type ? reached(*type, x) : Pointee{};
            },
            [&](const ast::Dereference& x) {
              Pointee p = of(*x.operand);
              return p.type ? reached(lowering_.pointer_to(p.type, lowering_.constant(0, e.span)), x)
                            : p;
            },
            [&](const ast::Ternary& x) { return agreed(of(*x.then), of(*x.otherwise)); },
            [&](const ast::Assign& x) { return x.op ? Pointee{} : of(*x.value); },
            [&](const ast::AtOperator& x) {
              return x.name == "entry" && x.args.size() == 1 ? of(*x.args[0]) : Pointee{};
            },
            [&](const ast::Call& x) { return call(x); },
            [](const auto&) { return Pointee{}; },
        },
        e.node);
  }

 private:
  template <typename Node>
  Pointee reached(Place p, const Node& node) {
    for (const ast::Access& access : node.accesses)
      if (!lowering_.step(p, access)) return {};
    if (node.pretty) return {};
    return {false, node.address_of || (p.in_memory && node.accesses.empty() && !behind(p.type))
                       ? p.type
                       : behind(p.type)};
  }

  // The variables of another scope's probe are not known here.
  Pointee target(const ast::Target& t, const Span& span) {
    bool here = scope_ == &lowering_.scope_ || t.kind == ast::Target::Kind::at_var;
    if (!here || (!lowering_.surroundings_ && t.kind == ast::Target::Kind::variable) ||
        (!t.name.empty() && t.name[0] == '$')) return {};
    auto place = lowering_.is_handed(t) ? lowering_.hook_argument(t, span)
                                        : lowering_.find_variable(t, span);
    if (!place) return {};
    if (t.accesses.empty() && !t.address_of) return {false, behind(place->type)};
    return reached(*place, t);
  }

  // All that is assigned to it there.
  Pointee assigned(const Scope& scope, const std::string& name) {
    const Scope* outer = std::exchange(scope_, &scope);
    Pointee result{true};
    auto merge = [&](const Pointee& p) { result = agreed(result, p); };
    for (const ast::Stmt* s : scope.statements)
      walk(
          *s,
          [&](const ast::Expr& e) {
            auto* a = std::get_if<ast::Assign>(&e.node);
            auto* id = a ? std::get_if<ast::Identifier>(&a->target->node) : nullptr;
            if (id && id->name == name) merge(a->op ? Pointee{} : of(*a->value));
          },
          [&](const ast::Stmt& inner) {
            auto* f = std::get_if<ast::Foreach>(&inner.node);
            if (!f) return;
            for (const ast::Name& key : f->keys)
              if (key.text == name) merge({});
            if (f->value && f->value->text == name) merge({});
          });
    scope_ = outer;
    return result;
  }

  Pointee variable(const std::string& name, const Span& span) {
    auto local = scope_->names.find(name);
    if (local != scope_->names.end() && local->second < scope_->params) return {};
    bool is_local = local != scope_->names.end();
    GlobalInfo* global = is_local ? nullptr : lowering_.unit_.find_global(name, span);
    if (!is_local && (!global || global->indexed)) return {};
    const void* key = is_local ? static_cast<const void*>(&local->first) : global;
    if (!under_way_.insert(key).second) return {true};
    Pointee result{true};
    auto merge = [&](const Scope& scope) {
      if (is_local || !scope.names.count(name)) result = agreed(result, assigned(scope, name));
    };
    if (is_local) {
      merge(*scope_);
    } else {
      for (const auto& handler : lowering_.unit_.handlers) {
        // A handler's scope is copied when it is lowered: its own stands for the original.
        bool same = handler->scope.statements == lowering_.scope_.statements;
        merge(same ? lowering_.scope_ : handler->scope);
      }
      for (const auto& [id, group] : lowering_.unit_.functions)
        for (const auto& overload : group->overloads) merge(overload->scope);
    }
    under_way_.erase(key);
    return result;
  }

  Pointee call(const ast::Call& c) {
    FunctionGroup* group =
        lowering_.unit_.find_function(c.function.text, c.args.size(), c.function.span);
    if (!group && c.function.text == "task_current")
      return {false, lowering_.type_named("task_struct", "kernel", c.function.span)};
    if (!group) return {};
    if (!under_way_.insert(group).second) return {true};
    Pointee result{true};
    for (const auto& overload : group->overloads) {
      const Scope* outer = std::exchange(scope_, &overload->scope);
      for (const ast::Stmt* s : overload->scope.statements)
        walk(*s, {}, [&](const ast::Stmt& inner) {
          auto* r = std::get_if<ast::Return>(&inner.node);
          if (r && r->value) result = agreed(result, of(*r->value));
        });
      scope_ = outer;
    }
    under_way_.erase(group);
    return result;
  }

  Lowering& lowering_;
  const Scope* scope_;
  std::set<const void*> under_way_;
};

// A value that points to `type`.
Lowering::Place Lowering::pointer_to(const types::Type* type, Expr* value) {
  pointers_.push_back({Kind::pointer, "", 8, false, type, {}, 0});
  return {&pointers_.back(), value, false};
}

Expr* Lowering::dereferenced(const ast::Dereference& d, const Span& span) {
  Expr* pointer = value(*d.operand, Type::number);
  Type wanted = d.pretty ? Type::string : Type::number;
  if (bad_.count(pointer)) return bad(wanted, span);
  // What is lowered on the way is for its types alone.
  size_t mark = diagnostics().mark(), kept = entry_values_ ? entry_values_->size() : 0;
  Pointee p = provider_ ? PointerTypes(*this).of(*d.operand) : Pointee{};
  diagnostics().rewind(mark);
  if (entry_values_) entry_values_->resize(kept);
  if (!p.type)
    return error(Code::bad_access, span,
                 "the type behind this pointer is not known: use @cast(value, \"type\")", wanted);
  return follow(pointer_to(p.type, pointer), d, span);
}

}  // namespace stp::sema
