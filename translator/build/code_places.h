// Places in the code of an object, and the functions that they are in.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>

#include "build/object_file.h"

namespace stp {

// The section's number and the offset there.
struct Place {
  uint32_t section;
  int64_t at;
  auto operator<=>(const Place&) const = default;
};

// The instructions that go to a place 4 bytes of distance away, `call` and `jmp`.
constexpr char call_operation = '\xe8', jump_operation = '\xe9';

// What a relocation says, its addend included: a row of a table means this place, a call one 4 bytes further.
Place target(const Object&, const Relocation&);

// 0 when there is none.
uint32_t section_named(const Object&, const std::string& name);

// The symbol of a section's start, made when there is none.
uint32_t section_symbol(Object&, uint32_t section);

// Whether a section's functions are seldom run: small counts for more than fast.
bool is_seldom_run(const ObjectSection&);

// Whether it names the room that kernels which are built for it have before each function: objtool does.
bool is_room(const ObjectSymbol&);

// Functions by where they begin, with where they end; or the rooms before them.
std::map<Place, int64_t> functions_of(const Object&, bool rooms = false);

// The beginning of the function that a place is in; where there is none, an offset of -1.
Place function_at(const std::map<Place, int64_t>& functions, Place place);

}  // namespace stp
