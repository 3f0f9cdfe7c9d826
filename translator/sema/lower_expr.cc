// Expressions. Types were inferred before; here each operator says what it needs, and what does not
// fit is an error at its place.
#include <fmt/format.h>

#include <algorithm>

#include "sema/builtins.h"
#include "sema/lower.h"
#include "sema/visit.h"
#include "support/overloaded.h"
#include "syntax/habits.h"

namespace stp::sema {

using prog::Expr;
using prog::Type;

Expr* Lowering::value(const ast::Expr& e, Type wanted, const Reason& needs) {
  Expr* result = expression(e, wanted);
  if (bad_.count(result)) return wanted == Type::none ? result : bad(wanted, e.span);
  if (result->type == Type::none) {
    Type instead = wanted == Type::none ? Type::number : wanted;
    // It returns something, and what is wrong with that is told there.
    if (reason(e).told && diagnostics().failed()) return bad(instead, e.span);
    return error(Code::type_mismatch, e.span, "this has no value", instead);
  }
  if (wanted == Type::none || result->type == wanted) return result;
  const Span mine = reason(e).told;
  if (mine && unit_.doubted.count({mine.file, mine.begin})) return bad(wanted, e.span);
  if (needs.assigned && needs.told) unit_.doubted.insert({needs.told.file, needs.told.begin});
  auto& told = diagnostics().error(
      Code::type_mismatch, e.span,
      fmt::format("this is a {} where a {} is needed", name_of(result->type), name_of(wanted)));
  for (const Reason& why : {reason(e), needs})
    if (why.told && !(why.told.file == e.span.file && why.told.begin == e.span.begin))
      told.note(why.text, why.told);
  note_conversion(told, e, result->type, wanted);
  return bad(wanted, e.span);
}

Expr* Lowering::any(const ast::Expr& e) { return expression(e, Type::none); }

Expr* Lowering::expression(const ast::Expr& e, Type wanted) {
  const Span& span = e.span;
  return std::visit(
      Overloaded{
          [&](const ast::Number& x) { return constant(x.value, span); },
          [&](const ast::String& x) {
            return program().expr(Type::string, span, prog::StringConst{x.value});
          },
          [&](const ast::Identifier& x) { return identifier(x, span); },
          [&](const ast::Index& x) { return element(x, span); },
          [&](const ast::Call& x) { return call(x, span); },
          [&](const ast::Unary& x) {
            return program().expr(Type::number, span,
                                  prog::UnaryExpr{x.op, value(*x.operand, Type::number)});
          },
          [&](const ast::Increment& x) {
            return program().expr(
                Type::number, span,
                prog::IncrementExpr{x.prefix, x.decrement, assignable(*x.operand, Type::number)});
          },
          [&](const ast::Binary& x) { return binary(x, span); },
          [&](const ast::Assign& x) { return assign(x, span); },
          [&](const ast::Accumulate& x) {
            Expr* to = assignable(*x.target, Type::stat);
            return program().expr(Type::number, span,
                                  prog::AccumulateExpr{to, value(*x.value, Type::number)});
          },
          [&](const ast::Ternary& x) {
            if (auto known = decided(*x.condition)) {
              Expr* taken = value(*known ? *x.then : *x.otherwise, wanted);
              return taken;
            }
            Expr* condition = value(*x.condition, Type::number);
            Expr* then = value(*x.then, wanted);
            Expr* otherwise = value(*x.otherwise, then->type, reason(*x.then));
            return program().expr(then->type, span, prog::TernaryExpr{condition, then, otherwise});
          },
          [&](const ast::In& x) {
            if (auto* a = std::get_if<ast::Aggregate>(&x.array->node)) return in_buckets(x, *a, span);
            const GlobalInfo* info = array(*x.array, "'in'");
            if (!info) return bad(Type::number, span);
            return program().expr(Type::number, span,
                                  prog::InExpr{info->index, keys(*info, x.keys, span, true)});
          },
          [&](const ast::RegexMatch& x) { return regex_match(x, span); },
          [&](const ast::Target& x) { return target(x, span); },
          [&](const ast::Cast& x) { return cast(x, span); },
          [&](const ast::Dereference& x) { return dereferenced(x, span); },
          [&](const ast::Aggregate& x) { return aggregate(x, span); },
          [&](const ast::AtOperator& x) { return at_operator(x, span, wanted); },
          [&](const ast::Print& x) { return print(x, span); },
          [&](const ast::EmbeddedExpr& x) { return embedded(x, span); },
      },
      e.node);
}

// What an error elsewhere has kept from being known is not an error of its own.
Expr* Lowering::unresolved(const Span& span, const std::string& text) {
  if (diagnostics().failed()) return bad(Type::number, span);
  return error(Code::unresolved_type, span, text);
}

Expr* Lowering::identifier(const ast::Identifier& id, const Span& span) {
  if (auto local = scope_.names.find(id.name); local != scope_.names.end()) {
    for (auto walk = walks_.rbegin(); walk != walks_.rend(); ++walk)
      if (walk->value == id.name)
        return program().expr(Type::stat, span, prog::WalkValueRef{walk->id});
    const prog::Local& l = scope_.locals[local->second];
    if (!scope_.assigned[local->second]) {
      // Told once for a name, not for each of its uses.
      scope_.assigned[local->second] = true;
      if (l.type == Type::stat)
        return error(Code::unknown_name, span,
                     fmt::format("statistics are global: declare 'global {}'", id.name));
      bool probed = diagnostics().suggests() && is_variable_of_probed_code(id.name);
      auto text = fmt::format("variable '{}' is never given a value", id.name);
      auto& e = l.type == Type::none ? diagnostics().error(Code::unresolved_type, span, text)
                                     : diagnostics().warning(Code::unknown_name, span, text);
      std::vector<std::string> names;
      if (diagnostics().suggests()) {
        for (const auto& [name, info] : unit_.globals) names.push_back(name);
        for (size_t i = 0; i < scope_.locals.size(); ++i)
          if (scope_.assigned[i]) names.push_back(scope_.locals[i].name);
      }
      for (const auto& near : nearest(id.name, names))
        e.note(fmt::format("did you mean '{}'?", near));
      if (find_builtin(id.name) || !unit_.arities(id.name).empty())
        e.note(fmt::format("the function of this name is called with parentheses: {}()", id.name));
      if (const char* cure = cure_of_name(id.name)) e.note(cure);
      if (probed)
        e.note(fmt::format("the probed code's variables begin with '$': ${}", id.name));
      if (l.type == Type::none) return bad(l.type, span);
    }
    if (l.type == Type::stat && local->second < scope_.params)
      return error(Code::type_mismatch, span,
                   fmt::format("'{}' is given a statistic, which functions do not take", id.name));
    if (l.type == Type::none)
      return unresolved(span,
                        fmt::format("nothing tells whether '{}' is a number or a string", id.name));
    return program().expr(l.type, span, prog::LocalRef{local->second});
  }
  GlobalInfo* found = unit_.find_global(id.name, span);
  if (!found)
    return error(Code::unknown_name, span, fmt::format("there is no variable '{}'", id.name));
  GlobalInfo& info = *found;
  info.used = true;
  if (info.indexed) {
    // Only its declaration makes it an array: that is where the fault is.
    bool declared_only = unit_.global(info).keys.empty() && info.declaration;
    return error(Code::not_an_array, declared_only ? info.declaration->name.span : span,
                 fmt::format("array '{}' is used without an index", id.name));
  }
  Type type = unit_.global(info).value;
  if (type == Type::none)
    return unresolved(span,
                      fmt::format("nothing tells whether '{}' is a number or a string", id.name));
  return program().expr(type, span, prog::GlobalRef{info.index});
}

const GlobalInfo* Lowering::array(const ast::Expr& e, const char* what) {
  auto* id = std::get_if<ast::Identifier>(&e.node);
  GlobalInfo* found = id ? unit_.find_global(id->name, e.span) : nullptr;
  if (!found || !found->indexed) {
    auto& told = diagnostics().error(
        Code::not_an_array, e.span,
        id ? fmt::format("{} needs an array, and '{}' is none", what, id->name)
           : fmt::format("{} needs an array", what));
    std::vector<std::string> arrays;
    for (const auto& [name, info] : unit_.globals)
      if (info.indexed && !info.tapset) arrays.push_back(name);
    if (id && !found)
      for (const auto& near : nearest(id->name, arrays))
        told.note(fmt::format("did you mean '{}'?", near));
    return nullptr;
  }
  found->used = true;
  // The library's may be told by functions that this script does not reach.
  const prog::Global& g = unit_.global(*found);
  bool told = g.value != Type::none && std::count(g.keys.begin(), g.keys.end(), Type::none) == 0;
  if (!told && !found->tapset)
    unresolved(e.span, fmt::format("nothing tells whether '{}' holds numbers or strings, or what its keys are",
                                   g.name));
  return found;
}

std::vector<Expr*> Lowering::keys(const GlobalInfo& info, const std::vector<ast::Expr*>& written,
                                  const Span& span, bool wildcards) {
  const prog::Global& g = program().globals[info.index];
  std::vector<Expr*> lowered;
  if (written.size() != g.keys.size())
    error(Code::wrong_arity, span,
          fmt::format("array '{}' has {} key{}, not {}", g.name, g.keys.size(),
                      g.keys.size() == 1 ? "" : "s", written.size()));
  for (size_t i = 0; i < written.size(); ++i) {
    if (!written[i]) {
      if (!wildcards) error(Code::bad_operand, span, "'*' stands only in slices");
      lowered.push_back(nullptr);
    } else {
      lowered.push_back(value(*written[i], i < g.keys.size() ? g.keys[i] : Type::none,
                              reason_of_key(info, i)));
      if (lowered.back()->type == Type::stat)
        lowered.back() = error(Code::type_mismatch, written[i]->span,
                               "a statistic is no key; use @count() or its kin");
    }
  }
  lowered.resize(g.keys.size());
  return lowered;
}

Expr* Lowering::element(const ast::Index& index, const Span& span) {
  if (auto* a = std::get_if<ast::Aggregate>(&index.base->node)) {
    Expr* whole = histogram(*a, index.base->span);
    if (index.keys.size() != 1 || !index.keys[0])
      return error(Code::wrong_arity, span, "a histogram has one index");
    Expr* n = value(*index.keys[0], Type::number);
    auto* h = std::get_if<prog::HistogramExpr>(&whole->node);
    return h ? program().expr(Type::number, span, prog::BucketExpr{h->operand, n}) : whole;
  }
  auto* id = std::get_if<ast::Identifier>(&index.base->node);
  if (id && scope_.names.count(id->name))
    return error(Code::not_an_array, span,
                 fmt::format("'{}' is indexed but not declared: arrays are global", id->name));
  const GlobalInfo* info = array(*index.base, "an index");
  if (!info) return bad(Type::number, span);
  const prog::Global& g = program().globals[info->index];
  if (g.value == Type::none)
    return unresolved(span,
                      fmt::format("nothing tells whether '{}' holds numbers or strings", g.name));
  std::vector<Expr*> lowered = keys(*info, index.keys, span, false);
  return program().expr(program().globals[info->index].value, span,
                        prog::ElementRef{info->index, std::move(lowered)});
}

std::vector<Expr*> Lowering::arguments(const std::string& function,
                                       const std::vector<ast::Expr*>& args,
                                       const std::vector<Type>& types, const Span& span,
                                       const FunctionGroup* f) {
  std::vector<Expr*> lowered;
  if (args.size() != types.size())
    error(Code::unknown_function, span,
          fmt::format("{}() takes {} argument{}, not {}", function, types.size(),
                      types.size() == 1 ? "" : "s", args.size()));
  for (size_t i = 0; i < args.size(); ++i)
    lowered.push_back(value(*args[i], i < types.size() ? types[i] : Type::none,
                            f ? reason_of_parameter(*f, i) : Reason{}));
  while (lowered.size() < types.size()) lowered.push_back(nothing(types[lowered.size()], span));
  lowered.resize(types.size());
  return lowered;
}

Expr* Lowering::call(const ast::Call& c, const Span& span) {
  const std::string& name = c.function.text;
  if (FunctionGroup* f = unit_.find_function(name, c.args.size(), c.function.span)) {
    check_not_walked(*f, c.function.span);
    std::vector<Expr*> args = arguments(name, c.args, f->params, span, f);
    bool own = f->of_probes && probe_functions_;
    if (f->of_probes && !own)
      return error(Code::not_allowed_here, c.function.span,
                   fmt::format("{}() names variables of the probed code, which an overloaded function "
                               "does not know", name),
                   f->result);
    size_t index = own ? function_of_probe(*f, c.function.span) : f->index;
    return program().expr(f->result, span, prog::CallExpr{index, std::move(args)});
  }
  const prog::Builtin* b = find_builtin(name);
  auto arities = unit_.arities(name);
  if (!b && !arities.empty()) return wrong_arity(name, c, span, arities);
  if (!b) {  // reported when it was looked for
    for (const ast::Expr* arg : c.args) value(*arg);
    return bad(Type::number, span);
  }
  program().keeps_match |= name == "matched" || name == "ngroups";
  program().tells_lines |= b->lines;
  program().tells_inlined |= b->inlined;
  return program().expr(b->result, span,
                        prog::BuiltinCall{b, arguments(name, c.args, b->args, span)});
}

// n in @hist_log(s): there is such a bucket.
Expr* Lowering::in_buckets(const ast::In& in, const ast::Aggregate& a, const Span& span) {
  using Op = ast::BinaryOp;
  Expr* whole = histogram(a, in.array->span);
  auto* h = std::get_if<prog::HistogramExpr>(&whole->node);
  if (in.keys.size() != 1 || !in.keys[0])
    return error(Code::wrong_arity, span, "a histogram has one index");
  Expr* n = value(*in.keys[0], Type::number);
  if (!h) return whole;
  int64_t buckets = statistic_global(*h->operand)->shape.buckets();
  scope_.locals.push_back({"bucket", Type::number});
  Expr* local = program().expr(Type::number, span, prog::LocalRef{scope_.locals.size() - 1});
  auto binary = [&](Op op, Expr* left, Expr* right) {
    return program().expr(Type::number, span, prog::BinaryExpr{op, left, right});
  };
  Expr* kept = program().expr(Type::number, span, prog::AssignExpr{std::nullopt, local, n});
  return binary(Op::logical_and, binary(Op::ge, kept, constant(0, span)),
                binary(Op::lt, local, constant(buckets, span)));
}

// What a condition of @defined and @probewrite alone comes to: the side that is not taken is not looked
// at, since it may name what is not there.
std::optional<bool> Lowering::decided(const ast::Expr& e) {
  if (auto* a = std::get_if<ast::AtOperator>(&e.node)) {
    if (a->name == "defined" && a->args.size() == 1) return is_defined(*a->args[0]);
    if (a->name == "probewrite" && a->args.size() == 1) return is_written(*a->args[0]);
  }
  if (auto* u = std::get_if<ast::Unary>(&e.node); u && u->op == ast::UnaryOp::logical_not)
    if (auto known = decided(*u->operand)) return !*known;
  auto* b = std::get_if<ast::Binary>(&e.node);
  if (!b || (b->op != ast::BinaryOp::logical_and && b->op != ast::BinaryOp::logical_or))
    return std::nullopt;
  auto left = decided(*b->left), right = decided(*b->right);
  bool decides = b->op == ast::BinaryOp::logical_or;
  if ((left && *left == decides) || (right && *right == decides)) return decides;
  if (left && right) return !decides;
  return std::nullopt;
}

Expr* Lowering::wrong_arity(const std::string& name, const ast::Call& c, const Span& span,
                            const std::vector<size_t>& arities) {
  for (const ast::Expr* arg : c.args) value(*arg);
  std::string counts;
  for (size_t n : arities) counts += fmt::format("{}{}", counts.empty() ? "" : " or ", n);
  return error(Code::unknown_function, span,
               fmt::format("{}() takes {} argument{}, not {}", name, counts,
                           counts == "1" ? "" : "s", c.args.size()));
}

Expr* Lowering::embedded(const ast::EmbeddedExpr& x, const Span& span) {
  Expr* e = program().expr(embedded_type(x), span,
                           prog::EmbeddedCExpr{embedded_c(unit_, x.code, span)});
  program().embedded.push_back(&std::get<prog::EmbeddedCExpr>(e->node).c);
  return e;
}

Expr* Lowering::regex_match(const ast::RegexMatch& m, const Span& span) {
  Expr* text = value(*m.text, Type::string);
  auto& regexes = program().regexes;
  size_t index = 0;
  while (index < regexes.size() && regexes[index].text != m.pattern.text) ++index;
  if (index == regexes.size()) {
    auto parsed = regex::parse(m.pattern.text);
    if (auto* wrong = std::get_if<regex::Wrong>(&parsed))
      return error(Code::bad_regex, m.pattern.span,
                   fmt::format("{}, at character {} of this regular expression", wrong->text,
                               wrong->at + 1));
    regexes.push_back({m.pattern.span, m.pattern.text, std::move(std::get<regex::Pattern>(parsed))});
  }
  return program().expr(Type::number, span, prog::RegexExpr{m.negated, text, index});
}

Expr* Lowering::binary(const ast::Binary& b, const Span& span) {
  using Op = ast::BinaryOp;
  auto both = [&](Type type, Type result) {
    Expr* left = value(*b.left, type);
    Expr* right = value(*b.right, type);
    return program().expr(result, span, prog::BinaryExpr{b.op, left, right});
  };
  switch (b.op) {
    case Op::concat: {
      const bool fraction = std::holds_alternative<ast::Number>(b.left->node) &&
                            std::holds_alternative<ast::Number>(b.right->node);
      if (fraction && b.left->span.end + 1 == b.right->span.begin)
        return error(Code::type_mismatch, span, "numbers are whole: '.' puts strings together");
      size_t mark = diagnostics().mark(), errors = diagnostics().errors();
      Expr* joined = both(Type::string, Type::string);
      auto* target = std::get_if<ast::Target>(&b.left->node);
      auto* member = std::get_if<ast::Identifier>(&b.right->node);
      if (diagnostics().errors() != errors && target && !target->pretty && member)
        diagnostics().note_since(
            mark, fmt::format("members are reached with '->', also those of a structure: ->{}", member->name),
            {});
      return joined;
    }
    case Op::lt:
    case Op::le:
    case Op::gt:
    case Op::ge:
    case Op::eq:
    case Op::ne: {
      Expr* left = value(*b.left);
      if (left->type == Type::stat)
        return error(Code::type_mismatch, b.left->span,
                     "a statistic has no order; use @count() or its kin");
      Expr* right = value(*b.right, left->type, reason(*b.left));
      return program().expr(Type::number, span, prog::BinaryExpr{b.op, left, right});
    }
    case Op::add: {
      size_t mark = diagnostics().mark(), errors = diagnostics().errors();
      Expr* sum = both(Type::number, Type::number);
      bool text = std::holds_alternative<ast::String>(b.left->node) ||
                  std::holds_alternative<ast::String>(b.right->node);
      if (text && diagnostics().errors() != errors)
        diagnostics().note_since(mark, "'.' puts strings together", {});
      return sum;
    }
    default:
      return both(Type::number, Type::number);
  }
}

Expr* Lowering::assignable(const ast::Expr& e, Type wanted) {
  bool can = std::visit(
      Overloaded{
          [](const ast::Identifier&) { return true; },
          [](const ast::Index& i) { return std::holds_alternative<ast::Identifier>(i.base->node); },
          [](const auto&) { return false; },
      },
      e.node);
  if (!can) {
    if (std::holds_alternative<ast::Target>(e.node) || std::holds_alternative<ast::Cast>(e.node) ||
        std::holds_alternative<ast::Dereference>(e.node)) {
      Expr* to = assignable_target(e);
      if (wanted == Type::none || to->type == wanted || bad_.count(to)) return to;
      return error(Code::type_mismatch, e.span,
                   fmt::format("this is a {} where a {} is needed", name_of(to->type), name_of(wanted)),
                   wanted);
    }
    return error(Code::bad_operand, e.span, "this cannot be assigned to", wanted);
  }
  Expr* to = value(e, wanted);
  if (auto* g = std::get_if<prog::GlobalRef>(&to->node)) check_not_walked(g->index, e.span);
  if (auto* r = std::get_if<prog::ElementRef>(&to->node)) check_not_walked(r->global, e.span);
  return to;
}

Expr* Lowering::assign(const ast::Assign& a, const Span& span) {
  Type type = a.op ? (*a.op == ast::BinaryOp::concat ? Type::string : Type::number) : Type::none;
  auto* whole = statement_ ? std::get_if<ast::Assign>(&statement_->node) : nullptr;
  size_t mark = diagnostics().mark(), errors = diagnostics().errors();
  // The value is why the variable has no type; it is told first, and alone.
  auto* id = std::get_if<ast::Identifier>(&a.target->node);
  Expr* from = nullptr;
  auto local = id ? scope_.names.find(id->name) : scope_.names.end();
  if (local != scope_.names.end() && scope_.locals[local->second].type == Type::none) {
    from = value(*a.value, Type::none, {});
    if (diagnostics().errors() != errors) return from;
  }
  Expr* to = assignable(*a.target, type);
  if (diagnostics().errors() != errors && !a.op && whole != &a)
    diagnostics().note_since(mark, "'=' assigns; '==' compares", {});
  if (to->type == Type::stat)
    return error(Code::type_mismatch, span, "a statistic takes values with '<<<', not '='");
  Reason needs = reason(*a.target);
  needs.assigned = true;
  if (!from) from = value(*a.value, bad_.count(to) ? Type::none : to->type, needs);
  return program().expr(to->type, span, prog::AssignExpr{a.op, to, from});
}

Expr* Lowering::statistic(const ast::Expr& e) { return value(e, Type::stat); }

Expr* Lowering::aggregate(const ast::Aggregate& a, const Span& span) {
  if (a.op == ast::AggregateOp::hist_log || a.op == ast::AggregateOp::hist_linear)
    return error(Code::not_allowed_here, span,
                 "a histogram can be printed or indexed, nothing else");
  Expr* operand = statistic(*a.operand);
  int shift = 0;
  if (a.op == ast::AggregateOp::variance && !a.params.empty())
    if (auto* n = std::get_if<ast::Number>(&a.params[0]->node)) shift = static_cast<int>(std::clamp<int64_t>(n->value, -1, 63));
  if (shift < 0 || shift > 62)
    return error(Code::bad_operand, span, "the bit shift of @variance is between 0 and 62");
  if (operand->type != Type::stat) return constant(0, span);
  if (a.op == ast::AggregateOp::variance)
    if (prog::Global* g = statistic_global(*operand)) {
      g->shape.variance = true;
      g->shape.shift = std::max(g->shape.shift, shift);
    }
  return program().expr(Type::number, span, prog::AggregateExpr{a.op, operand, shift});
}

prog::Global* Lowering::statistic_global(const Expr& operand) {
  if (auto* g = std::get_if<prog::GlobalRef>(&operand.node)) return &program().globals[g->index];
  if (auto* e = std::get_if<prog::ElementRef>(&operand.node)) return &program().globals[e->global];
  if (auto* w = std::get_if<prog::WalkValueRef>(&operand.node))
    for (const Walk& walk : walks_)
      if (walk.id == w->foreach_id) return &program().globals[walk.global];
  return nullptr;
}

Expr* Lowering::histogram(const ast::Aggregate& a, const Span& span) {
  using Histogram = prog::StatShape::Histogram;
  if (a.op != ast::AggregateOp::hist_log && a.op != ast::AggregateOp::hist_linear)
    return error(Code::not_an_array, span, "only histograms have an index");
  Expr* operand = statistic(*a.operand);
  prog::Global* g = operand->type == Type::stat ? statistic_global(*operand) : nullptr;
  if (!g) return constant(0, span);
  prog::StatShape shape = g->shape;
  shape.histogram = a.op == ast::AggregateOp::hist_log ? Histogram::log : Histogram::linear;
  int64_t numbers[3] = {0, 0, 0};
  for (size_t i = 0; i < a.params.size() && i < 3; ++i)
    if (auto* n = std::get_if<ast::Number>(&a.params[i]->node))
      numbers[i] = n->value;
    else if (auto* u = std::get_if<ast::Unary>(&a.params[i]->node);
             u && u->op == ast::UnaryOp::negate &&
             std::holds_alternative<ast::Number>(u->operand->node))
      __builtin_sub_overflow(0, std::get<ast::Number>(u->operand->node).value, &numbers[i]);
    else
      return error(Code::not_constant, a.params[i]->span, "a histogram's bounds are numbers");
  if (shape.histogram == Histogram::linear) {
    shape.low = numbers[0];
    shape.high = numbers[1];
    shape.step = numbers[2];
    int64_t range = 0;
    if (shape.step <= 0 || shape.high <= shape.low ||
        __builtin_sub_overflow(shape.high, shape.low, &range) || range / shape.step > 5000)
      return error(Code::bad_operand, span,
                   "@hist_linear needs low < high, a positive step, and at most 5000 buckets");
  }
  auto same = [](const prog::StatShape& x, const prog::StatShape& y) {
    return x.histogram == y.histogram && x.low == y.low && x.high == y.high && x.step == y.step;
  };
  if (g->shape.histogram != Histogram::none && !same(g->shape, shape))
    return error(
        Code::bad_operand, span,
        fmt::format("'{}' has a histogram of another kind or other bounds already", g->name));
  g->shape = shape;
  return program().expr(Type::none, span, prog::HistogramExpr{operand});
}

Expr* Lowering::at_operator(const ast::AtOperator& a, const Span& span, Type wanted) {
  if (a.name == "defined" && a.args.size() == 1) return constant(is_defined(*a.args[0]), span);
  if (a.name == "entry" && a.args.size() == 1) return entry_value(*a.args[0], span, wanted);
  if (a.name == "probewrite" && a.args.size() == 1) return constant(is_written(*a.args[0]), span);
  if (a.name == "const" && a.args.size() == 1) return header_constant(a, span);
  if (a.name == "enum" && a.args.size() <= 2) return enumerator(a, span);
  if ((a.name == "kderef" || a.name == "uderef") && a.args.size() == 2) return dereference(a, span);
  if ((a.name == "kregister" || a.name == "uregister") && a.args.size() == 1)
    return register_value(a, span);
  if (a.name == "perf" && a.args.size() == 1) return perf_counter(a, span);
  return error(Code::unsupported, span, fmt::format("@{} is not run by this version", a.name));
}

// @const("NAME"): what the C compiler makes of it.
Expr* Lowering::header_constant(const ast::AtOperator& a, const Span& span) {
  auto* name = std::get_if<ast::String>(&a.args[0]->node);
  if (!name) return error(Code::not_constant, a.args[0]->span, "@const takes a literal string");
  bool tapset = home(span) && home(span)->in_library();
  if (!guru_ && !tapset)
    return error(Code::needs_guru, span, "@const is embedded C, which needs guru mode (-g)");
  return embedded({name->value}, span);
}

// @perf("NAME"): what a perf probe with .counter("NAME") has counted.
Expr* Lowering::perf_counter(const ast::AtOperator& a, const Span& span) {
  auto* name = std::get_if<ast::String>(&a.args[0]->node);
  if (!name) return error(Code::not_constant, a.args[0]->span, "@perf takes a literal string");
  if (!unit_.counters.count(name->value)) {
    auto& e = diagnostics().error(Code::unknown_name, a.args[0]->span,
                                  fmt::format("no probe counts '{}'", name->value));
    e.note(fmt::format("probe perf.type(T).config(C).counter(\"{}\") {{}} does", name->value));
    for (const auto& near : nearest(name->value, {unit_.counters.begin(), unit_.counters.end()}))
      e.note(fmt::format("did you mean '{}'?", near));
    return bad(Type::number, span);
  }
  const prog::Builtin* b = find_builtin("__stp_perf");
  return program().expr(Type::number, span, prog::BuiltinCall{b, {value(*a.args[0], Type::string)}});
}

// @kderef(SIZE, address).
Expr* Lowering::dereference(const ast::AtOperator& a, const Span& span) {
  auto* size = std::get_if<ast::Number>(&a.args[0]->node);
  if (!size || (size->value != 1 && size->value != 2 && size->value != 4 && size->value != 8))
    return error(Code::not_constant, a.args[0]->span, "the size is 1, 2, 4 or 8");
  return program().expr(Type::number, span,
                        prog::LoadExpr{value(*a.args[1], Type::number),
                                       static_cast<uint8_t>(size->value), false, 0, 0,
                                       a.name == "uderef"});
}

// @kregister(N): a register of the probed code, by its DWARF number.
Expr* Lowering::register_value(const ast::AtOperator& a, const Span& span) {
  using Kind = probes::Surroundings::Kind;
  auto* number = std::get_if<ast::Number>(&a.args[0]->node);
  constexpr int64_t registers = 17;  // System V ABI, AMD64 supplement, figure 3.36: up to the return address
  if (!number || number->value < 0 || number->value >= registers)
    return error(Code::not_constant, a.args[0]->span,
                 fmt::format("a register is a number from 0 to {}", registers - 1));
  if (a.name == "uregister" || !surroundings_ ||
      (surroundings_->kind != Kind::place && surroundings_->kind != Kind::at_return))
    return error(Code::not_allowed_here, span,
                 fmt::format("this kind of probe has no registers for @{}", a.name));
  return program().expr(Type::number, span,
                        prog::LocExpr{types::loc_reg(static_cast<int>(number->value))});
}

// @probewrite(x): the handler itself, not what aliases add, assigns to the variable.
bool Lowering::is_written(const ast::Expr& e) {
  auto* id = std::get_if<ast::Identifier>(&e.node);
  auto* target = std::get_if<ast::Target>(&e.node);
  if (!handler_) {
    error(Code::not_allowed_here, e.span,
          "@probewrite asks what the handler of a probe does that has an alias for its point");
    return false;
  }
  auto same = [&](const ast::Expr& written) {
    auto* other_id = std::get_if<ast::Identifier>(&written.node);
    auto* other = std::get_if<ast::Target>(&written.node);
    return id ? other_id && other_id->name == id->name : other && other->name == target->name;
  };
  bool found = false;
  walk(*handler_, [&](const ast::Expr& inner) {
    if (auto* a = std::get_if<ast::Assign>(&inner.node)) found |= same(*a->target);
    if (auto* i = std::get_if<ast::Increment>(&inner.node)) found |= same(*i->operand);
  });
  return found;
}

Expr* Lowering::entry_value(const ast::Expr& e, const Span& span, Type wanted) {
  if (at_entry_)
    return error(Code::not_allowed_here, span, "@entry stands inside of @entry", wanted);
  if (!entry_values_ || !surroundings_ ||
      surroundings_->kind != probes::Surroundings::Kind::at_return)
    return error(Code::not_allowed_here, span,
                 "@entry stands only in probes of a function's return", wanted);
  size_t errors = diagnostics().errors();
  walk(e, [&](const ast::Expr& inner) {
    auto* id = std::get_if<ast::Identifier>(&inner.node);
    if (id && scope_.names.count(id->name))
      error(Code::not_allowed_here, inner.span,
            fmt::format("the local variable '{}' has no value yet at the function's entry", id->name));
  });
  if (diagnostics().errors() != errors) return bad(wanted, span);
  return kept_from_entry([&] { return value(e, wanted); }, span);
}

Expr* Lowering::kept_from_entry(const std::function<Expr*()>& lower, const Span& span) {
  at_entry_ = true;
  Expr* kept = lower();
  at_entry_ = false;
  if (kept->type == Type::stat)
    return error(Code::type_mismatch, span, "a statistic cannot be kept from the entry");
  entry_values_->push_back(kept);
  return program().expr(kept->type, span, prog::EntryExpr{entry_values_->size() - 1});
}

}  // namespace stp::sema
