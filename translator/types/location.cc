// Builders of location trees. Operations on constants are done at once: DWARF expressions are full
// of "register plus 0".
#include "types/location.h"

#include <optional>
#include <utility>

namespace stp::types {
namespace {

LocPtr make(LocOp op, int64_t value, uint8_t size = 8, std::vector<LocPtr> args = {}) {
  return std::make_shared<Loc>(Loc{op, value, size, std::move(args)});
}

// Nothing where C would not give a value, or the run-time should report it.
std::optional<int64_t> fold(LocOp op, int64_t a, int64_t b) {
  auto ua = static_cast<uint64_t>(a), ub = static_cast<uint64_t>(b);
  auto wrap = [](uint64_t value) { return static_cast<int64_t>(value); };
  switch (op) {
    case LocOp::add:
      return wrap(ua + ub);
    case LocOp::sub:
      return wrap(ua - ub);
    case LocOp::mul:
      return wrap(ua * ub);
    case LocOp::bit_and:
      return a & b;
    case LocOp::bit_or:
      return a | b;
    case LocOp::bit_xor:
      return a ^ b;
    case LocOp::shl:
      return ub < 64 ? wrap(ua << ub) : 0;
    case LocOp::shr:
      return ub < 64 ? wrap(ua >> ub) : 0;
    default:
      return std::nullopt;
  }
}

}  // namespace

LocPtr loc_constant(int64_t value) { return make(LocOp::constant, value); }
LocPtr loc_reg(int dwarf_register) { return make(LocOp::reg, dwarf_register); }
LocPtr loc_argument(int index) { return make(LocOp::argument, index); }
LocPtr loc_address(uint64_t link_address) {
  return make(LocOp::address, static_cast<int64_t>(link_address));
}
LocPtr loc_deref(LocPtr address, uint8_t size) {
  return make(LocOp::deref, 0, size, {std::move(address)});
}

LocPtr loc_binary(LocOp op, LocPtr a, LocPtr b) {
  bool second_constant = b->op == LocOp::constant;
  if (a->op == LocOp::constant && second_constant)
    if (auto value = fold(op, a->value, b->value)) return loc_constant(*value);
  if ((op == LocOp::add || op == LocOp::sub) && second_constant) {
    if (b->value == 0) return a;
    uint64_t delta =
        op == LocOp::add ? static_cast<uint64_t>(b->value) : 0 - static_cast<uint64_t>(b->value);
    if (a->op == LocOp::address) return loc_address(static_cast<uint64_t>(a->value) + delta);
    // (x + 8) + 16 is x + 24.
    if (a->op == LocOp::add && a->args[1]->op == LocOp::constant)
      return loc_binary(
          LocOp::add, a->args[0],
          loc_constant(static_cast<int64_t>(static_cast<uint64_t>(a->args[1]->value) + delta)));
    return make(LocOp::add, 0, 8, {std::move(a), loc_constant(static_cast<int64_t>(delta))});
  }
  return make(op, 0, 8, {std::move(a), std::move(b)});
}

LocPtr loc_in_sections(const LocPtr& loc, const std::function<uint32_t(uint64_t)>& section_of) {
  if (!loc) return loc;
  Loc moved = *loc;
  if (moved.op == LocOp::address) moved.section = section_of(static_cast<uint64_t>(moved.value));
  for (LocPtr& arg : moved.args) arg = loc_in_sections(arg, section_of);
  return std::make_shared<Loc>(std::move(moved));
}

}  // namespace stp::types
