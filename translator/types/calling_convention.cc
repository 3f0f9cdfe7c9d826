// The x86-64 System V calling convention, for what kernels pass.
//
// BTF says what a function takes, not where; at the first instruction the ABI fixes the rest. Each
// argument is cut into eightbytes and classified (System V ABI, AMD64 supplement, 3.2.3): integers
// and pointers, and structures of at most two eightbytes of them, go into six registers; what
// is larger, packed, or finds too few registers left goes to the stack, in eightbytes above the
// return address.
//
// Kernels keep their values out of vector registers, so the SSE class is recognised to be refused,
// not followed.

#include "types/calling_convention.h"

#include <algorithm>
#include <array>

namespace stp::types {
namespace {

constexpr int rax = 0, rdx = 1, rcx = 2, rsi = 4, rdi = 5, rsp = 7, r8 = 8, r9 = 9;
constexpr std::array argument_registers = {rdi, rsi, rdx, rcx, r8, r9};
constexpr std::array result_registers = {rax, rdx};

enum class Class { integer, memory, vector };

// A type of two eightbytes has fewer parts; in damaged debug information one may contain itself.
constexpr int most_parts = 1000;

Class classify(const Provider& provider, const Type* type, uint64_t offset, int& parts);

Class worst(Class a, Class b) {
  if (a == Class::memory || b == Class::memory) return Class::memory;
  return a == Class::vector || b == Class::vector ? Class::vector : Class::integer;
}

Class classify_members(const Provider& provider, const Type& type, uint64_t offset, int& parts) {
  auto all = Class::integer;
  for (const auto& member : provider.members(type)) {
    if (++parts > most_parts) return Class::memory;
    // Bit-fields are integers wherever they lie.
    auto one = member.bit_size > 0 ? Class::integer
                                   : classify(provider, member.type, offset + member.offset, parts);
    all = worst(all, one);
  }
  return all;
}

// Of a value at `offset` in what is passed. An eightbyte that mixes floats and integers counts as
// vector here, which refuses a few structures that could be read.
Class classify(const Provider& provider, const Type* type, uint64_t offset, int& parts) {
  type = strip(type);
  if (++parts > most_parts || (type && type->by_reference)) return Class::memory;
  if (!type) return Class::integer;
  switch (type->kind) {
    case Kind::floating:
      return Class::vector;
    case Kind::structure:
    case Kind::union_type:
      return type->size > 16 ? Class::memory : classify_members(provider, *type, offset, parts);
    case Kind::array: {
      auto element = classify(provider, type->of, offset, parts);
      return type->size > 16 ? Class::memory : element;
    }
    default: {
      // A field that is not aligned by its size puts the whole structure into memory.
      uint64_t align = type->size == 0 ? 1 : std::min<uint64_t>(type->size, 16);
      return offset % align ? Class::memory : Class::integer;
    }
  }
}

Class classify(const Provider& provider, const Type* type) {
  int parts = 0;
  return classify(provider, type, 0, parts);
}

uint64_t size_in_eightbytes(const Type* type) { return (type->size + 7) / 8; }

bool wants_16_byte_alignment(const Type* type) {
  return type->kind == Kind::integer && type->size == 16;
}

// A value of up to two eightbytes in the registers that `registers` begins with.
template <typename Iterator>
Location in_registers(const Type* type, Iterator registers) {
  Location location;
  if (type->size <= 8) {
    location.kind = Location::Kind::value;
    location.value = loc_reg(registers[0]);
    return location;
  }
  location.kind = Location::Kind::pieces;
  auto bits = static_cast<uint32_t>(type->size * 8);
  location.pieces = {{Location::Kind::value, loc_reg(registers[0]), 64},
                     {Location::Kind::value, loc_reg(registers[1]), bits - 64}};
  return location;
}

Location on_stack(uint64_t offset) {
  Location location;
  location.kind = Location::Kind::memory;
  location.value = loc_binary(LocOp::add, loc_reg(rsp), loc_constant(static_cast<int64_t>(offset)));
  return location;
}

Lack in_vector_register() {
  return {Lack::Kind::unusable, "it is passed in a floating-point register", {}};
}

// A tracepoint calls its probes with something of theirs and its arguments. The runtime keeps those of registers
// and behind them the stack's first words as an array (runtime/probes/tracepoint.c).
constexpr int argument_words = 12, words_in_registers = argument_registers.size() - 1;

LocPtr word(LocPtr reg, int& words) {
  auto found = std::find(argument_registers.begin(), argument_registers.end(), reg->value);
  auto index = static_cast<int>(found - argument_registers.begin()) - 1;
  words = std::max(words, index + 1);
  return loc_argument(index);
}

// `at`: rsp + offset. The return address comes before arguments there.
Location words_of_stack(const Type& type, const LocPtr& at, int& words) {
  bool known = at->op == LocOp::add;  // and no address that was passed
  int first = known ? words_in_registers + static_cast<int>(at->args[1]->value / 8) - 1 : 0;
  int n = static_cast<int>(size_in_eightbytes(&type));
  Location location;
  if (!known || first + n > argument_words) return location;
  words = std::max(words, first + n);
  location.kind = type.size <= 8 ? Location::Kind::value : Location::Kind::pieces;
  if (type.size <= 8) location.value = loc_argument(first);
  for (int i = 0; i < n && type.size > 8; ++i) {
    auto bits = static_cast<uint32_t>(std::min<uint64_t>(8, type.size - 8 * static_cast<uint64_t>(i)) * 8);
    location.pieces.push_back({Location::Kind::value, loc_argument(first + i), bits});
  }
  return location;
}

}  // namespace

std::vector<Answer<Location>> entry_arguments(const Provider& provider,
                                              const std::vector<const Type*>& params,
                                              const Type* result) {
  const Type* returned = strip(result);
  // A result that is returned in memory has its address passed in front of all arguments.
  bool hidden = returned && returned->size > 0 && classify(provider, returned) == Class::memory;
  size_t used = hidden ? 1 : 0;
  uint64_t stack = 8;  // above the return address
  std::vector<Answer<Location>> answers;
  for (const Type* declared : params) {
    const Type* type = strip(declared);
    if (!type || type->kind == Kind::forward) {
      answers.emplace_back(Lack{Lack::Kind::unusable, "its type is not complete", {}});
      continue;
    }
    if (type->size == 0 && (type->kind == Kind::structure || type->kind == Kind::union_type)) {
      answers.emplace_back(Lack{Lack::Kind::no_value, "its type has no size", {}});
      continue;
    }
    if (type->by_reference) {
      bool in_register = used < argument_registers.size();
      LocPtr at = in_register ? loc_reg(argument_registers[used++]) : loc_deref(on_stack(stack).value);
      answers.emplace_back(Location{Location::Kind::memory, at, {}});
      if (!in_register) stack += 8;
      continue;
    }
    auto kind = classify(provider, type);
    size_t wanted = size_in_eightbytes(type);
    if (kind == Class::vector) {
      answers.emplace_back(in_vector_register());
    } else if (kind == Class::integer && used + wanted <= argument_registers.size()) {
      answers.emplace_back(in_registers(type, argument_registers.begin() + used));
      used += wanted;
    } else {
      // Above the return address, rsp + 8, the stack is aligned to 16 bytes.
      if (wants_16_byte_alignment(type)) stack = (stack - 8 + 15) / 16 * 16 + 8;
      answers.emplace_back(on_stack(stack));
      stack += wanted * 8;
    }
  }
  return answers;
}

TracepointArguments tracepoint_arguments(const Provider& provider, const std::vector<Param>& params) {
  static const Type pointer{Kind::pointer, "", 8};
  std::vector<const Type*> types = {&pointer};
  for (const Param& param : params) types.push_back(param.type);
  auto answers = entry_arguments(provider, types, nullptr);
  TracepointArguments result;
  for (size_t i = 0; i < params.size(); ++i) {
    Variable variable{params[i].name, params[i].type, {}, true};
    if (auto* at = get(answers[i + 1])) {
      variable.location = *at;
      if (at->kind == Location::Kind::memory)
        variable.location = words_of_stack(*strip(params[i].type), at->value, result.words);
      if (at->kind == Location::Kind::value) variable.location.value = word(at->value, result.words);
      if (at->kind == Location::Kind::pieces)
        for (auto& piece : variable.location.pieces) piece.value = word(piece.value, result.words);
    }
    result.each.push_back(std::move(variable));
  }
  return result;
}

Answer<Location> return_location(const Provider& provider, const Type& result) {
  const Type* type = strip(&result);
  if (!type || type->kind == Kind::void_type)
    return Lack{Lack::Kind::not_found, "the function returns nothing", {}};
  switch (classify(provider, type)) {
    case Class::vector:
      return Lack{Lack::Kind::unusable, "it is returned in a floating-point register", {}};
    case Class::memory: {
      Location location;
      location.kind = Location::Kind::memory;
      location.value = loc_reg(rax);
      return location;
    }
    case Class::integer:
      break;
  }
  return in_registers(type, result_registers.begin());
}

}  // namespace stp::types
