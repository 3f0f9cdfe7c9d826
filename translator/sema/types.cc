// A use tells a type: an operator, a conversion, an assignment, an argument. Each body is walked
// with the types that are known so far, and walked again while any walk learns something: a
// function's result may come from a global that another handler assigns. The first use to tell a
// type decides.
#include "sema/types.h"

#include <algorithm>
#include <map>
#include <set>

#include "sema/builtins.h"
#include "sema/format.h"
#include "sema/visit.h"
#include "support/overloaded.h"

namespace stp::sema {
namespace {

using prog::Type;

Type literal_type(const ast::Expr& e) {
  return std::holds_alternative<ast::Number>(e.node)   ? Type::number
         : std::holds_alternative<ast::String>(e.node) ? Type::string
                                                       : Type::none;
}

// A type that may not be known yet, and where the use is kept that tells it.
struct Slot {
  Type* type = nullptr;
  Span* told = nullptr;
  explicit operator bool() const { return type; }
};

class Inference {
 public:
  explicit Inference(Unit& unit) : unit_(unit) {}

  // True when something was learned. `all`: also from what nobody reads.
  bool body(Scope& scope, bool all) {
    all_ = all;
    scope_ = &scope;
    learned_ = false;
    for (const ast::Stmt* s : scope.statements) statement(*s);
    return learned_;
  }

  // Of a probe: it names no local variables.
  bool condition(const ast::Expr& e) {
    Scope none;
    scope_ = &none;
    learned_ = false;
    expression(e, Type::number);
    return learned_;
  }

 private:
  void learn(Slot slot, Type type, const Span& at) {
    if (*slot.type != Type::none || type == Type::none) return;
    *slot.type = type;
    *slot.told = at;
    learned_ = true;
  }

  Slot value_of(GlobalInfo& info) { return {&unit_.global(info).value, &info.told}; }
  Slot key_of(GlobalInfo& info, size_t i) {
    info.keys_told.resize(unit_.global(info).keys.size());
    return {&unit_.global(info).keys[i], &info.keys_told[i]};
  }

  Slot variable(const std::string& name, const Span& at) {
    if (auto local = scope_->names.find(name); local != scope_->names.end())
      return {&scope_->locals[local->second].type, &scope_->told[local->second]};
    GlobalInfo* info = unit_.find_global(name, at);
    return info ? value_of(*info) : Slot{};
  }

  Type name(const std::string& text, const Span& at, Type wanted) {
    Slot slot = variable(text, at);
    if (!slot) return Type::none;
    learn(slot, wanted, at);
    return *slot.type;
  }

  // The keys of an array, and that it is one.
  GlobalInfo* array(const std::string& text, const Span& at, const std::vector<ast::Expr*>& keys) {
    GlobalInfo* info = unit_.find_global(text, at);
    if (!info) {
      for (const ast::Expr* key : keys)
        if (key) expression(*key, Type::none);
      return nullptr;
    }
    prog::Global& g = unit_.global(*info);
    if (info->indexed && g.keys.empty() && !keys.empty()) {
      g.keys.resize(keys.size(), Type::none);
      learned_ = true;
    }
    for (size_t i = 0; i < keys.size(); ++i) {
      if (!keys[i]) continue;
      Type type = expression(*keys[i], i < g.keys.size() ? g.keys[i] : Type::none);
      if (i < g.keys.size()) learn(key_of(*info, i), type, keys[i]->span);
    }
    return info;
  }

  Type same(const ast::Expr& a, const ast::Expr& b, Type wanted) {
    Type type = expression(a, wanted);
    if (type != Type::none) return expression(b, type), type;
    type = expression(b, type);
    tell(a, type);
    return type;
  }

  // What is wanted of an expression that was walked already. Its parts are not walked again: with
  // two walks at each level, a chain of thirty comparisons would take a minute.
  void tell(const ast::Expr& e, Type wanted) {
    if (wanted == Type::none) return;
    std::visit(Overloaded{
                   [&](const ast::Identifier& id) { name(id.name, e.span, wanted); },
                   [&](const ast::Index& i) {
                     auto* id = std::get_if<ast::Identifier>(&i.base->node);
                     GlobalInfo* info = id ? unit_.find_global(id->name, i.base->span) : nullptr;
                     if (info) learn(value_of(*info), wanted, e.span);
                   },
                   [&](const ast::Call& c) {
                     auto* f = unit_.find_function(c.function.text, c.args.size(), c.function.span);
                     if (f) learn({&f->result, &f->result_told}, wanted, e.span);
                   },
                   [&](const ast::Assign& a) {
                     if (a.op) return;
                     tell(*a.target, wanted);
                     tell(*a.value, wanted);
                   },
                   [&](const ast::Ternary& t) {
                     tell(*t.then, wanted);
                     tell(*t.otherwise, wanted);
                   },
                   [&](const ast::AtOperator& a) {
                     if (a.name == "entry" && !a.args.empty()) tell(*a.args[0], wanted);
                   },
                   [](const auto&) {},
               },
               e.node);
  }

  Type call(const ast::Call& c, Type wanted) {
    if (FunctionGroup* f =
            unit_.find_function(c.function.text, c.args.size(), c.function.span)) {
      for (size_t i = 0; i < c.args.size(); ++i)
        learn({&f->params[i], &f->params_told[i]}, expression(*c.args[i], f->params[i]),
              c.args[i]->span);
      learn({&f->result, &f->result_told}, wanted, c.function.span);
      return f->result;
    }
    const prog::Builtin* b = find_builtin(c.function.text);
    for (size_t i = 0; i < c.args.size(); ++i)
      expression(*c.args[i], b && i < b->args.size() ? b->args[i] : Type::none);
    return b ? b->result : Type::none;
  }

  Type binary(const ast::Binary& b) {
    switch (b.op) {
      case ast::BinaryOp::concat:
        expression(*b.left, Type::string);
        expression(*b.right, Type::string);
        return Type::string;
      case ast::BinaryOp::lt:
      case ast::BinaryOp::le:
      case ast::BinaryOp::gt:
      case ast::BinaryOp::ge:
      case ast::BinaryOp::eq:
      case ast::BinaryOp::ne:
        same(*b.left, *b.right, Type::none);
        return Type::number;
      default:
        expression(*b.left, Type::number);
        expression(*b.right, Type::number);
        return Type::number;
    }
  }

  // $value of a probe that is handed a text.
  bool is_text(const ast::Expr& e) const {
    auto* t = std::get_if<ast::Target>(&e.node);
    return t && scope_->has_text && t->kind == ast::Target::Kind::variable && t->name == "value";
  }

  Type assign(const ast::Assign& a, Type wanted) {
    if (a.op) {
      Type type = *a.op == ast::BinaryOp::concat ? Type::string : Type::number;
      expression(*a.target, type);
      expression(*a.value, type);
      return type;
    }
    // What the value is tells the variable at once when it is a literal or $value, and otherwise in the next
    // walk: until then the variable's other uses come first. So an error names the place that SystemTap
    // names.
    Type known = literal_type(*a.value);
    if (known == Type::none && is_text(*a.value)) known = Type::string;
    if (known == Type::none) known = assigned_[&a];
    Type type = expression(*a.target, known != Type::none ? known : wanted);
    Type value = expression(*a.value, type);
    if (assigned_[&a] != value) {
      assigned_[&a] = value;
      learned_ = true;
    }
    return type;
  }

  Type print(const ast::Print& p) {
    std::vector<Type> wanted = argument_types(p);
    for (size_t i = 0; i < p.args.size(); ++i)
      expression(*p.args[i], i < wanted.size() ? wanted[i] : Type::none);
    return p.to_string ? Type::string : Type::number;
  }

  Type expression(const ast::Expr& e, Type wanted) {
    return std::visit(
        Overloaded{
            [&](const ast::Number&) { return Type::number; },
            [&](const ast::String&) { return Type::string; },
            [&](const ast::Identifier& id) { return name(id.name, e.span, wanted); },
            [&](const ast::Index& i) {
              if (auto* id = std::get_if<ast::Identifier>(&i.base->node)) {
                GlobalInfo* info = array(id->name, i.base->span, i.keys);
                if (!info) return Type::none;
                learn(value_of(*info), wanted, e.span);
                return unit_.global(*info).value;
              }
              expression(*i.base, Type::none);
              for (const ast::Expr* key : i.keys)
                if (key) expression(*key, Type::number);
              return Type::number;
            },
            [&](const ast::Call& c) { return call(c, wanted); },
            [&](const ast::Unary& u) {
              expression(*u.operand, Type::number);
              return Type::number;
            },
            [&](const ast::Increment& i) {
              expression(*i.operand, Type::number);
              return Type::number;
            },
            [&](const ast::Binary& b) { return binary(b); },
            [&](const ast::Assign& a) { return assign(a, wanted); },
            [&](const ast::Accumulate& a) {
              expression(*a.target, Type::stat);
              expression(*a.value, Type::number);
              return Type::number;
            },
            [&](const ast::Ternary& t) {
              expression(*t.condition, Type::number);
              return same(*t.then, *t.otherwise, wanted);
            },
            [&](const ast::In& i) {
              if (auto* id = std::get_if<ast::Identifier>(&i.array->node)) array(id->name, i.array->span, i.keys);
              return Type::number;
            },
            [&](const ast::RegexMatch& r) {
              expression(*r.text, Type::string);
              return Type::number;
            },
            [&](const ast::Target& t) {
              children(e, [&](const ast::Expr& index) { expression(index, Type::number); });
              bool group = t.name.size() > 1 && t.name[0] == '$';
              return t.pretty || group || is_text(e) ? Type::string : Type::number;
            },
            [&](const ast::Cast& c) {
              children(e, [&](const ast::Expr& part) { expression(part, Type::number); });
              return c.pretty ? Type::string : Type::number;
            },
            [&](const ast::Dereference& d) {
              children(e, [&](const ast::Expr& part) { expression(part, Type::number); });
              return d.pretty ? Type::string : Type::number;
            },
            [&](const ast::Aggregate& a) {
              expression(*a.operand, Type::stat);
              return Type::number;
            },
            [&](const ast::AtOperator& a) {
              if (a.name == "entry" && !a.args.empty()) return expression(*a.args[0], wanted);
              return Type::number;
            },
            [&](const ast::Print& p) { return print(p); },
            [&](const ast::EmbeddedExpr& x) { return embedded_type(x); },
        },
        e.node);
  }

  bool calls_function(const ast::Expr& e) const {
    auto* call = std::get_if<ast::Call>(&e.node);
    return call && unit_.find_function(call->function.text, call->args.size(), call->function.span);
  }

  void walk_buckets(const ast::Foreach& f) {
    expression(*f.array, Type::none);
    auto number = [&](const ast::Name& name) {
      if (Slot slot = variable(name.text, name.span)) learn(slot, Type::number, name.span);
    };
    for (const ast::Name& key : f.keys) number(key);
    if (f.value) number(*f.value);
    if (f.limit) expression(*f.limit, Type::number);
  }

  void walk_array(const ast::Foreach& f) {
    if (std::holds_alternative<ast::Aggregate>(f.array->node)) return walk_buckets(f);
    auto* id = std::get_if<ast::Identifier>(&f.array->node);
    GlobalInfo* info = id ? unit_.find_global(id->name, f.array->span) : nullptr;
    if (!info) return;
    if (!f.slice.empty()) array(id->name, f.array->span, f.slice);
    prog::Global& g = unit_.global(*info);
    if (!info->indexed) return;
    if (g.keys.empty() && !f.keys.empty()) {
      g.keys.resize(f.keys.size(), Type::none);
      learned_ = true;
    }
    // What is done with a key tells the array's keys; what is done with a value tells nothing of the
    // array's, as in SystemTap.
    auto alike = [&](Slot part, const ast::Name& name, bool both) {
      Slot named = variable(name.text, name.span);
      if (!named) return;
      learn(named, *part.type, name.span);
      if (both) learn(part, *named.type, name.span);
    };
    for (size_t i = 0; i < f.keys.size() && i < g.keys.size(); ++i)
      alike(key_of(*info, i), f.keys[i], true);
    if (f.sort_by) learn(value_of(*info), Type::stat, f.array->span);
    if (f.value) alike(value_of(*info), *f.value, false);
    if (f.limit) expression(*f.limit, Type::number);
  }

  void statement(const ast::Stmt& s) {
    auto number = [&](const ast::Expr* e) {
      if (e) expression(*e, Type::number);
    };
    auto any = [&](const ast::Expr* e) {
      if (e) expression(*e, Type::none);
    };
    auto inner = [&](const ast::Stmt* body) {
      if (body) statement(*body);
    };
    std::visit(Overloaded{
                   [&](const ast::Block& b) {
                     for (const ast::Stmt* each : b.statements) inner(each);
                   },
                   [&](const ast::If& i) {
                     number(i.condition);
                     inner(i.then);
                     inner(i.otherwise);
                   },
                   [&](const ast::While& w) {
                     number(w.condition);
                     inner(w.body);
                   },
                   [&](const ast::For& f) {
                     any(f.init);
                     number(f.condition);
                     any(f.step);
                     inner(f.body);
                   },
                   [&](const ast::Foreach& f) {
                     walk_array(f);
                     inner(f.body);
                   },
                   [&](const ast::ExprStmt& e) {
                     if (all_ || !scope_->unread.count(&s)) any(e.value);
                   },
                   [&](const ast::Return& r) {
                     if (!r.value || !scope_->result) return;
                     Type type = expression(*r.value, *scope_->result);
                     if (type != Type::stat)
                       learn({scope_->result, scope_->result_told}, type, r.value->span);
                     // That it returns something is known though its type is not; but what calls
                     // itself for it may have none.
                     if (!*scope_->result_told && !calls_function(*r.value))
                       *scope_->result_told = r.value->span;
                   },
                   [&](const ast::Delete& d) {
                     // It says of a whole variable neither what it holds nor whether it is an array.
                     if (!std::holds_alternative<ast::Identifier>(d.target->node)) any(d.target);
                   },
                   [&](const ast::TryCatch& t) {
                     inner(t.body);
                     if (t.message)
                       if (Slot message = variable(t.message->text, t.message->span))
                         learn(message, Type::string, t.message->span);
                     inner(t.handler);
                   },
                   [](const auto&) {},
               },
               s.node);
  }

  Unit& unit_;
  Scope* scope_ = nullptr;
  bool learned_ = false, all_ = false;
  std::map<const ast::Assign*, Type> assigned_;  // values' types, as far as they are known
};

// What is known before any type is inferred: whether a global's first use, in a probe or else in a
// function, is that of an array; and the types of parameters that a literal is passed for.
class FirstUses {
 public:
  explicit FirstUses(Unit& unit) : unit_(unit) {}

  void body(const Scope& scope) {
    for (const ast::Stmt* s : scope.statements)
      walk(
          *s, [&](const ast::Expr& e) { expression(e, scope); },
          [&](const ast::Stmt& inner) {
            unread_ = scope.unread.count(&inner) != 0;
            if (auto* f = std::get_if<ast::Foreach>(&inner.node)) array(*f->array, scope);
            if (auto* d = std::get_if<ast::Delete>(&inner.node)) seen_.insert(d->target);
          });
  }
  void condition(const ast::Expr& e) {
    walk(e, [&](const ast::Expr& part) { expression(part, {}); });
  }

 private:
  void expression(const ast::Expr& e, const Scope& scope) {
    if (auto* index = std::get_if<ast::Index>(&e.node)) array(*index->base, scope);
    if (auto* in = std::get_if<ast::In>(&e.node)) array(*in->array, scope);
    if (auto* call = std::get_if<ast::Call>(&e.node); call && !unread_) arguments(*call);
    auto* id = std::get_if<ast::Identifier>(&e.node);
    if (!id || seen_.count(&e) || scope.names.count(id->name)) return;
    if (GlobalInfo* info = unit_.find_global(id->name, e.span)) info->scalar |= !info->indexed;
  }

  void array(const ast::Expr& e, const Scope& scope) {
    seen_.insert(&e);
    auto* id = std::get_if<ast::Identifier>(&e.node);
    if (!id || scope.names.count(id->name)) return;
    if (GlobalInfo* info = unit_.find_global(id->name, e.span)) info->indexed |= !info->scalar;
  }

  void arguments(const ast::Call& call) {
    FunctionGroup* f =
        unit_.find_function(call.function.text, call.args.size(), call.function.span);
    for (size_t i = 0; f && i < call.args.size(); ++i) {
      if (f->params[i] != Type::none) continue;
      f->params[i] = literal_type(*call.args[i]);
      f->params_told[i] = call.args[i]->span;
    }
  }

  Unit& unit_;
  bool unread_ = false;  // the statement that is looked at computes what nobody reads
  std::set<const ast::Expr*> seen_;  // what an outer expression has looked at
};

// A group's types and those of one of its functions are the same.
bool share_types(FunctionGroup& group, FunctionInfo& overload) {
  bool learned = false;
  auto same = [&](Slot a, Slot b) {
    Slot unknown = *a.type == Type::none ? a : b;
    Slot known = *a.type == Type::none ? b : a;
    if (*unknown.type != Type::none || *known.type == Type::none) return;
    *unknown.type = *known.type;
    *unknown.told = *known.told;
    learned = true;
  };
  for (size_t i = 0; i < overload.scope.params; ++i)
    same({&group.params[i], &group.params_told[i]},
         {&overload.scope.locals[i].type, &overload.scope.told[i]});
  return learned;
}

}  // namespace

void infer_types(Unit& unit, const std::vector<const ast::Expr*>& conditions) {
  FirstUses first(unit);
  for (const ast::Expr* condition : conditions) first.condition(*condition);
  for (auto& handler : unit.handlers) first.body(handler->scope);
  // Functions first, as they were reached.
  std::vector<std::pair<FunctionGroup*, FunctionInfo*>> overloads;
  for (auto& [key, group] : unit.functions)
    for (auto& overload : group->overloads) overloads.emplace_back(group.get(), overload.get());
  std::sort(overloads.begin(), overloads.end(),
            [](const auto& a, const auto& b) { return a.second->index < b.second->index; });
  for (auto [group, overload] : overloads) first.body(overload->scope);
  Inference inference(unit);
  bool learned = true, all = false;
  constexpr int most_rounds = 1000;
  for (int round = 0; (learned || !all) && round < most_rounds; ++round) {
    all |= !learned;
    learned = false;
    for (const ast::Expr* condition : conditions) learned |= inference.condition(*condition);
    for (auto [group, overload] : overloads) {
      if (group->unread && !all) continue;
      learned |= share_types(*group, *overload);
      learned |= inference.body(overload->scope, all);
      learned |= share_types(*group, *overload);
    }
    for (auto& handler : unit.handlers) learned |= inference.body(handler->scope, all);
  }
}

}  // namespace stp::sema
