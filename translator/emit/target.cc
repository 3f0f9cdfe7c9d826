// Values of the probed code: location trees to C, and memory read and written there.
//
// All is s64, as script values are; what DWARF means as unsigned is cast where it matters.
// Addresses of the image are moved by stp_address() to where the kernel was loaded, those of a module
// by stp_section_address().
#include <cstdlib>
#include <iterator>

#include "emit/body.h"

namespace stp::emit_c {

using namespace prog;
using types::Loc;
using types::LocOp;

namespace {

// DWARF register number to the index of 8 bytes in x86-64's struct pt_regs: System V ABI, AMD64
// supplement, figure 3.36; arch/x86/include/asm/ptrace.h. 16 is the return address' column: ip.
constexpr int pt_regs_index[] = {10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16};
constexpr int64_t known_registers = std::size(pt_regs_index);

// C's operator for two u64, or null.
const char* unsigned_comparison(LocOp op) {
  switch (op) {
    case LocOp::ult:
      return "<";
    case LocOp::ule:
      return "<=";
    case LocOp::ugt:
      return ">";
    case LocOp::uge:
      return ">=";
    default:
      return nullptr;
  }
}

// The runtime's function for two s64, or null.
const char* function(LocOp op) {
  switch (op) {
    case LocOp::udiv:
      return "stp_div_unsigned";
    case LocOp::umod:
      return "stp_mod_unsigned";
    case LocOp::shl:
      return "stp_shl";
    case LocOp::shr:
      return "stp_shr_unsigned";
    case LocOp::sar:
      return "stp_shr";
    default:
      return nullptr;
  }
}

Value select(Body& b, const Loc& loc, const Span& span) {
  Value condition = location(b, *loc.args[0], span), then, otherwise;
  std::string then_effects = b.capture([&] { then = location(b, *loc.args[1], span); });
  std::string otherwise_effects = b.capture([&] { otherwise = location(b, *loc.args[2], span); });
  std::string result = b.temp("s64 ");
  b.line("if ({}) {{", condition.text);
  b.indented(then_effects);
  b.line("{} = {};", result, then.text);
  b.line("}} else {{");
  b.indented(otherwise_effects);
  b.line("{} = {};", result, otherwise.text);
  b.line("}}");
  return {result, true};
}

// Which of the callers it is, and what the value is then.
Value by_caller(Body& b, const Loc& loc, const Span& span) {
  std::string back = b.number(location(b, *loc.args[0], span).text).text;
  std::string result = b.temp("s64 ");
  auto spelled = [&](size_t i) {
    return types::spell({types::Location::Kind::value, loc.args[i + 1], {}});
  };
  const char* otherwise = "";
  for (size_t i = 1; i + 1 < loc.args.size();) {
    std::string text = spelled(i), condition;
    Value value;
    std::string effects = b.capture([&] { value = location(b, *loc.args[i + 1], span); });
    for (; i + 1 < loc.args.size() && spelled(i) == text; i += 2)
      condition += fmt::format("{}{} == {}", condition.empty() ? "" : " || ", back,
                               location(b, *loc.args[i], span).text);
    b.line("{}if ({}) {{", otherwise, condition);
    b.indented(effects);
    b.line("\t{} = {};", result, value.text);
    otherwise = "} else ";
  }
  b.line("}} else {{");
  b.line("\t{} = stp_unknown_caller(c, {}, {});", result, back, b.module.names.place(span));
  b.line("}}");
  b.check();
  return {result, true};
}

Value read(Body& b, const char* function, const std::string& address, int size, const Span& span) {
  Value result = b.number(
      fmt::format("{}(c, {}, {}, {})", function, address, size, b.module.names.place(span)));
  b.check();
  return result;
}

// The low `bits` from bit `offset` on, widened to 64.
std::string extract(const std::string& text, int offset, int bits, bool is_signed) {
  if (offset == 0 && bits == 64) return text;
  if (offset == 0 && (bits == 8 || bits == 16 || bits == 32)) {
    const char* type = bits == 8    ? (is_signed ? "signed char" : "u8")
                       : bits == 16 ? (is_signed ? "short" : "u16")
                                    : (is_signed ? "s32" : "u32");
    return fmt::format("(s64)({}){}", type, text);
  }
  return fmt::format("{}(stp_shl({}, {}), {})", is_signed ? "stp_shr" : "stp_shr_unsigned", text,
                     64 - offset - bits, 64 - bits);
}

uint64_t mask_of(int offset, int bits) {
  return (bits < 64 ? (uint64_t{1} << bits) - 1 : ~uint64_t{0}) << offset;
}

// Not stable: in guru mode another expression may write to it.
Value register_word(int64_t dwarf_register) {
  // The resolver knows no other registers.
  if (dwarf_register < 0 || dwarf_register >= known_registers) std::abort();
  return {fmt::format("(s64)c->regs[{}]", pt_regs_index[dwarf_register]), false};
}

}  // namespace

Value location(Body& b, const Loc& loc, const Span& span) {
  auto arg = [&](size_t i) { return location(b, *loc.args[i], span); };
  switch (loc.op) {
    case LocOp::constant:
      return {c_number(loc.value), true};
    case LocOp::address:
      return {loc.section ? fmt::format("(s64)stp_section_address({}, {})", loc.section - 1,
                                        c_hex(loc.value))
                          : fmt::format("(s64)stp_address({})", c_hex(loc.value)),
              true};
    case LocOp::argument:
      return {fmt::format("(s64)c->args[{}]", loc.value), true};
    case LocOp::thread:
      return {"(s64)stp_thread_base()", true};
    case LocOp::reg:
      return register_word(loc.value);
    case LocOp::deref:
      return read(b, "stp_load", arg(0).text, loc.size, span);
    case LocOp::neg:
    case LocOp::bit_not: {
      Value v = arg(0);
      return {fmt::format("({}{})", loc.op == LocOp::neg ? "-" : "~", v.text), v.stable};
    }
    case LocOp::abs: {
      Value v = b.number(arg(0).text);
      return {fmt::format("({0} < 0 ? -{0} : {0})", v.text), true};
    }
    case LocOp::select:
      return select(b, loc, span);
    case LocOp::by_caller:
      return by_caller(b, loc, span);
    default:
      break;
  }
  Value left = arg(0), right = arg(1);
  bool stable = left.stable && right.stable;
  if (const char* op = unsigned_comparison(loc.op))
    return {fmt::format("((u64){} {} (u64){})", left.text, op, right.text), stable};
  if (const char* name = function(loc.op))
    return {fmt::format("{}({}, {})", name, left.text, right.text), stable};
  if (loc.op == LocOp::div || loc.op == LocOp::mod)
    return binary(b, loc.op == LocOp::div ? ast::BinaryOp::div : ast::BinaryOp::mod, Type::number,
                  left, right, span);
  return {fmt::format("({} {} {})", left.text, types::infix(loc.op), right.text), stable};
}

Value load_at(Body& b, const LoadExpr& l, const std::string& address, const Span& span) {
  Value v = read(b, l.user ? "stp_load_user" : "stp_load", address, l.size, span);
  int bits = l.bit_size ? l.bit_size : l.size * 8;
  return {extract(v.text, l.bit_size ? l.bit_offset : 0, bits, l.is_signed), true};
}

Value load(Body& b, const LoadExpr& l, const Expr* e) {
  return load_at(b, l, value(b, l.address).text, e->span);
}

void store_at(Body& b, const LoadExpr& l, const std::string& address, const std::string& bits,
              const Span& span) {
  std::string stored = bits;
  if (l.bit_size) {
    Value old = read(b, "stp_load", address, l.size, span);
    uint64_t mask = mask_of(l.bit_offset, l.bit_size);
    stored = fmt::format("({} & {}) | (stp_shl({}, {}) & {})", old.text, c_hex(~mask), bits,
                         l.bit_offset, c_hex(mask));
  }
  b.line("stp_store(c, {}, {}, {}, {});", address, l.size, stored, b.module.names.place(span));
  b.check();
}

bool is_register(const Expr& target) {
  return std::holds_alternative<LocExpr>(target.node) ||
         std::holds_alternative<RegisterBitsExpr>(target.node) ||
         std::holds_alternative<NarrowExpr>(target.node);
}

void store_register(Body& b, const Expr& target, const std::string& value) {
  if (auto* part = std::get_if<RegisterBitsExpr>(&target.node)) {
    int index = pt_regs_index[part->dwarf_register];
    std::string mask = c_hex(mask_of(part->first, part->bits));
    b.line("stp_set_register(c, {0}, 8, (c->regs[{0}] & ~{1}) | (stp_shl({2}, {3}) & {1}));", index,
           mask, value, part->first);
    return;
  }
  auto* narrow = std::get_if<NarrowExpr>(&target.node);
  const auto& at = std::get<LocExpr>((narrow ? narrow->operand : &target)->node);
  // Of what a probe is handed, that alone can be changed: sema/target_handed.cc.
  if (at.loc->op == LocOp::argument) {
    b.line("stp_set_verdict(c, {}, {});", value, b.module.names.place(target.span));
    return b.check();
  }
  b.line("stp_set_register(c, {}, {}, {});", pt_regs_index[at.loc->value],
         narrow ? narrow->bits / 8 : 8, value);
}

Value register_bits(const RegisterBitsExpr& r) {
  return {extract(register_word(r.dwarf_register).text, r.first, r.bits, r.is_signed), false};
}

Value narrow(Body& b, const NarrowExpr& n) {
  Value v = value(b, n.operand);
  return {extract(v.text, 0, n.bits, n.is_signed), v.stable};
}

}  // namespace stp::emit_c
