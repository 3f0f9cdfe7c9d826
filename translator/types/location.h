// Where a value of the probed code is, as a tree that emit/ can turn into C.
//
// Both DWARF location expressions and the calling convention are brought into this
// form when a probe is resolved, so that nothing after that knows either.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace stp::types {

enum class LocOp {
  constant,   // value
  address,    // value: link-time address in the probed image; relocated at load
  reg,        // value: DWARF register number, as it was at the probe
  argument,   // value: n-th entry argument of a tracepoint (0-based, 8 bytes each)
  deref,      // args[0]: address; `size` bytes, zero-extended
  add, sub, mul, div, mod, bit_and, bit_or, bit_xor, shl, shr, sar,
  eq, ne, lt, le, gt, ge,  // signed; 0 or 1
  udiv, umod, ult, ule, ugt, uge,  // the same on unsigned numbers
  neg, bit_not, abs,
  select,     // args[0] ? args[1] : args[2]
  thread,     // where the variables of the thread that runs are: before this address (fs of x86-64)
  by_caller,  // args[0]: where the function returns to; then such addresses, each with what the value
              // is then. An error when it is none of them. Equal values stand together
};

struct Loc;
using LocPtr = std::shared_ptr<const Loc>;

struct Loc {
  LocOp op;
  int64_t value = 0;
  uint8_t size = 8;
  std::vector<LocPtr> args;
  // Of an address in a kernel module: 1 + the index of what it moves with, in the program's list of
  // sections. 0: vmlinux.
  uint32_t section = 0;
};

// A section of a kernel module. Its link-time addresses move as one when the module is loaded; where
// to is known from one of its symbols, which no other symbol of the module is called like.
struct Section {
  std::string module;  // "ext4"
  std::string name;    // ".text"
  uint64_t begin = 0, end = 0;
  std::string anchor;
  uint64_t anchor_address = 0;
  bool code = false;
};

// Tables of what is at each address of code (stp/places.h).
enum class PlaceKind { lines, inlined };

struct Location {
  // memory: `value` is the address of the variable. value: it is its bits.
  // pieces: the variable is put together from parts, lowest address first.
  // pointer: it is a pointer to what has no address, `offset` bytes behind where `target` begins; so it
  // has no value, and what it points at can be read.
  enum class Kind { memory, value, pieces, pointer } kind = Kind::memory;
  LocPtr value;
  struct Piece {
    Kind kind;     // memory or value; value null: this part is optimised out
    LocPtr value;
    uint32_t bits;
  };
  std::vector<Piece> pieces;
  std::shared_ptr<const Location> target = {};
  int64_t offset = 0;

  bool known() const { return value || !pieces.empty() || target; }
};

LocPtr loc_constant(int64_t);
LocPtr loc_reg(int dwarf_register);
LocPtr loc_thread();
LocPtr loc_argument(int index);
LocPtr loc_address(uint64_t link_address);
LocPtr loc_deref(LocPtr address, uint8_t size = 8);
LocPtr loc_binary(LocOp, LocPtr, LocPtr);
// C's operator for a binary operation; null for those that C has none for.
const char* infix(LocOp);

// The same with each address' section set to what `section_of` says.
LocPtr loc_in_sections(const LocPtr&, const std::function<uint32_t(uint64_t)>& section_of);

// For people: "in rdi", "at rsp + 8", "computed: u32[rax + 4] + 1", "8 bytes in rax, 4 bytes lost",
// "pointer to (in rbx) + 8".
// u8 to u64 followed by [ADDRESS] is what memory holds there, zero-extended; >> fills with zeroes,
// sar(a, b) with the sign; select(c, a, b) is a when c is not 0; by_caller(r, (a, x), (b, y)) is x
// when r is a, and has no value when r is none of them. testsuite/debuginfo/compare computes
// with it.
std::string spell(const Location&);

}  // namespace stp::types
