// A location description is a program for a stack machine (DWARF5 2.5, 2.6). It is run here with
// trees for values, so what comes out is the computation, not its result. At a branch, which is how
// compilers write min() and max(), both ways are run, and the condition selects one of the results; one
// whose condition is known, as in loops that count, is followed.
// Calls into the runtime's world (TLS) are refused.
//
// Values have no type but their 64 bits until an operation gives them one (DWARF5 2.5.1): then they
// are cut to its size, and divided and compared with its sign. Without one, division and comparison
// are signed and the remainder is not, as compilers mean it.
//
// Damaged expressions could double a tree with each operation, branch for ever, or call themselves:
// the number of steps, of ways, of calls and of the nodes of the result is bounded.
#include "debuginfo/dwarf_location.h"

#include <dwarf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "debuginfo/dwarf_entry.h"

namespace stp::dwarf {
namespace {

using types::Answer;
using types::Lack;
using types::Loc;
using types::Location;
using types::LocOp;
using types::LocPtr;

struct Binary {
  uint8_t atom;
  LocOp op;
};
constexpr Binary binaries[] = {
    {DW_OP_plus, LocOp::add},  {DW_OP_minus, LocOp::sub},   {DW_OP_mul, LocOp::mul},
    {DW_OP_div, LocOp::div},   {DW_OP_mod, LocOp::mod},     {DW_OP_and, LocOp::bit_and},
    {DW_OP_or, LocOp::bit_or}, {DW_OP_xor, LocOp::bit_xor}, {DW_OP_shl, LocOp::shl},
    {DW_OP_shr, LocOp::shr},   {DW_OP_shra, LocOp::sar},    {DW_OP_eq, LocOp::eq},
    {DW_OP_ne, LocOp::ne},     {DW_OP_lt, LocOp::lt},       {DW_OP_le, LocOp::le},
    {DW_OP_gt, LocOp::gt},     {DW_OP_ge, LocOp::ge},
};

// The same operation on unsigned numbers, where that makes a difference.
LocOp unsigned_form(LocOp op) {
  switch (op) {
    case LocOp::div:
      return LocOp::udiv;
    case LocOp::mod:
      return LocOp::umod;
    case LocOp::lt:
      return LocOp::ult;
    case LocOp::le:
      return LocOp::ule;
    case LocOp::gt:
      return LocOp::ugt;
    case LocOp::ge:
      return LocOp::uge;
    default:
      return op;
  }
}

// A value of the stack, with its base type.
struct Entry {
  LocPtr value;
  enum class Sign { none, is_signed, is_unsigned } sign = Sign::none;
  uint8_t size = 8;
};

LocPtr narrowed(const LocPtr& value, uint8_t size, bool is_signed) {
  if (size >= 8) return value;
  LocPtr unused = types::loc_constant(64 - size * 8);
  return types::loc_binary(is_signed ? LocOp::sar : LocOp::shr,
                           types::loc_binary(LocOp::shl, value, unused), unused);
}

// How many nodes a tree has when shared ones are written out, as they will be.
size_t written_size(const Loc& loc, std::unordered_map<const Loc*, size_t>& known) {
  if (auto at = known.find(&loc); at != known.end()) return at->second;
  size_t size = 1;
  for (const auto& arg : loc.args) size = std::min<size_t>(size + written_size(*arg, known), 1u << 20);
  return known[&loc] = size;
}
bool too_large(const LocPtr& loc) {
  std::unordered_map<const Loc*, size_t> known;
  return loc && written_size(*loc, known) > 2000;
}

LocPtr unary(LocOp op, LocPtr operand) {
  return std::make_shared<Loc>(Loc{op, 0, 8, {std::move(operand)}});
}

class Machine {
 public:
  // `attribute` is what the expression was read from; null for call frame information.
  Machine(const CodePlace& place, Dwarf_Attribute* attribute, int depth = 0)
      : place_(place), attribute_(attribute), depth_(depth) {}

  Answer<Location> run(const Dwarf_Op* ops, size_t count) {
    constexpr size_t most = 256;
    if (count > most) refuse(Lack::Kind::unusable, "its location is damaged");
    return run_from(ops, count, 0);
  }

 private:
  Answer<Location> run_from(const Dwarf_Op* ops, size_t count, size_t at) {
    constexpr int most = 2000;
    while (at < count && why_.empty()) {
      const Dwarf_Op& op = ops[at];
      if (++steps_ > most) damaged();
      if (op.atom == DW_OP_skip)
        at = target_of(ops, count, at);
      else if (op.atom == DW_OP_bra)
        return branch(ops, count, at);
      else
        step(ops[at++]);
    }
    if (why_.empty() && !stack_.empty() && too_large(stack_.back().value)) damaged();
    if (!why_.empty()) return Lack{lack_, why_, {}};
    if (!pieces_.pieces.empty()) return pieces_;
    if (pointer_.target) return pointer_;
    if (stack_.empty()) return Lack{Lack::Kind::no_value, "it was optimised out", {}};
    return Location{kind_, stack_.back().value, {}};
  }

  // Where a branch leads: to an operation, or behind the last.
  size_t target_of(const Dwarf_Op* ops, size_t count, size_t at) {
    // The operation has three bytes, its operand counts from behind it.
    uint64_t wanted = ops[at].offset + 3 + static_cast<uint64_t>(static_cast<int16_t>(ops[at].number));
    for (size_t to = 0; to < count; ++to)
      if (ops[to].offset == wanted) return to;
    if (wanted <= ops[count - 1].offset) damaged();
    return count;
  }

  Answer<Location> branch(const Dwarf_Op* ops, size_t count, size_t at) {
    LocPtr condition = pop().value;
    size_t target = target_of(ops, count, at);
    // A loop that counts, as for the swapping of bytes.
    if (condition->op == LocOp::constant)
      return run_from(ops, count, condition->value ? target : at + 1);
    if (++ways_ > 6) refuse(Lack::Kind::unusable, "its location branches too often");
    if (!why_.empty()) return Lack{lack_, why_, {}};
    Machine other = *this;
    auto taken = other.run_from(ops, count, target), on = run_from(ops, count, at + 1);
    const Location *a = types::get(taken), *b = types::get(on);
    if (!a || !b) return a ? on : taken;
    if (a->kind != b->kind || !a->value || !b->value)
      return Lack{Lack::Kind::unusable, "it depends on the path to this place where it is", {}};
    LocPtr either = std::make_shared<Loc>(Loc{LocOp::select, 0, 8, {condition, a->value, b->value}});
    return Location{a->kind, either, {}};
  }

  void refuse(Lack::Kind kind, std::string why) {
    if (!why_.empty()) return;
    lack_ = kind;
    why_ = std::move(why);
  }
  Entry pop() {
    if (stack_.empty()) {
      refuse(Lack::Kind::unusable, "its location is damaged");
      return {types::loc_constant(0)};
    }
    Entry top = stack_.back();
    stack_.pop_back();
    return top;
  }
  void push(LocPtr value) { stack_.push_back({std::move(value)}); }
  void push_number(int64_t value) { push(types::loc_constant(value)); }
  // The result of an operation on `like`.
  void push_as(const Entry& like, LocPtr value) {
    Entry result = like;
    result.value = narrowed(value, like.size, like.sign == Entry::Sign::is_signed);
    stack_.push_back(std::move(result));
  }

  void binary(const Binary& b) {
    Entry right = pop(), left = pop();
    bool compares = b.op >= LocOp::eq && b.op <= LocOp::ge;
    bool is_unsigned = left.sign == Entry::Sign::is_unsigned ||
                       (left.sign == Entry::Sign::none && b.op == LocOp::mod);
    LocPtr value =
        types::loc_binary(is_unsigned ? unsigned_form(b.op) : b.op, left.value, right.value);
    if (compares) return push(std::move(value));
    push_as(left, std::move(value));
  }

  void step(const Dwarf_Op& op) {
    uint8_t atom = op.atom;
    auto offset = static_cast<int64_t>(op.number), second = static_cast<int64_t>(op.number2);
    for (const Binary& b : binaries)
      if (b.atom == atom) return binary(b);
    if (atom >= DW_OP_lit0 && atom <= DW_OP_lit31) return push_number(atom - DW_OP_lit0);
    if (atom >= DW_OP_reg0 && atom <= DW_OP_reg31) return in_register(atom - DW_OP_reg0);
    if (atom >= DW_OP_breg0 && atom <= DW_OP_breg31) return based(atom - DW_OP_breg0, offset);
    switch (atom) {
      case DW_OP_addr:
        return push(types::loc_address(op.number));
      case DW_OP_regx:
        return in_register(static_cast<int>(op.number));
      case DW_OP_bregx:
        return based(static_cast<int>(op.number), second);
      case DW_OP_const1u:
      case DW_OP_const1s:
      case DW_OP_const2u:
      case DW_OP_const2s:
      case DW_OP_const4u:
      case DW_OP_const4s:
      case DW_OP_const8u:
      case DW_OP_const8s:
      case DW_OP_constu:
      case DW_OP_consts:
        return push_number(offset);
      case DW_OP_plus_uconst:
        return plus(offset);
      case DW_OP_neg:
        return applied(LocOp::neg);
      case DW_OP_not:
        return applied(LocOp::bit_not);
      case DW_OP_abs:
        return applied(LocOp::abs);
      case DW_OP_deref:
        return push(types::loc_deref(pop().value));
      case DW_OP_deref_size:
        return push(types::loc_deref(pop().value, static_cast<uint8_t>(op.number)));
      default:
        return rare(op);
    }
  }

  void plus(int64_t number) {
    Entry left = pop();
    push_as(left, types::loc_binary(LocOp::add, left.value, types::loc_constant(number)));
  }
  void applied(LocOp op) {
    Entry operand = pop();
    push_as(operand, unary(op, operand.value));
  }

  void rare(const Dwarf_Op& op) {
    switch (op.atom) {
      case DW_OP_dup:
        if (stack_.empty()) return damaged();
        return stack_.push_back(Entry(stack_.back()));
      case DW_OP_drop:
        pop();
        return;
      case DW_OP_swap: {
        Entry a = pop(), b = pop();
        stack_.push_back(a);
        return stack_.push_back(b);
      }
      case DW_OP_rot: {
        // The top goes below the next two.
        Entry a = pop(), b = pop(), c = pop();
        stack_.insert(stack_.end(), {a, c, b});
        return;
      }
      case DW_OP_over:
      case DW_OP_pick: {
        size_t n = op.atom == DW_OP_over ? 1 : op.number;
        if (n >= stack_.size()) return damaged();
        return stack_.push_back(Entry(stack_[stack_.size() - 1 - n]));
      }
      case DW_OP_nop:
        return;
      case DW_OP_fbreg:
        return frame_based(static_cast<int64_t>(op.number));
      case DW_OP_call_frame_cfa:
        return push(frame_address());
      case DW_OP_stack_value:
        kind_ = Location::Kind::value;
        return;
      case DW_OP_implicit_value:
        kind_ = Location::Kind::value;
        return block(op);
      case DW_OP_implicit_pointer:
      case DW_OP_GNU_implicit_pointer:
        return pointer(op);
      case DW_OP_GNU_parameter_ref:
      case DW_OP_GNU_variable_value:
        return refuse(Lack::Kind::no_value, "the compiler has removed the parameter that it is");
      case DW_OP_piece:
        return piece(op.number * 8);
      case DW_OP_bit_piece:
        return bit_piece(op.number, op.number2);
      case DW_OP_entry_value:
      case DW_OP_GNU_entry_value:
        return entry_value(op);
      default:
        return typed(op);
    }
  }

  // Operations with a base type (DWARF5 2.5.1), and those whose operand is in another section.
  void typed(const Dwarf_Op& op) {
    switch (op.atom) {
      case DW_OP_addrx:
      case DW_OP_GNU_addr_index:
      case DW_OP_constx:
      case DW_OP_GNU_const_index:
        return indexed(op);
      case DW_OP_const_type:
      case DW_OP_GNU_const_type:
        block(op);
        return convert(op);
      case DW_OP_regval_type:
      case DW_OP_GNU_regval_type:
        based(static_cast<int>(op.number), 0);
        return convert(op);
      case DW_OP_deref_type:
      case DW_OP_GNU_deref_type:
        push(types::loc_deref(pop().value, static_cast<uint8_t>(op.number)));
        return convert(op);
      case DW_OP_convert:
      case DW_OP_GNU_convert:
      case DW_OP_reinterpret:
      case DW_OP_GNU_reinterpret:
        if (op.number != 0) return convert(op);
        return push(pop().value);
      case DW_OP_form_tls_address:
      case DW_OP_GNU_push_tls_address:
        return of_thread();
      default:
        return refuse(Lack::Kind::unusable,
                      fmt::format("its location uses DWARF operation {:#x}", op.atom));
    }
  }

  // The offset in the program's block of thread-local variables. That ends at what fs is based at
  // (ELF Handling For Thread-Local Storage, variant II).
  void of_thread() {
    auto block = place_.file.thread_block();
    if (!block)
      return refuse(Lack::Kind::unusable,
                    "it is thread-local, and where the thread has those of a library only the dynamic "
                    "linker knows");
    LocPtr offset = pop().value;
    // With -gsplit-dwarf gcc 12 writes the address of the first value in the file instead.
    auto number = static_cast<uint64_t>(offset->value);
    if (offset->op == LocOp::constant && number >= block->used && number - block->image < block->used)
      offset = types::loc_constant(static_cast<int64_t>(number - block->image));
    LocPtr size = types::loc_constant(static_cast<int64_t>(block->size));
    push(types::loc_binary(LocOp::add, types::loc_thread(),
                           types::loc_binary(LocOp::sub, offset, size)));
  }

  void damaged() { refuse(Lack::Kind::unusable, "its location is damaged"); }

  void indexed(const Dwarf_Op& op) {
    Dwarf_Attribute value;
    Dwarf_Addr word = 0;
    bool constant = op.atom == DW_OP_constx || op.atom == DW_OP_GNU_const_index;
    // libdw makes data of a constant, which is no address to it.
    auto read = constant ? dwarf_formudata : dwarf_formaddr;
    if (!attribute_ || dwarf_getlocation_attr(attribute_, &op, &value) != 0 || read(&value, &word) != 0)
      return damaged();
    push(constant ? types::loc_constant(static_cast<int64_t>(word)) : types::loc_address(word));
  }

  // A constant given by its bytes.
  void block(const Dwarf_Op& op) {
    Dwarf_Attribute value;
    Dwarf_Block bytes;
    if (!attribute_ || dwarf_getlocation_attr(attribute_, &op, &value) != 0 ||
        dwarf_formblock(&value, &bytes) != 0)
      return damaged();
    if (bytes.length > 8)
      return refuse(Lack::Kind::unusable, "it is a constant of more than 8 bytes");
    int64_t number = 0;
    std::memcpy(&number, bytes.data, bytes.length);
    push_number(number);
  }

  // The top of the stack as a value of the operation's base type.
  void convert(const Dwarf_Op& op) {
    Dwarf_Die type;
    if (!why_.empty()) return;
    if (!attribute_ || dwarf_getlocation_die(attribute_, &op, &type) != 0) return damaged();
    uint64_t encoding = number(type, DW_AT_encoding).value_or(0);
    uint64_t size = number(type, DW_AT_byte_size).value_or(0);
    if (encoding == DW_ATE_float || size == 0 || size > 8)
      return refuse(Lack::Kind::unusable,
                    "it is computed with numbers that are no 64-bit integers");
    bool is_signed = encoding == DW_ATE_signed || encoding == DW_ATE_signed_char;
    Entry typed = pop();
    typed.sign = is_signed ? Entry::Sign::is_signed : Entry::Sign::is_unsigned;
    typed.size = static_cast<uint8_t>(size);
    push_as(typed, typed.value);
  }

  void in_register(int number) {
    if (number < 0 || number > 16)
      return refuse(Lack::Kind::unusable, "it is in a vector register");
    kind_ = Location::Kind::value;
    push(types::loc_reg(number));
  }
  void based(int number, int64_t offset) {
    if (number < 0 || number > 16)
      return refuse(Lack::Kind::unusable, "it is in a vector register");
    push(types::loc_binary(LocOp::add, types::loc_reg(number), types::loc_constant(offset)));
  }

  // What an expression was when the function was entered: at the entry it is so now; behind it the
  // caller may know.
  void entry_value(const Dwarf_Op& op) {
    Dwarf_Attribute inner_attribute;
    Dwarf_Op* ops = nullptr;
    size_t count = 0;
    if (!attribute_ || depth_ > 3 ||
        dwarf_getlocation_attr(attribute_, &op, &inner_attribute) != 0 ||
        dwarf_getlocation(&inner_attribute, &ops, &count) != 0)
      return damaged();
    if (!place_.at_entry) {
      bool reg = count == 1 && ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg0 + 15;
      if (!reg) return refuse(Lack::Kind::no_value, "it is computed from what was at the function's entry");
      int number = ops[0].atom - DW_OP_reg0;
      if (LocPtr passed = from_callers(number)) return push(passed);
      std::string where = types::spell({Location::Kind::value, types::loc_reg(number), {}});
      return refuse(Lack::Kind::no_value,
                    fmt::format("it was {} at the function's entry, which is not kept, and no caller "
                                "tells it", where));
    }
    auto inner = Machine(place_, &inner_attribute, depth_ + 1).run(ops, count);
    auto* location = types::get(inner);
    if (!location || !location->value) return damaged();
    push(location->value);
  }

  // What a register was when the function was entered, from what the places say that the function is
  // called from; the return address on the stack tells which of them it was. Null when none says so.
  LocPtr from_callers(int reg) {
    // Beyond that, comparing costs more than an entry probe that keeps the value.
    constexpr size_t most = 64;
    if (!place_.calls || !place_.function || place_.depth > 0) return nullptr;
    const auto& sites = place_.calls->of(*place_.function);
    if (sites.empty() || sites.size() > most) return nullptr;
    LocPtr cfa = frame_address();
    std::map<std::string, std::pair<LocPtr, std::vector<LocPtr>>> returns;  // by what was passed
    for (const CallSite& site : sites) {
      LocPtr passed = passed_at(site, reg, cfa);
      if (!passed) continue;
      auto& [value, addresses] = returns[types::spell({Location::Kind::value, passed, {}})];
      value = passed;
      addresses.push_back(types::loc_address(site.returns));
    }
    if (returns.empty() || !why_.empty()) return nullptr;
    LocPtr back = types::loc_deref(types::loc_binary(LocOp::sub, cfa, types::loc_constant(8)));
    Loc choice{LocOp::by_caller, 0, 8, {back}};
    for (auto& [text, row] : returns)
      for (const LocPtr& address : row.second)
        choice.args.insert(choice.args.end(), {address, row.first});
    return std::make_shared<Loc>(std::move(choice));
  }

  LocPtr passed_at(const CallSite& site, int reg, const LocPtr& cfa) {
    Dwarf_Die entry, caller;
    Dwarf_Attribute value;
    Dwarf_Op* ops = nullptr;
    size_t count = 0;
    if (!place_.file.entry(site.entry, entry) || !place_.file.entry(site.caller, caller) ||
        !passed_in(entry, reg, value) || dwarf_getlocation(&value, &ops, &count) != 0 || count == 0)
      return nullptr;
    // The call's own address: behind a call that ends a block other rules may hold.
    CodePlace there{place_.file, &caller, site.returns - 1, false, false, place_.depth + 1};
    auto passed = Machine(there, &value).run(ops, count);
    auto* location = types::get(passed);
    return location && location->value ? in_callers_frame(location->value, cfa) : nullptr;
  }

  // The same with the registers as the caller has them. Null when one of them is not kept.
  LocPtr in_callers_frame(const LocPtr& loc, const LocPtr& cfa) {
    if (loc->op == LocOp::reg) return loc->value == 7 ? cfa : callers_register(static_cast<int>(loc->value));
    Loc moved = *loc;
    for (LocPtr& arg : moved.args)
      if (!(arg = in_callers_frame(arg, cfa))) return nullptr;
    return std::make_shared<Loc>(std::move(moved));
  }

  LocPtr callers_register(int reg) {
    // rbx, rbp, r12 to r15: the others are the callee's, whatever call frame information says.
    if (reg != 3 && reg != 6 && (reg < 12 || reg > 15)) return nullptr;
    std::unique_ptr<Dwarf_Frame, decltype(&free)> frame(place_.file.frame(place_.pc), &free);
    Dwarf_Op memory[3];
    Dwarf_Op* ops = nullptr;
    size_t count = 0;
    if (!frame || dwarf_frame_register(frame.get(), reg, memory, &ops, &count) != 0) return nullptr;
    if (count == 0) return ops == memory ? nullptr : types::loc_reg(reg);
    auto rule = Machine(place_, nullptr, depth_ + 1).run(ops, count);
    auto* location = types::get(rule);
    if (!location || !location->value) return nullptr;
    return location->kind == Location::Kind::memory ? types::loc_deref(location->value)
                                                    : location->value;
  }

  // A pointer to a variable that may have no address, but its value or parts of it are known.
  void pointer(const Dwarf_Op& op) {
    Dwarf_Die target;
    if (!attribute_ || place_.depth > 3 || dwarf_getlocation_die(attribute_, &op, &target) != 0)
      return damaged();
    CodePlace further = place_;
    ++further.depth;
    auto found = location_of(target, further);
    auto* location = types::get(found);
    if (!location) return refuse(Lack::Kind::no_value, "it points at what was optimised out");
    auto offset = static_cast<int64_t>(op.number2);
    if (location->kind == Location::Kind::memory && location->value) {
      LocPtr address = types::loc_binary(LocOp::add, location->value, types::loc_constant(offset));
      // The register is not the pointer's: nobody may write to it.
      if (address->op == LocOp::reg)
        address = std::make_shared<Loc>(Loc{LocOp::add, 0, 8, {address, types::loc_constant(0)}});
      push(address);
      kind_ = Location::Kind::value;
      return;
    }
    pointer_ = {Location::Kind::pointer, nullptr, {}, std::make_shared<Location>(*location), offset};
  }

  void piece(uint64_t bits) {
    // Larger than any variable; also, sums of pieces stay in 32 bits.
    if (bits > 1u << 24 || pieces_.pieces.size() > 64) return damaged();
    if (!stack_.empty() && too_large(stack_.back().value)) return damaged();
    Location::Piece p{kind_, stack_.empty() ? nullptr : pop().value, static_cast<uint32_t>(bits)};
    pieces_.kind = Location::Kind::pieces;
    pieces_.pieces.push_back(std::move(p));
    kind_ = Location::Kind::memory;
    pointer_ = {};
    stack_.clear();
  }

  // Bits of a value, or behind an address, from one on. Those in memory that no load reads are lost.
  void bit_piece(uint64_t bits, uint64_t first) {
    if (first > 1u << 24 || bits > 1u << 24) return damaged();
    if (first == 0 || stack_.empty()) return piece(bits);
    LocPtr whole = pop().value;
    uint64_t byte = kind_ == Location::Kind::memory ? first / 8 : 0, shift = first - byte * 8, size = 1;
    if (kind_ == Location::Kind::memory) {
      whole = types::loc_binary(LocOp::add, whole, types::loc_constant(static_cast<int64_t>(byte)));
      while (size < 8 && size * 8 < shift + bits) size *= 2;
      if (shift) whole = types::loc_deref(whole, static_cast<uint8_t>(size));
    } else {
      size = 8;
    }
    if (shift) kind_ = Location::Kind::value;
    bool lost = shift && size * 8 < shift + bits;
    if (shift && !lost)
      whole = types::loc_binary(LocOp::shr, whole, types::loc_constant(static_cast<int64_t>(shift)));
    if (!lost) push(whole);
    piece(bits);
  }

  LocPtr frame_address() {
    // Behind the return address that the call pushed: DWARF register 7 is rsp.
    if (place_.at_entry)
      return types::loc_binary(LocOp::add, types::loc_reg(7), types::loc_constant(8));
    // The operations are part of the frame.
    std::unique_ptr<Dwarf_Frame, decltype(&free)> frame(place_.file.frame(place_.pc), &free);
    Dwarf_Op* ops = nullptr;
    size_t count = 0;
    if (frame && depth_ <= 3 && dwarf_frame_cfa(frame.get(), &ops, &count) == 0) {
      auto cfa = Machine(place_, nullptr, depth_ + 1).run(ops, count);
      if (auto* location = types::get(cfa); location && location->value) return location->value;
    }
    refuse(Lack::Kind::unusable, "the frame's address is not known here");
    return types::loc_constant(0);
  }

  void frame_based(int64_t offset) {
    Dwarf_Attribute attribute;
    Dwarf_Op* ops = nullptr;
    size_t count = 0;
    if (!place_.function || depth_ > 3 ||
        !dwarf_attr_integrate(place_.function, DW_AT_frame_base, &attribute) ||
        dwarf_getlocation_addr(&attribute, place_.pc, &ops, &count, 1) != 1)
      return refuse(Lack::Kind::unusable, "the function has no frame base here");
    auto base = Machine(place_, &attribute, depth_ + 1).run(ops, count);
    auto* location = types::get(base);
    if (!location || !location->value)
      return refuse(Lack::Kind::unusable, "the function has no frame base here");
    push(types::loc_binary(LocOp::add, location->value, types::loc_constant(offset)));
  }

  const CodePlace& place_;
  Dwarf_Attribute* attribute_;
  int depth_;
  int steps_ = 0, ways_ = 0;
  std::vector<Entry> stack_;
  Location pieces_, pointer_;
  Location::Kind kind_ = Location::Kind::memory;
  Lack::Kind lack_ = Lack::Kind::unusable;
  std::string why_;
};

// Where a parameter is when its function or inlined copy begins, if the list says more of that place: an
// empty range at the entry is what holds before anything of the source has happened; the one behind
// it may already tell of `n--` that cost no instruction.
bool before_the_first(Dwarf_Attribute& attribute, Dwarf_Addr entry, Dwarf_Op*& ops, size_t& count) {
  Dwarf_Addr base = 0, begin = 0, end = 0;
  Dwarf_Block single;
  if (dwarf_formblock(&attribute, &single) == 0) return false;
  ptrdiff_t at = 0;
  for (int most = 4096; most > 0; --most) {
    at = dwarf_getlocations(&attribute, at, &base, &begin, &end, &ops, &count);
    if (at <= 0) return false;
    if (begin == end && begin == entry) return true;
  }
  return false;
}

}  // namespace

Answer<Location> location_of(Dwarf_Die& die, const CodePlace& place) {
  Dwarf_Attribute attribute;
  if (dwarf_attr_integrate(&die, DW_AT_const_value, &attribute)) {
    Dwarf_Block bytes;
    // DW_FORM_dataN has no sign of its own: what is above it is cut off by the type's size.
    if (auto constant = signed_number(die, DW_AT_const_value))
      return Location{Location::Kind::value, types::loc_constant(*constant), {}};
    if (dwarf_formblock(&attribute, &bytes) == 0 && bytes.length <= 8) {
      int64_t value = 0;
      std::memcpy(&value, bytes.data, bytes.length);
      return Location{Location::Kind::value, types::loc_constant(value), {}};
    }
    return Lack{Lack::Kind::unusable, "it is a constant that is not a number", {}};
  }
  Dwarf_Op* ops = nullptr;
  size_t count = 0;
  const Lack lost{Lack::Kind::no_value, "it was optimised out", {}};
  if (!dwarf_attr_integrate(&die, DW_AT_location, &attribute)) return lost;
  bool parameter = dwarf_tag(&die) == DW_TAG_formal_parameter;
  if (place.at_beginning && parameter && before_the_first(attribute, place.pc, ops, count))
    return Machine(place, &attribute).run(ops, count);
  int found = dwarf_getlocation_addr(&attribute, place.pc, &ops, &count, 1);
  if (found < 0) return Lack{Lack::Kind::unusable, "its location cannot be decoded", {}};
  return found ? Machine(place, &attribute).run(ops, count) : lost;
}

}  // namespace stp::dwarf
