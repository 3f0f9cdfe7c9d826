// Builders of location trees. Operations on constants are done at once: DWARF expressions are full
// of "register plus 0".
#include "types/location.h"

#include <fmt/format.h>

#include <iterator>
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
    case LocOp::eq:
      return a == b;
    case LocOp::ne:
      return a != b;
    case LocOp::lt:
      return a < b;
    case LocOp::le:
      return a <= b;
    case LocOp::gt:
      return a > b;
    case LocOp::ge:
      return a >= b;
    default:
      return std::nullopt;
  }
}

}  // namespace

const char* infix(LocOp op) {
  switch (op) {
    case LocOp::add:
      return "+";
    case LocOp::sub:
      return "-";
    case LocOp::mul:
      return "*";
    case LocOp::div:
      return "/";
    case LocOp::mod:
      return "%";
    case LocOp::bit_and:
      return "&";
    case LocOp::bit_or:
      return "|";
    case LocOp::bit_xor:
      return "^";
    case LocOp::shl:
      return "<<";
    case LocOp::shr:
      return ">>";
    case LocOp::eq:
      return "==";
    case LocOp::ne:
      return "!=";
    case LocOp::lt:
      return "<";
    case LocOp::le:
      return "<=";
    case LocOp::gt:
      return ">";
    case LocOp::ge:
      return ">=";
    default:
      return nullptr;
  }
}

namespace {

// System V ABI, AMD64 supplement, figure 3.36; 16 is the return address' column.
constexpr const char* register_names[] = {"rax", "rdx", "rcx", "rbx", "rsi", "rdi",
                                          "rbp", "rsp", "r8",  "r9",  "r10", "r11",
                                          "r12", "r13", "r14", "r15", "rip"};

// What C has no operator for on numbers that are otherwise signed.
const char* function(LocOp op) {
  switch (op) {
    case LocOp::udiv:
      return "udiv";
    case LocOp::umod:
      return "umod";
    case LocOp::ult:
      return "ult";
    case LocOp::ule:
      return "ule";
    case LocOp::ugt:
      return "ugt";
    case LocOp::uge:
      return "uge";
    default:
      return "sar";
  }
}

std::string number(int64_t value) {
  return value > -65536 && value < 65536 ? fmt::format("{}", value)
                                         : fmt::format("{:#x}", static_cast<uint64_t>(value));
}

std::string words(const Loc& loc, bool nested) {
  auto arg = [&](size_t i) { return words(*loc.args[i], true); };
  auto bare = [&](size_t i) { return words(*loc.args[i], false); };
  switch (loc.op) {
    case LocOp::constant:
      return number(loc.value);
    case LocOp::address:
      return fmt::format("{:#x}", static_cast<uint64_t>(loc.value));
    case LocOp::reg:
      return loc.value >= 0 && loc.value < std::ssize(register_names)
                 ? register_names[loc.value]
                 : fmt::format("register {}", loc.value);
    case LocOp::argument:
      return fmt::format("argument {}", loc.value + 1);
    case LocOp::thread:
      return "fs_base";
    case LocOp::deref:
      return fmt::format("u{}[{}]", loc.size * 8, bare(0));
    case LocOp::neg:
      return "-" + arg(0);
    case LocOp::bit_not:
      return "~" + arg(0);
    case LocOp::abs:
      return fmt::format("abs({})", bare(0));
    case LocOp::sar:
    case LocOp::udiv:
    case LocOp::umod:
    case LocOp::ult:
    case LocOp::ule:
    case LocOp::ugt:
    case LocOp::uge:
      return fmt::format("{}({}, {})", function(loc.op), bare(0), bare(1));
    case LocOp::select:
      return fmt::format("select({}, {}, {})", bare(0), bare(1), bare(2));
    case LocOp::by_caller: {
      std::string text = "by_caller(" + bare(0);
      for (size_t i = 1; i + 1 < loc.args.size(); i += 2)
        text += fmt::format(", ({}, {})", bare(i), bare(i + 1));
      return text + ")";
    }
    default:
      break;
  }
  const Loc& right = *loc.args[1];
  bool minus = loc.op == LocOp::add && right.op == LocOp::constant && right.value < 0 &&
               right.value > -65536;
  std::string text = minus ? fmt::format("{} - {}", arg(0), -right.value)
                           : fmt::format("{} {} {}", arg(0), infix(loc.op), arg(1));
  return nested ? "(" + text + ")" : text;
}

std::string words(Location::Kind kind, const Loc& loc) {
  bool plain = loc.op == LocOp::reg || loc.op == LocOp::argument;
  const char* how = kind == Location::Kind::memory ? "at" : plain ? "in" : "computed:";
  return fmt::format("{} {}", how, words(loc, false));
}

}  // namespace

LocPtr loc_constant(int64_t value) { return make(LocOp::constant, value); }
LocPtr loc_reg(int dwarf_register) { return make(LocOp::reg, dwarf_register); }
LocPtr loc_thread() { return make(LocOp::thread, 0); }
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

std::string spell(const Location& location) {
  if (location.kind == Location::Kind::pointer)
    return fmt::format("pointer to ({}) + {}", spell(*location.target), location.offset);
  if (location.kind != Location::Kind::pieces)
    return location.value ? words(location.kind, *location.value) : "nowhere";
  std::string text;
  for (const auto& piece : location.pieces) {
    bool whole = piece.bits % 8 == 0;
    text += fmt::format("{}{} {} {}", text.empty() ? "" : ", ", whole ? piece.bits / 8 : piece.bits,
                        whole ? "bytes" : "bits",
                        piece.value ? words(piece.kind, *piece.value) : "lost");
  }
  return text;
}

}  // namespace stp::types
