// Variables of the probed code as text: $x$, $x$$, @cast(...)$, $$parms$$ and their kin
// (stapprobes(3stap), CONTEXT VARIABLES).
//
// The types are walked here; what comes out is a description of the text and of where each value
// in it lies, which runtime/pretty.c writes when the probe is hit.
#include <fmt/format.h>

#include "sema/lower.h"
#include "sema/place.h"

namespace stp::sema {

using prog::Expr;
using prog::Type;
using types::Kind;

namespace {

constexpr int deepest = 12;           // structures in structures, with $$
constexpr uint64_t most_elements = 16;  // of an array

// Where a value lies: so many bytes behind the argument, or it is the argument.
struct At {
  explicit At(uint64_t behind, uint8_t bit = 0, uint8_t bits = 0)
      : offset(behind), bit_offset(bit), bit_size(bits) {}
  At(bool in_memory, uint8_t bit, uint8_t bits) : bit_offset(bit), bit_size(bits) {
    if (in_memory) offset = 0;
  }
  std::optional<uint64_t> offset;
  uint8_t bit_offset, bit_size;
};

// char and its signed and unsigned forms. What has a name of its own (u8) is meant as a number.
bool is_character(const types::Type* type) {
  while (type && type->kind == Kind::qualifier) type = type->of;
  return type && type->kind == Kind::character;
}

bool has_value(const types::Variable& v) {
  return v.location.value || !v.location.pieces.empty();
}

bool has_members(const types::Type* type) {
  return type && (type->kind == Kind::structure || type->kind == Kind::union_type);
}

class Description {
 public:
  // More than `room` characters are never shown, so description may end there.
  Description(const types::Provider& provider, size_t room) : provider_(provider), room_(room) {}

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
        if (is_character(type->of)) return conversion("S", at);
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

  void next_argument() { text_ += "%>"; }
  const std::string& whole() const { return text_; }

 private:
  void conversion(const std::string& what, const At& at) {
    text_ += "%" + what;
    if (at.offset) text_ += fmt::format("@{}", *at.offset);
    if (at.bit_size) text_ += fmt::format(":{}:{}", at.bit_offset, at.bit_size);
    ++length_;
  }

  void number(char kind, uint64_t size, const At& at) {
    if (size != 1 && size != 2 && size != 4 && size != 8) return text("?");
    conversion(fmt::format("{}{}", kind, size), at);
  }

  void array(const types::Type& type, const At& at, int levels) {
    const types::Type* element = types::strip(type.of);
    if (!at.offset) return text("?");
    if (type.count && is_character(type.of))
      return conversion(fmt::format("s{}", *type.count), at);
    if (levels <= 0 || !type.count || !element || !element->size) return text("[...]");
    text("[");
    for (uint64_t i = 0; i < *type.count; ++i) {
      if (i) text(", ");
      if (i == most_elements) {
        text("...");
        break;
      }
      value(type.of, At(*at.offset + i * element->size), levels - 1);
    }
    text("]");
  }

  void structure(const types::Type& type, const At& at, int levels) {
    if (!at.offset) return text("?");
    if (levels <= 0) return text("{...}");
    text("{");
    bool first = true;
    members(type, *at.offset, levels, first);
    text("}");
  }

  // Those of an anonymous structure show through.
  void members(const types::Type& type, uint64_t base, int levels, bool& first) {
    for (const types::Member& m : provider_.members(type)) {
      if (length_ > room_) return;
      const types::Type* inner = types::strip(m.type);
      if (m.name.empty()) {
        if (has_members(inner)) members(*inner, base + m.offset, levels, first);
        continue;
      }
      text(fmt::format("{}.{}=", first ? "" : ", ", m.name));
      first = false;
      value(m.type, At(base + m.offset, m.bit_offset, m.bit_size), levels - 1);
    }
  }

  const types::Provider& provider_;
  size_t room_;
  std::string text_;
  size_t length_ = 0;  // of the shortest text that can come of it
};

// What `$` and `$$` open.
int levels_of(int pretty) { return pretty >= 2 ? deepest : 1; }

}  // namespace

// What is shown of a place: behind a pointer to a structure, the structure.
Lowering::Place Lowering::shown(const Place& p, const Span& span) {
  const types::Type* type = types::strip(p.type);
  if (type && type->kind == Kind::pointer && has_members(types::strip(type->of)))
    return {type->of, read(p, span), true};
  if (p.parts.empty()) return p;
  // What is in registers and no number has no text yet: "?".
  bool compound = has_members(type) || (type && type->kind == Kind::array);
  return {p.type, compound ? constant(0, span) : read(p, span), false};
}

Expr* Lowering::pretty(const Place& place, int dollars, const Span& span) {
  Place p = shown(place, span);
  Description description(*provider_, program().limits.string_size);
  description.value(p.type, At(p.in_memory, p.bit_offset, p.bit_size), levels_of(dollars));
  return program().expr(Type::string, span,
                        prog::PrintExpr{0, {p.at}, true, description.whole()});
}

// The variables that $$parms and its kin mean.
std::vector<types::Variable> Lowering::group_members(const std::string& name) {
  using Surround = probes::Surroundings::Kind;
  std::vector<types::Variable> variables;
  if (name == "$return") {
    auto answer = provider_->return_value(surroundings_->place.function);
    if (surroundings_->kind == Surround::at_return && types::get(answer))
      variables.push_back({"return", types::get(answer)->type, types::get(answer)->location, false});
  } else if (surroundings_->kind == Surround::tracepoint) {
    int i = 0;
    for (const auto& p : surroundings_->tracepoint.params)
      variables.push_back(
          {p.name, p.type, {types::Location::Kind::value, types::loc_argument(i++), {}}, true});
  } else {
    auto answer = provider_->variables(surroundings_->place);
    if (auto* all = types::get(answer))
      for (const auto& v : *all)
        if ((name != "$parms" || v.parameter) && (name != "$locals" || !v.parameter))
          variables.push_back(v);
  }
  return variables;
}

Expr* Lowering::target_group(const std::string& name, int dollars, const Span& span) {
  using Surround = probes::Surroundings::Kind;
  auto lower = [&] {
    std::vector<types::Variable> variables = group_members(name);
    return dollars ? pretty_group(variables, dollars, span) : plain_group(variables, span);
  };
  bool kept = surroundings_->kind == Surround::at_return && !at_entry_ && name != "$return";
  return kept ? kept_from_entry(lower, span) : lower();
}

// Null when a part of it is lost.
Expr* Lowering::number_of(const types::Variable& v, const Span& span) {
  size_t mark = diagnostics().mark(), before = diagnostics().errors();
  auto place = place_of(v, span);
  Expr* number = place ? read(*place, span) : nullptr;
  bool failed = diagnostics().errors() != before;
  diagnostics().rewind(mark);
  return failed ? nullptr : number;
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
  prog::PrintExpr print{0, {}, true};
  for (const auto& v : variables) {
    description.text((&v == &variables.front() ? "" : " ") + v.name + "=");
    size_t mark = diagnostics().mark(), before = diagnostics().errors();
    auto place = has_value(v) ? place_of(v, span) : std::nullopt;
    if (place) place = shown(*place, span);
    bool failed = diagnostics().errors() != before;
    diagnostics().rewind(mark);
    if (!place || failed) {
      description.text("?");
      continue;
    }
    const Place& p = *place;
    if (!print.args.empty()) description.next_argument();
    print.args.push_back(p.at);
    description.value(p.type, At(p.in_memory, p.bit_offset, p.bit_size), levels_of(dollars));
  }
  print.description = description.whole();
  return program().expr(Type::string, span, std::move(print));
}

}  // namespace stp::sema
