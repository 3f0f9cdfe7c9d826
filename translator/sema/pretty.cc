// Variables of the probed code as text: $x$, $x$$, @cast(...)$, $$parms$$ and their kin
// (stapprobes(3stap), CONTEXT VARIABLES).
//
// The types are walked here; what comes out is a description of the text and of where each value
// in it lies, which runtime/pretty.c writes when the probe is hit.
#include <fmt/format.h>

#include <algorithm>

#include "sema/lower.h"
#include "sema/place.h"
#include "types/calling_convention.h"

namespace stp::sema {

using prog::Expr;
using prog::Type;
using types::Kind;

namespace {

bool has_members(const types::Type* type) {
  return type && (type->kind == Kind::structure || type->kind == Kind::union_type);
}

constexpr int deepest = 12;           // structures in structures, with $$
constexpr uint64_t most_elements = 16;  // of an array

// Where a value lies: so many bytes behind the argument; or it is the argument; or it is so many bytes
// behind the beginning of a variable that has no address, and becomes an argument of its own.
struct At {
  enum class Where { memory, argument, parts } where;
  uint64_t offset = 0;
  uint8_t bit_offset = 0, bit_size = 0;

  At behind(uint64_t bytes, uint8_t bit = 0, uint8_t bits = 0) const {
    return {where, offset + bytes, bit, bits};
  }
};
using Where = At::Where;

// char and its signed and unsigned forms. What has a name of its own (u8) is meant as a number.
bool is_character(const types::Type* type) {
  while (type && type->kind == Kind::qualifier) type = type->of;
  return type && type->kind == Kind::character;
}

// What only some of the callers tell is left out: a call by another would end the handler.
bool depends_on_caller(const types::LocPtr& loc) {
  return loc && (loc->op == types::LocOp::by_caller ||
                 std::any_of(loc->args.begin(), loc->args.end(), depends_on_caller));
}

bool has_value(const types::Variable& v) {
  const auto& where = v.location.target ? *v.location.target : v.location;
  return v.location.known() && !depends_on_caller(where.value) &&
         std::none_of(where.pieces.begin(), where.pieces.end(),
                      [](const auto& piece) { return depends_on_caller(piece.value); });
}

// So many values that are no memory are shown of all that is described.
constexpr size_t most_arguments = 64;

// What `$` and `$$` open.
int levels_of(int pretty) { return pretty >= 2 ? deepest : 1; }

}  // namespace

class Lowering::Description {
 public:
  // `bits` of a variable that has no address, from a bit on, as a number; null when they are lost.
  using Parts = std::function<Expr*(uint64_t first, uint64_t bits)>;

  // More than `room` characters are never shown, so description may end there.
  Description(const types::Provider& provider, size_t room) : provider_(provider), room_(room) {}

  // What the values described from here on lie in: this argument, or parts.
  void argument(Expr* e) {
    args_.push_back(e);
    go_to(args_.size() - 1);
  }
  void parts(Parts parts) { parts_ = std::move(parts); }
  std::vector<Expr*> arguments() const { return args_; }

  void text(const std::string& t) {
    if (length_ > room_) return;
    text_ += t;
    length_ += t.size();
  }

  // `levels`: how deep structures and arrays are opened.
  void value(const types::Type* declared, const At& at, int levels) {
    if (length_ > room_) return;
    const types::Type* type = types::strip(declared);
    if (!type) return text("?");
    switch (type->kind) {
      case Kind::boolean:
      case Kind::integer:
      case Kind::enumeration:
        return number(type->is_signed ? 'i' : 'u', type->size, at);
      case Kind::character:
        if (is_character(declared) && !at.bit_size) return number('c', 1, at);
        return number(type->is_signed ? 'i' : 'u', type->size, at);
      case Kind::pointer:
        if (is_character(type->of)) return conversion("S", at, 8);
        return number('p', type->size, at);
      case Kind::array:
        return array(*type, at, levels);
      case Kind::structure:
      case Kind::union_type:
        return structure(*type, at, levels);
      default:
        return text("?");
    }
  }

  const std::string& whole() const { return text_; }

 private:
  // `bytes`: how many of the argument it takes.
  void conversion(const std::string& what, const At& at, uint64_t bytes) {
    if (at.where == Where::parts && !part(at, bytes)) return text("?");
    text_ += "%" + what;
    if (at.where == Where::memory) text_ += fmt::format("@{}", at.offset);
    // A part begins with the bit-field.
    uint8_t first = at.where == Where::parts ? 0 : at.bit_offset;
    if (at.bit_size) text_ += fmt::format(":{}:{}", first, at.bit_size);
    ++length_;
  }

  // Makes arguments of what lies there, 8 bytes each. False when some of it is lost.
  bool part(const At& at, uint64_t bytes) {
    std::vector<Expr*> found;
    uint64_t first = at.offset * 8 + at.bit_offset, bits = at.bit_size ? at.bit_size : bytes * 8;
    for (uint64_t done = 0; done < bits; done += 64) {
      found.push_back(parts_(first + done, std::min<uint64_t>(bits - done, 64)));
      if (!found.back() || args_.size() + found.size() > most_arguments) return false;
    }
    if (found.empty()) return false;
    go_to(args_.size());
    args_.insert(args_.end(), found.begin(), found.end());
    return true;
  }

  void go_to(size_t argument) {
    for (; current_ < argument; ++current_) text_ += "%>";
  }

  void number(char kind, uint64_t size, const At& at) {
    if (size != 1 && size != 2 && size != 4 && size != 8) return text("?");
    conversion(fmt::format("{}{}", kind, size), at, size);
  }

  void array(const types::Type& type, const At& at, int levels) {
    const types::Type* element = types::strip(type.of);
    if (at.where == Where::argument) return text("?");
    if (type.count && is_character(type.of))
      return conversion(fmt::format("s{}", *type.count), at, *type.count);
    if (levels <= 0 || !type.count || !element || !element->size) return text("[...]");
    text("[");
    for (uint64_t i = 0; i < *type.count; ++i) {
      if (i) text(", ");
      if (i == most_elements) {
        text("...");
        break;
      }
      value(type.of, at.behind(i * element->size), levels - 1);
    }
    text("]");
  }

  void structure(const types::Type& type, const At& at, int levels) {
    if (at.where == Where::argument) return text("?");
    if (levels <= 0) return text("{...}");
    text("{");
    bool first = true;
    members(type, at, levels, first);
    text("}");
  }

  // Those of an anonymous structure show through.
  void members(const types::Type& type, const At& base, int levels, bool& first) {
    for (const types::Member& m : provider_.members(type)) {
      if (length_ > room_) return;
      const types::Type* inner = types::strip(m.type);
      if (!m.through.empty()) continue;  // one place in the text is one place in memory
      if (m.name.empty()) {
        if (has_members(inner)) members(*inner, base.behind(m.offset), levels, first);
        continue;
      }
      text(fmt::format("{}.{}=", first ? "" : ", ", m.name));
      first = false;
      value(m.type, base.behind(m.offset, m.bit_offset, m.bit_size), levels - 1);
    }
  }

  const types::Provider& provider_;
  size_t room_;
  Parts parts_;
  std::vector<Expr*> args_;
  size_t current_ = 0;  // which of them the text has come to
  std::string text_;
  size_t length_ = 0;  // of the shortest text that can come of it
};

// What is shown of a place: behind a pointer to a structure, the structure.
Lowering::Place Lowering::shown(const Place& p, const Span& span) {
  const types::Type* type = types::strip(p.type);
  bool leads_on = type && type->kind == Kind::pointer && has_members(types::strip(type->of));
  if (leads_on && p.target) return target_of(p, 0, span).value_or(p);
  if (leads_on)
    return {type->of, read(p, span), true};
  bool compound = has_members(type) || (type && type->kind == Kind::array);
  if (p.parts.empty() || compound) return p;
  return {p.type, read(p, span), false};
}

// Adds what a place that shown() gave holds.
void Lowering::describe(Description& description, const Place& p, int dollars, const Span& span) {
  int levels = levels_of(dollars);
  if (p.parts.empty()) {
    description.argument(p.at);
    Where where = p.in_memory ? Where::memory : Where::argument;
    return description.value(p.type, {where, 0, p.bit_offset, p.bit_size}, levels);
  }
  description.parts([&, whole = p](uint64_t first, uint64_t bits) {
    Place part = whole;
    part.first_bit += first;
    part.bit_offset = 0;
    return unless_lost([&] { return read_parts(part, bits, span); });
  });
  description.value(p.type, {Where::parts}, levels);
}

// Null instead of an error.
Expr* Lowering::unless_lost(const std::function<Expr*()>& lower) {
  size_t mark = diagnostics().mark(), before = diagnostics().errors();
  Expr* e = lower();
  bool failed = diagnostics().errors() != before;
  diagnostics().rewind(mark);
  return failed ? nullptr : e;
}

Expr* Lowering::pretty(const Place& place, int dollars, const Span& span) {
  Description description(*provider_, program().limits.string_size);
  describe(description, shown(place, span), dollars, span);
  return program().expr(Type::string, span,
                        prog::PrintExpr{0, description.arguments(), true, description.whole()});
}

// The variables that $$parms and its kin mean.
std::vector<types::Variable> Lowering::group_members(const std::string& name) {
  using Surround = probes::Surroundings::Kind;
  std::vector<types::Variable> variables;
  if (surroundings_->call_variables) {
    for (const auto& v : *surroundings_->call_variables)
      if ((v.name == "return") == (name == "$return") && name != "$locals") variables.push_back(v);
  } else if (name == "$return") {
    auto answer = provider_->return_value(surroundings_->place.function);
    if (surroundings_->kind == Surround::at_return && types::get(answer))
      variables.push_back({"return", types::get(answer)->type, types::get(answer)->location, false});
  } else if (surroundings_->kind == Surround::hook) {
    variables = hook_arguments();
  } else if (surroundings_->kind == Surround::tracepoint) {
    variables = types::tracepoint_arguments(*provider_, surroundings_->tracepoint.params).each;
  } else {
    auto answer = provider_->variables(surroundings_->place);
    if (auto* all = types::get(answer))
      for (const auto& v : *all)
        if ((name != "$parms" || v.parameter) && (name != "$locals" || !v.parameter))
          variables.push_back(v);
  }
  return variables;
}

Expr* Lowering::target_group(const ast::Target& t, const Span& span) {
  using Surround = probes::Surroundings::Kind;
  auto fail = [&](Code code, const std::string& text) {
    return error(code, span, text, Type::string);
  };
  bool at_return = surroundings_->kind == Surround::at_return;
  bool tracepoint = surroundings_->kind == Surround::tracepoint;
  if (t.address_of || !t.accesses.empty())
    return fail(Code::bad_access, fmt::format("'${}' is text: it has no parts and no address", t.name));
  if (tracepoint && (t.name == "$name" || t.name == "$system")) {
    const types::Tracepoint& its = surroundings_->tracepoint;
    return program().expr(Type::string, span,
                          prog::StringConst{t.name == "$name" ? its.name : its.system});
  }
  if (t.name == "$return" && !at_return)
    return fail(Code::no_variable, "$$return exists only in probes of a function's return");
  constexpr std::string_view names[] = {"$vars", "$parms", "$locals", "$return"};
  if (std::find(std::begin(names), std::end(names), t.name) == std::end(names))
    return fail(Code::no_variable,
                fmt::format("there is no '${}' here: {}$$vars, $$parms, $$locals{}", t.name,
                            tracepoint ? "$$name, $$system, " : "", at_return ? ", $$return" : ""));
  auto lower = [&] {
    std::vector<types::Variable> variables = group_members(t.name);
    return t.pretty ? pretty_group(variables, t.pretty, span) : plain_group(variables, span);
  };
  bool kept = at_return && !at_entry_ && t.name != "$return";
  return kept ? kept_from_entry(lower, span) : lower();
}

// Null when a part of it is lost.
Expr* Lowering::number_of(const types::Variable& v, const Span& span) {
  return unless_lost([&]() -> Expr* {
    auto place = place_of(v, span);
    return place ? read(*place, span) : nullptr;
  });
}

// $$parms, $$vars, $$locals, $$return: "name=0x1 name=0x2".
Expr* Lowering::plain_group(const std::vector<types::Variable>& variables, const Span& span) {
  std::string text, letters;
  prog::PrintExpr print{0, {}, true};
  for (const auto& v : variables) {
    const types::Type* type = types::strip(v.type);
    bool readable = type && has_value(v) && !has_members(type) && type->kind != Kind::floating &&
                    type->size <= 8 && print.args.size() < 30;
    Expr* number = readable ? number_of(v, span) : nullptr;
    text += (text.empty() ? "" : " ") + v.name + (number ? "=%#x" : "=?");
    if (!number) continue;
    print.args.push_back(number);
    letters += 'l';
  }
  print.format = format(text, letters);
  return program().expr(Type::string, span, print);
}

// $$parms$ and its kin: "name={.a=1} name=2".
Expr* Lowering::pretty_group(const std::vector<types::Variable>& variables, int dollars,
                             const Span& span) {
  if (variables.empty()) return program().expr(Type::string, span, prog::StringConst{""});
  Description description(*provider_, program().limits.string_size);
  for (const auto& v : variables) {
    description.text((&v == &variables.front() ? "" : " ") + v.name + "=");
    size_t mark = diagnostics().mark(), before = diagnostics().errors();
    auto place = has_value(v) ? place_of(v, span) : std::nullopt;
    if (place) place = shown(*place, span);
    bool failed = diagnostics().errors() != before;
    diagnostics().rewind(mark);
    if (place && !failed)
      describe(description, *place, dollars, span);
    else
      description.text("?");
  }
  return program().expr(Type::string, span,
                        prog::PrintExpr{0, description.arguments(), true, description.whole()});
}

}  // namespace stp::sema
