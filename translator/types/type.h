// One model of C types for DWARF and BTF.
//
// A Type is immutable and owned by the provider that made it. Structures list their
// members only when asked (Provider::members): looking up one member must not pull in
// every type that it leads to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stp::types {

enum class Kind {
  void_type,
  boolean,
  character,  // signed or unsigned char: strings are pointers to these
  integer,
  floating,
  pointer,    // target in `of`; references of C++ too
  array,      // element in `of`
  structure,
  union_type,
  enumeration,
  function,
  type_alias,  // typedef; `of`
  qualifier,   // const, volatile, restrict, atomic; `of`
  forward,     // declared, not defined
};

struct Type {
  Kind kind;
  std::string name;              // without "struct"; empty when anonymous
  uint64_t size = 0;             // bytes; 0 when unknown (forward, flexible array)
  bool is_signed = false;
  const Type* of = nullptr;      // null stands for void
  std::optional<uint64_t> count = {}; // array elements; none for a flexible array
  uint64_t handle = 0;           // the provider's own: DIE offset, BTF id
  const class Provider* home = nullptr;  // which made it and knows its members; null: any
  bool by_reference = false;  // of a class of C++: callers pass and return its address
  uint8_t reference = 0;  // of a pointer: it is 1: a reference, 2: one to what is moved (&&)
};

// A virtual base class of C++: each object tells where it is. `offset` bytes behind where one has come
// to, a pointer leads to a table; the number `entry` bytes from there is how far on the base begins.
struct VirtualBase {
  uint64_t offset;
  int64_t entry;
};

struct Member {
  std::string name;  // empty: an anonymous struct or union, whose members show through
  const Type* type;
  uint64_t offset = 0;  // bytes from the start of the structure, or of the last of `through`
  // Bit-fields: bits from the lowest address's least significant bit (little-endian),
  // counted from `offset`, which is then aligned to the storage unit of type->size.
  uint8_t bit_offset = 0;
  uint8_t bit_size = 0;  // 0: not a bit-field
  std::vector<VirtualBase> through = {};
};

struct Enumerator {
  std::string name;
  int64_t value;
};

// Without typedefs and qualifiers; null stands for void.
const Type* strip(const Type*);
// As C writes it: "struct file *", "unsigned int", "char [16]".
std::string spell(const Type*);

}  // namespace stp::types
