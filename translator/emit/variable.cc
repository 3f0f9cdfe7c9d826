// Variables of the script that are read by key or changed: assignment, increment, delete.
//
// Keys are evaluated first, then the value, then the element is found or made: nothing that runs
// between may move it. A compound assignment reads the old value last.
#include <cassert>

#include "emit/body.h"

namespace stp::emit_c {

using namespace prog;

namespace {

// A target whose keys or address are evaluated, before it is touched.
struct Target {
  const Expr* expr;
  std::vector<Value> keys;  // of an element
  Value address;            // of memory
};

Target prepare(Body& b, const Expr* target, const Expr* then) {
  Target t{target, {}, {}};
  if (auto* element = std::get_if<ElementRef>(&target->node))
    t.keys = values(b, element->keys, then);
  if (auto* memory = std::get_if<LoadExpr>(&target->node))
    t.address = values(b, {memory->address}, then)[0];
  return t;
}

std::string keys_array(const ElementRef& element, const std::vector<Value>& keys) {
  return fmt::format("(union stp_key[]){{ {} }}", union_list(element.keys, keys));
}

// The variable itself: an lvalue for a number, a `struct stp_text *` for a string. Makes the
// element when there is none.
std::string variable(Body& b, const Target& t) {
  if (auto* local = std::get_if<LocalRef>(&t.expr->node)) return b.local(local->index);
  if (auto* global = std::get_if<GlobalRef>(&t.expr->node)) {
    const std::string& name = b.module.names.globals[global->index];
    return t.expr->type == Type::string ? fmt::format("OWNED({})", name) : name;
  }
  const auto& element = std::get<ElementRef>(t.expr->node);
  std::string entry = b.temp("struct stp_entry *");
  b.line("{} = stp_map_make(c, {}, {}, {});", entry, b.module.names.globals[element.global],
         keys_array(element, t.keys), b.module.names.place(t.expr->span));
  b.line("if (!{})", entry);
  b.line("\tgoto {};", b.fail_label());
  return t.expr->type == Type::string ? fmt::format("stp_entry_text({})", entry)
                                      : fmt::format("*stp_entry_number({})", entry);
}

Value assign_memory(Body& b, const AssignExpr& a, const Target& t, Value v, const Span& span) {
  const auto& memory = std::get<LoadExpr>(t.expr->node);
  if (a.op) v = binary(b, *a.op, Type::number, load_at(b, memory, t.address.text, span), v, span);
  v = b.pin(v, Type::number, span);
  store_at(b, memory, t.address.text, v.text, span);
  return v;
}

Value assign_register(Body& b, const AssignExpr& a, Value v, const Span& span) {
  if (a.op) v = binary(b, *a.op, Type::number, value(b, a.target), v, span);
  v = b.pin(v, Type::number, span);
  store_register(b, *a.target, v.text);
  return v;
}

Value assign_string(Body& b, const AssignExpr& a, const Target& t, Value v, const Expr* e,
                    bool wanted) {
  std::string place = b.module.names.place(e->span);
  if (std::holds_alternative<TextRef>(t.expr->node)) {
    b.line("stp_value_{}(c, {}, {});", a.op ? "add" : "set", v.text, place);
    b.check();
    return wanted ? b.pin({"STP_BORROW(stp_value(c))"}, Type::string, e->span) : Value{};
  }
  // The element that the text is borrowed from may move when another is made.
  if (std::holds_alternative<ElementRef>(t.expr->node)) v = b.pin(v, Type::string, e->span);
  std::string to = variable(b, t);
  if (a.op)
    b.line("stp_concat(c, {0}, STP_BORROW({0}), {1}, {2});", to, v.text, place);
  else
    b.line("stp_copy(c, {}, {}, {});", to, v.text, place);
  b.check();
  return wanted ? b.pin({fmt::format("STP_BORROW({})", to)}, Type::string, e->span) : Value{};
}

// += and its kin as one C statement, where C's operator means the same.
const char* compound_operator(ast::BinaryOp op) {
  switch (op) {
    case ast::BinaryOp::add:
      return "+=";
    case ast::BinaryOp::sub:
      return "-=";
    case ast::BinaryOp::mul:
      return "*=";
    case ast::BinaryOp::bit_and:
      return "&=";
    case ast::BinaryOp::bit_or:
      return "|=";
    case ast::BinaryOp::bit_xor:
      return "^=";
    default:
      return nullptr;
  }
}

Value assign_number(Body& b, const AssignExpr& a, const Target& t, Value v, const Expr* e,
                    bool wanted) {
  std::string to = variable(b, t);
  if (!a.op) {
    if (wanted) v = b.pin(v, Type::number, e->span);
    b.line("{} = {};", to, v.text);
    return v;
  }
  if (const char* op = compound_operator(*a.op)) {
    b.line("{} {} {};", to, op, v.text);
    return wanted ? b.number(to) : Value{};
  }
  v = binary(b, *a.op, Type::number, {to}, v, e->span);
  if (wanted) v = b.pin(v, Type::number, e->span);
  b.line("{} = {};", to, v.text);
  return v;
}

// Whether it is a counter that other CPUs count at the same time.
bool is_counted(const Body& b, const Expr* target) {
  auto* global = std::get_if<GlobalRef>(&target->node);
  return global && !b.alone && b.module.program.globals[global->index].counter;
}

void count(Body& b, const Expr* target, const std::string& added) {
  b.line("stp_count({}, {});", counter_name(b.module, std::get<GlobalRef>(target->node).index), added);
}

}  // namespace

Value read_element(Body& b, const ElementRef& element, const Expr* e) {
  std::vector<Value> keys = values(b, element.keys);
  std::string entry = b.temp("struct stp_entry *");
  b.line("{} = stp_map_find({}, {});", entry, b.module.names.globals[element.global],
         keys_array(element, keys));
  if (e->type != Type::string)
    return b.number(fmt::format("{0} ? *stp_entry_number({0}) : 0", entry));
  return b.string(fmt::format("{0} ? STP_BORROW(stp_entry_text({0})) : STP_STR(\"\")", entry),
                  false);
}

Value assign(Body& b, const AssignExpr& a, const Expr* e, bool wanted) {
  if (is_counted(b, a.target)) {
    const char* sign = a.op == ast::BinaryOp::sub ? "-" : "";
    count(b, a.target, fmt::format("{}({})", sign, value(b, a.value).text));
    return {};
  }
  Target target = prepare(b, a.target, a.value);
  Value v = value(b, a.value);
  if (std::holds_alternative<LoadExpr>(a.target->node))
    return assign_memory(b, a, target, v, e->span);
  if (is_register(*a.target)) return assign_register(b, a, v, e->span);
  return a.target->type == Type::string ? assign_string(b, a, target, v, e, wanted)
                                        : assign_number(b, a, target, v, e, wanted);
}

Value increment(Body& b, const IncrementExpr& i, const Expr* e, bool wanted) {
  if (is_counted(b, i.target)) {
    count(b, i.target, i.decrement ? "-1" : "1");
    return {};
  }
  Target target = prepare(b, i.target, nullptr);
  const char* op = i.decrement ? "-" : "+";
  if (auto* memory = std::get_if<LoadExpr>(&i.target->node)) {
    Value old = load_at(b, *memory, target.address.text, e->span);
    Value changed = b.number(fmt::format("{} {} 1", old.text, op));
    store_at(b, *memory, target.address.text, changed.text, e->span);
    return i.prefix ? changed : old;
  }
  if (is_register(*i.target)) {
    Value old = b.number(value(b, i.target).text);
    Value changed = b.number(fmt::format("{} {} 1", old.text, op));
    store_register(b, *i.target, changed.text);
    return i.prefix ? changed : old;
  }
  std::string to = variable(b, target);
  Value old = wanted && !i.prefix ? b.number(to) : Value{};
  b.line("{} {}= 1;", to, op);
  return wanted && i.prefix ? b.number(to) : old;
}

Value binary(Body& b, ast::BinaryOp op, Type operands, Value left, Value right, const Span& span) {
  using Op = ast::BinaryOp;
  bool stable = left.stable && right.stable;
  auto infix = [&](const char* c_operator) {
    if (operands == Type::string) {
      // Equality need not find the first difference.
      if (op == Op::eq || op == Op::ne)
        return Value{
            fmt::format("({}stp_equal({}, {}))", op == Op::ne ? "!" : "", left.text, right.text),
            stable};
      return Value{fmt::format("(stp_compare({}, {}) {} 0)", left.text, right.text, c_operator),
                   stable};
    }
    return Value{fmt::format("({} {} {})", left.text, c_operator, right.text), stable};
  };
  auto function = [&](const char* name) {
    return Value{fmt::format("{}({}, {})", name, left.text, right.text), stable};
  };
  auto division = [&](const char* name, const char* c_operator) {
    // By a positive constant nothing can go wrong.
    if (right.text.front() >= '1' && right.text.front() <= '9') return infix(c_operator);
    Value result = b.number(
        fmt::format("{}(c, {}, {}, {})", name, left.text, right.text, b.module.names.place(span)));
    b.check();
    return result;
  };
  switch (op) {
    case Op::mul:
      return infix("*");
    case Op::div:
      return division("stp_div", "/");
    case Op::mod:
      return division("stp_mod", "%");
    case Op::add:
      return infix("+");
    case Op::sub:
      return infix("-");
    case Op::shl:
      return function("stp_shl");
    case Op::shr:
      return function("stp_shr");
    case Op::shr_unsigned:
      return function("stp_shr_unsigned");
    case Op::lt:
      return infix("<");
    case Op::le:
      return infix("<=");
    case Op::gt:
      return infix(">");
    case Op::ge:
      return infix(">=");
    case Op::eq:
      return infix("==");
    case Op::ne:
      return infix("!=");
    case Op::bit_and:
      return infix("&");
    case Op::bit_xor:
      return infix("^");
    case Op::bit_or:
      return infix("|");
    case Op::concat: {
      std::string room = left.scratch.empty() ? b.scratch() : left.scratch;
      Value result = b.string(fmt::format("stp_concat(c, {}, {}, {}, {})", room, left.text,
                                          right.text, b.module.names.place(span)),
                              true);
      b.check();
      result.scratch = room;
      return result;
    }
    case Op::logical_and:
    case Op::logical_or:
      break;  // not by value: see logical() in expr.cc
  }
  assert(false);
  return {};
}

Slice write_slice(Body& b, const std::vector<Expr*>& slice) {
  std::vector<Expr*> fixed;
  for (Expr* key : slice)
    if (key) fixed.push_back(key);
  if (fixed.empty()) return {};
  std::vector<Value> fixed_values = values(b, fixed);
  Slice result;
  std::vector<std::string> parts;
  for (size_t i = 0, next = 0; i < slice.size(); ++i) {
    if (!slice[i]) {
      parts.push_back("{ .number = 0 }");
      continue;
    }
    parts.push_back(union_list({fixed[next]}, {fixed_values[next]}));
    result.mask |= 1u << i;
    ++next;
  }
  result.keys = fmt::format("(union stp_key[]){{ {} }}", fmt::join(parts, ", "));
  return result;
}

void remove(Body& b, const DeleteStmt& d) {
  if (auto* element = std::get_if<ElementRef>(&d.target->node)) {
    std::vector<Value> keys = values(b, element->keys);
    b.line("stp_map_delete({}, {});", b.module.names.globals[element->global],
           keys_array(*element, keys));
    return;
  }
  Target target{d.target, {}, {}};
  if (auto* global = std::get_if<GlobalRef>(&d.target->node)) {
    const Global& g = b.module.program.globals[global->index];
    const std::string& name = b.module.names.globals[global->index];
    if (g.array) return b.line("stp_map_clear({});", name);
    if (g.value == Type::stat) return b.line("stp_stats_clear({});", name);
  }
  std::string to = variable(b, target);
  b.line("{} = 0;", d.target->type == Type::string ? fmt::format("({})->len", to) : to);
}

// A walk takes its order at the beginning, so that elements may go while it is under way.
void remove_slice(Body& b, const DeleteSliceStmt& d, const Span& span) {
  const std::string& map = b.module.names.globals[d.global];
  const std::vector<Type>& types = b.module.program.globals[d.global].keys;
  Slice slice = write_slice(b, d.slice);
  std::string place = b.module.names.place(span), walk = b.temp("struct stp_walk ");
  std::string entry = b.temp("struct stp_entry *"), end = b.label("walk_end");
  std::vector<std::string> keys;
  for (size_t i = 0; i < types.size(); ++i)
    keys.push_back(
        types[i] == Type::string
            ? fmt::format("{{ .string = stp_entry_key_string({}, {}, {}) }}", map, entry, i)
            : fmt::format("{{ .number = stp_entry_key({}, {}, {}) }}", map, entry, i));
  b.line("if (!stp_walk_begin(c, &{}, {},", walk, map);
  b.line("\t\t    &(struct stp_walk_order){{ .slice_mask = {:#x}, .limit = -1 }}, {}, {}))",
         slice.mask, slice.keys, place);
  b.line("\tgoto {};", b.fail_label());
  b.line("while (({} = stp_walk_next(&{}))) {{", entry, walk);
  b.line("if (!stp_actions(c, 1, {}))", place);
  b.line("\tgoto {};", end);
  b.line("stp_map_delete({}, (union stp_key[]){{ {} }});", map, fmt::join(keys, ", "));
  b.line("}}");
  b.line("{}:", end);
  b.line("stp_walk_end(&{});", walk);
  b.check();
}

}  // namespace stp::emit_c
