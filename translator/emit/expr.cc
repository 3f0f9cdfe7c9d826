// Expressions: what has an effect or can fail becomes statements, the rest C text (see body.h).
//
// One case for each node; those about variables, statistics, printing and the probed code are in
// files of their own. A right side that is evaluated only sometimes (&&, ||, ?:) becomes a C
// operator when it needs no statements, and an `if` otherwise.
#include <algorithm>
#include <cstdlib>

#include "emit/body.h"
#include "support/overloaded.h"

namespace stp::emit_c {

using namespace prog;

namespace {

Value call(Body& b, const CallExpr& call, const Expr* e, bool wanted) {
  const Function& function = b.module.program.functions[call.function];
  b.calls = true;
  std::string args = "c";
  if (function.result == Type::string) args += ", " + b.scratch();
  for (const Value& v : values(b, call.args)) args += ", " + v.text;
  // The place of the call is where too deep a recursion fails.
  args += ", " + b.module.names.place(e->span);
  std::string text = fmt::format("{}({})", b.module.names.functions[call.function], args);
  Value result;
  if (function.result == Type::string)
    result = b.string(text, true);
  else if (function.result == Type::number && wanted)
    result = b.number(text);
  else
    b.line("{};", text);
  b.check();
  return result;
}

Value builtin(Body& b, const BuiltinCall& call, const Expr* e, bool wanted) {
  const Builtin& row = *call.builtin;
  std::string args = "c";
  if (row.result == Type::string) args += row.borrows ? ", NULL" : ", " + b.scratch();
  bool stable = true;
  for (size_t i = 0; const Value& v : values(b, call.args)) {
    args += ", " + v.text;
    // A string result may be a part of an argument.
    if (row.args[i++] == Type::string) stable &= v.stable;
  }
  if (row.can_fail) args += ", " + b.module.names.place(e->span);
  std::string text = fmt::format("stp_fn_{}({})", row.name, args);
  Value result;
  if (row.result == Type::string)
    result = b.string(text, stable);
  else if (row.result == Type::number && wanted)
    result = b.number(text);
  else
    b.line("{};", text);
  if (row.can_fail) b.check();
  return result;
}

Value unary(Body& b, const UnaryExpr& u) {
  Value v = value(b, u.operand);
  switch (u.op) {
    case ast::UnaryOp::negate:
      return {fmt::format("(-{})", v.text), v.stable};
    case ast::UnaryOp::plus:
      return v;
    case ast::UnaryOp::logical_not:
      return {fmt::format("(!{})", v.text), v.stable};
    case ast::UnaryOp::bit_not:
      return {fmt::format("(~{})", v.text), v.stable};
  }
  return v;
}

// && and ||.
Value logical(Body& b, const BinaryExpr& e) {
  bool both = e.op == ast::BinaryOp::logical_and;
  Value left = value(b, e.left), right;
  // Written after the `if` that guards it, so kept apart until it is known whether one is needed.
  std::string effects = b.capture([&] { right = value(b, e.right); });
  if (effects.empty())
    return {fmt::format("({} {} {})", left.text, both ? "&&" : "||", right.text),
            left.stable && right.stable};
  std::string result = b.temp("s64 ");
  b.line("{} = {} != 0;", result, left.text);
  b.line("if ({}{}) {{", both ? "" : "!", result);
  b.indented(effects);
  b.line("{} = {} != 0;", result, right.text);
  b.line("}}");
  return {result, true};
}

Value ternary(Body& b, const TernaryExpr& t, const Expr* e) {
  Value condition = value(b, t.condition), then, otherwise;
  std::string then_effects = b.capture([&] { then = value(b, t.then); });
  std::string otherwise_effects = b.capture([&] { otherwise = value(b, t.otherwise); });
  bool stable = then.stable && otherwise.stable;
  if (then_effects.empty() && otherwise_effects.empty())
    return {fmt::format("({} ? {} : {})", condition.text, then.text, otherwise.text),
            stable && condition.stable};
  bool string = e->type == Type::string;
  std::string result = b.temp(string ? "struct stp_str " : "s64 ");
  b.line("if ({}) {{", condition.text);
  b.indented(then_effects);
  b.line("{} = {};", result, then.text);
  b.line("}} else {{");
  b.indented(otherwise_effects);
  b.line("{} = {};", result, otherwise.text);
  b.line("}}");
  return {result, string ? stable : true};
}

Value operation(Body& b, const BinaryExpr& e, const Span& span) {
  if (e.op == ast::BinaryOp::logical_and || e.op == ast::BinaryOp::logical_or) return logical(b, e);
  std::vector<Value> sides = values(b, {e.left, e.right});
  return binary(b, e.op, e.left->type, sides[0], sides[1], span);
}

Value membership(Body& b, const InExpr& in) {
  if (std::count(in.keys.begin(), in.keys.end(), nullptr)) {
    Slice slice = write_slice(b, in.keys);
    return b.number(fmt::format("stp_map_any({}, {:#x}, {})",
                                b.module.names.globals[in.global], slice.mask, slice.keys));
  }
  std::vector<Value> keys = values(b, in.keys);
  return b.number(fmt::format("stp_map_find({}, (union stp_key[]){{ {} }}) != NULL",
                              b.module.names.globals[in.global], union_list(in.keys, keys)));
}

Value match(Body& b, const RegexExpr& r) {
  const std::string& finder = b.module.names.regexes[r.regex];
  std::string text = value(b, r.text).text, no = r.negated ? "!" : "";
  if (!b.module.program.keeps_match)
    return b.number(fmt::format("{}{}({}, NULL)", no, finder, text));
  return b.number(fmt::format("{}stp_match(c, {}, {}, {})", no, finder,
                              b.module.program.regexes[r.regex].pattern.groups, text));
}

Value local(const Body& b, const LocalRef& l) {
  if (b.local_of(l.index).type != Type::string) return {b.local(l.index)};
  if (b.is_borrowed(l.index)) return {b.local(l.index), true};
  return {fmt::format("STP_BORROW({})", b.local(l.index))};
}

Value global(const Body& b, const GlobalRef& g) {
  const std::string& name = b.module.names.globals[g.index];
  if (b.module.program.globals[g.index].value == Type::string)
    return {fmt::format("STP_BORROW(OWNED({}))", name)};
  return {name};
}

Value entry_value(const EntryExpr& entry, Type type) {
  if (type == Type::string)
    return {fmt::format("STP_BORROW(OWNED(entry->value_{}))", entry.slot), true};
  return {fmt::format("entry->value_{}", entry.slot), true};
}

}  // namespace

Value value(Body& b, const Expr* e, bool wanted) {
  return std::visit(Overloaded{
                        [](const NumberConst& n) {
                          return Value{c_number(n.value), true};
                        },
                        [](const StringConst& s) {
                          return Value{fmt::format("STP_STR({})", c_string(s.value)), true};
                        },
                        [&](const LocalRef& l) { return local(b, l); },
                        [&](const GlobalRef& g) { return global(b, g); },
                        [&](const ElementRef& r) { return read_element(b, r, e); },
                        [&](const CallExpr& c) { return call(b, c, e, wanted); },
                        [&](const BuiltinCall& c) { return builtin(b, c, e, wanted); },
                        [&](const UnaryExpr& u) { return unary(b, u); },
                        [&](const BinaryExpr& o) { return operation(b, o, e->span); },
                        [&](const TernaryExpr& t) { return ternary(b, t, e); },
                        [&](const InExpr& in) { return membership(b, in); },
                        [&](const AssignExpr& a) { return assign(b, a, e, wanted); },
                        [&](const IncrementExpr& i) { return increment(b, i, e, wanted); },
                        [&](const AccumulateExpr& a) { return accumulate(b, a, e, wanted); },
                        [&](const AggregateExpr& a) { return aggregate(b, a, e); },
                        [&](const BucketExpr& k) { return bucket(b, k, e); },
                        [&](const PrintExpr& p) { return print(b, p, e); },
                        [&](const LocExpr& l) { return location(b, *l.loc, e->span); },
                        [&](const LoadExpr& l) { return load(b, l, e); },
                        [&](const NarrowExpr& n) { return narrow(b, n); },
                        [](const RegisterBitsExpr& r) { return register_bits(r); },
                        [&](const EntryExpr& entry) { return entry_value(entry, e->type); },
                        [&](const EmbeddedCExpr& c) {
                          return embedded_value(b, c.c, e->type, e->span);
                        },
                        // Only what was written is read, and nothing changes it.
                        [](const TextRef&) { return Value{"STP_BORROW(stp_value(c))", true}; },
                        [&](const RegexExpr& r) { return match(b, r); },
                        // Statistics have no value but through AggregateExpr and its kin.
                        [](const WalkValueRef&) -> Value { std::abort(); },
                        [](const HistogramExpr&) -> Value { std::abort(); },
                    },
                    e->node);
}

std::vector<Value> values(Body& b, const std::vector<Expr*>& list, const Expr* then) {
  // How many of them are followed by an effect: those are pinned.
  size_t followed = list.size();
  if (!then || !b.module.has_effects(then)) {
    while (followed > 0 && !b.module.has_effects(list[followed - 1])) --followed;
    if (followed > 0) --followed;
  }
  std::vector<Value> result;
  for (size_t i = 0; i < list.size(); ++i) {
    result.push_back(value(b, list[i]));
    if (i < followed) result.back() = b.pin(result.back(), list[i]->type, list[i]->span);
  }
  return result;
}

std::string union_list(const std::vector<Expr*>& list, const std::vector<Value>& values) {
  std::vector<std::string> parts;
  for (size_t i = 0; i < list.size(); ++i)
    parts.push_back(fmt::format(
        "{{ .{} = {} }}", list[i]->type == Type::string ? "string" : "number", values[i].text));
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace stp::emit_c
