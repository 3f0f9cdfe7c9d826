// Variables that are not in memory and more than one number: structures that lie in registers, as
// functions take and return them, and what compilers have taken apart. A member is read from the
// parts that hold it; what other parts have lost does not matter to it.
#include <fmt/format.h>

#include <algorithm>

#include "sema/lower.h"
#include "sema/place.h"

namespace stp::sema {

using prog::Expr;
using prog::Type;
using types::Kind;
using types::LocOp;
using types::LocPtr;

namespace {

LocPtr masked(LocPtr value, uint64_t bits) {
  if (bits >= 64) return value;
  return types::loc_binary(LocOp::bit_and, std::move(value),
                           types::loc_constant(static_cast<int64_t>((1ULL << bits) - 1)));
}

// `bits` of a part from bit `first` on; null when it is lost.
LocPtr bits_of(const types::Location::Piece& part, uint64_t first, uint64_t bits) {
  if (!part.value) return nullptr;
  if (part.kind == types::Location::Kind::value)
    return masked(types::loc_binary(LocOp::shr, part.value,
                                    types::loc_constant(static_cast<int64_t>(first))),
                  bits);
  // Memory is read in powers of two, from the byte that the bits begin in.
  uint64_t shift = first % 8, size = 1;
  while (size < 8 && size * 8 < shift + bits) size *= 2;
  if (size * 8 < shift + bits) return nullptr;
  LocPtr address = types::loc_binary(LocOp::add, part.value,
                                     types::loc_constant(static_cast<int64_t>(first / 8)));
  return masked(types::loc_binary(LocOp::shr, types::loc_deref(address, static_cast<uint8_t>(size)),
                                  types::loc_constant(static_cast<int64_t>(shift))),
                bits);
}

}  // namespace

// At most 64 bits from where the place begins, zero-extended.
Expr* Lowering::read_parts(const Place& p, uint64_t bits, const Span& span) {
  LocPtr whole = types::loc_constant(0);
  uint64_t start = 0, wanted = p.first_bit + p.bit_offset, end = wanted + bits, found = 0;
  for (const auto& part : p.parts) {
    uint64_t from = std::max(start, wanted), to = std::min(start + part.bits, end);
    if (from < to) {
      LocPtr value = bits_of(part, from - start, to - from);
      if (!value)
        return error(Code::no_location, span,
                     fmt::format("{} is not kept at this place",
                                 p.parts.size() > 1 ? "this part of the variable" : "the variable"));
      LocPtr moved = types::loc_binary(LocOp::shl, value,
                                       types::loc_constant(static_cast<int64_t>(from - wanted)));
      whole = found ? types::loc_binary(LocOp::bit_or, whole, moved) : moved;
      found += to - from;
    }
    start += part.bits;
  }
  if (found < bits)
    return error(Code::no_location, span, "this part of the variable is not kept at this place");
  return program().expr(Type::number, span, prog::LocExpr{whole});
}

// At most 64 bits that lie in one register or in memory side by side: they can be written to as well. Null
// when they do not.
Expr* Lowering::in_one_part(const Place& p, uint64_t bits, bool is_signed, const Span& span) {
  uint64_t start = 0, first = p.first_bit + p.bit_offset;
  for (const auto& part : p.parts) {
    bool inside = first >= start && first + bits <= start + part.bits && part.value && bits > 0;
    uint64_t at = first - start;
    start += part.bits;
    if (!inside) continue;
    if (part.kind == types::Location::Kind::value) {
      if (part.value->op != LocOp::reg || at + bits > 64) return nullptr;
      return program().expr(Type::number, span,
                            prog::RegisterBitsExpr{part.value->value, static_cast<uint8_t>(at),
                                                   static_cast<uint8_t>(bits), is_signed});
    }
    uint64_t shift = at % 8, size = 1;
    while (size < 8 && size * 8 < shift + bits) size *= 2;
    if (size * 8 < shift + bits) return nullptr;
    LocPtr address = types::loc_binary(LocOp::add, part.value,
                                       types::loc_constant(static_cast<int64_t>(at / 8)));
    bool whole = shift == 0 && bits == size * 8;
    Expr* byte = program().expr(Type::number, span, prog::LocExpr{address});
    return program().expr(Type::number, span,
                          prog::LoadExpr{byte, static_cast<uint8_t>(size), is_signed,
                                         static_cast<uint8_t>(whole ? 0 : shift),
                                         static_cast<uint8_t>(whole ? 0 : bits)});
  }
  return nullptr;
}

// One -> or [ ], which must be a number here: registers have no address. False after an error.
bool Lowering::step_in_parts(Place& p, const ast::Access& access) {
  const types::Type* type = types::strip(p.type);
  auto fail = [&](Code code, const std::string& text) {
    diagnostics().error(code, access.span, text);
    return false;
  };
  if (access.kind == ast::Access::Kind::index) {
    const types::Type* element = type->kind == Kind::array ? types::strip(type->of) : nullptr;
    if (!element || element->size == 0)
      return fail(Code::bad_access, fmt::format("{} has no elements", types::spell(p.type)));
    auto* index = std::get_if<prog::NumberConst>(&value(*access.index, Type::number)->node);
    if (!index || index->value < 0 || static_cast<uint64_t>(index->value) >= type->count.value_or(0))
      return fail(Code::bad_access,
                  "this array is in registers: its elements have constant numbers, below its size");
    p.first_bit += static_cast<uint64_t>(index->value) * element->size * 8;
    p.type = type->of;
    return true;
  }
  if (type->kind != Kind::structure && type->kind != Kind::union_type)
    return fail(Code::bad_access,
                fmt::format("{} has no member '{}'", types::spell(p.type), access.member));
  auto answer = types::find_member(*provider_, *type, access.member);
  if (auto* lack = std::get_if<types::Lack>(&answer)) {
    auto& e = diagnostics().error(Code::no_member, access.span, lack->detail);
    for (const auto& near : lack->alike()) e.note(fmt::format("did you mean '{}'?", near));
    return false;
  }
  const types::Member& member = *types::get(answer);
  if (!member.through.empty())
    return fail(Code::bad_access, fmt::format("'{}' is in a virtual base class, and the object has no "
                                              "address", access.member));
  p.first_bit += member.offset * 8;
  p.bit_offset = member.bit_offset;
  p.bit_size = member.bit_size;
  p.type = member.type;
  return true;
}

// What a pointer without a value points at, or that many elements behind it. None after an error.
std::optional<Lowering::Place> Lowering::target_of(const Place& p, int64_t element, const Span& span) {
  using Where = types::Location::Kind;
  const types::Type* to = types::strip(p.type)->of;
  const types::Type* bare = types::strip(to);
  int64_t size = bare ? static_cast<int64_t>(bare->size) : 0, offset = 0;
  bool inside = !__builtin_mul_overflow(element, size, &offset) &&
                !__builtin_add_overflow(offset, p.target_offset, &offset) && offset >= 0 &&
                offset < 1 << 24;
  types::Variable pointed{"", to, *p.target};
  if (pointed.location.kind == Where::value)
    pointed.location = {Where::pieces, nullptr, {{Where::value, p.target->value, 64}}};
  auto place = inside && (offset == 0 || !p.target->target) ? place_of(pointed, span) : std::nullopt;
  if (!place) {
    diagnostics().error(Code::no_location, span, "what this pointer points at there is not known");
    return std::nullopt;
  }
  if (place->in_memory)
    place->at = program().expr(Type::number, span,
                               prog::BinaryExpr{ast::BinaryOp::add, place->at, constant(offset, span)});
  else
    place->first_bit = static_cast<uint64_t>(offset) * 8;
  return place;
}

// One -> or [ ] from such a pointer. False after an error.
bool Lowering::step_to_target(Place& p, const ast::Access& access) {
  auto fail = [&](const std::string& text) {
    diagnostics().error(Code::bad_access, access.span, text);
    return false;
  };
  const types::Type* to = types::strip(types::strip(p.type)->of);
  bool structure = to && (to->kind == Kind::structure || to->kind == Kind::union_type);
  bool member = access.kind != ast::Access::Kind::index;
  if (member && !structure)
    return fail(fmt::format("{} has no member '{}'", types::spell(p.type), access.member));
  if (!to || to->size == 0)
    return fail(fmt::format("elements of {} have no size", types::spell(p.type)));
  int64_t element = 0;
  if (!member) {
    auto* index = std::get_if<prog::NumberConst>(&value(*access.index, Type::number)->node);
    if (!index) return fail("what this points at has no address: elements have constant numbers");
    element = index->value;
  }
  auto place = target_of(p, element, access.span);
  if (!place) return false;
  p = *place;
  return member ? step(p, access) : true;
}

}  // namespace stp::sema
