// What one section refers to in another is left to the kernel's module loader, 24 bytes each: the loader decides where
// sections lie. Within a section all distances are known here. So functions of all kinds come into .text, and behind
// them constants, which they refer to most: both may be read and never written.
//
// What the loader would have freed once the module runs, .init.text, stays: a third of a kilobyte.
#include "build/merge_code.h"

#include <elf.h>

#include <algorithm>
#include <boost/algorithm/string.hpp>
#include <cstring>
#include <string>
#include <vector>

#include "build/code_places.h"

namespace stp {
namespace {

constexpr size_t most_constants = 1 << 16;  // bytes

// What is found by name stays apart: whatever does not bear a compiler's name.
bool may_merge(const ObjectSection& section) {
  if (section.type != SHT_PROGBITS || !(section.flags & SHF_ALLOC) || (section.flags & SHF_WRITE)) return false;
  for (const char* name : {".text.unlikely", ".init.text", ".exit.text", ".altinstr_replacement"})
    if (section.name == name) return section.flags & SHF_EXECINSTR;
  // Tables of source lines are megabytes, and nothing else than data.
  if (section.bytes.size() > most_constants) return false;
  return section.name == ".rodata" || boost::starts_with(section.name, ".rodata.str") || boost::starts_with(section.name, ".rodata.cst");
}

// Behind what `text` has. Symbols and relocations move with it.
void append(Object& object, uint32_t text, uint32_t number) {
  ObjectSection from;
  std::swap(from, object.sections[number]);
  uint32_t start = section_symbol(object, text);
  ObjectSection& into = object.sections[text];
  into.alignment = std::max(into.alignment, from.alignment);
  uint64_t at = into.bytes.size(), alignment = std::max<uint64_t>(from.alignment, 1);
  at = (at + alignment - 1) / alignment * alignment;
  into.bytes.resize(at, '\xcc');  // int3: nobody comes here
  into.bytes += from.bytes;
  for (Relocation& r : from.relocations) {
    r.offset += at;
    into.relocations.push_back(r);
  }
  std::vector<bool> was_start(object.symbols.size());
  for (uint32_t i = 1; i < object.symbols.size(); ++i) {
    ObjectSymbol& symbol = object.symbols[i];
    if (symbol.section != number) continue;
    was_start[i] = symbol.type == STT_SECTION;
    if (was_start[i])
      symbol = {};
    else
      symbol.section = text, symbol.value += at;
  }
  for (ObjectSection& section : object.sections)
    for (Relocation& r : section.relocations)
      if (was_start[r.symbol]) r.symbol = start, r.addend += at;
}

// REX.W c7 /0 of a register: its number is in two places, of which the first moves.
bool make_lea(char* code) {
  auto *prefix = reinterpret_cast<unsigned char*>(code), *mode = prefix + 2;
  if ((*prefix & ~1) != 0x48 || prefix[1] != 0xc7 || (*mode & ~7) != 0xc0) return false;
  *prefix = 0x48 | (*prefix & 1) << 2;
  prefix[1] = 0x8d;
  *mode = (*mode & 7) << 3 | 5;
  return true;
}

// psABI 4.4.1. R_X86_64_PC32 and R_X86_64_PLT32: S + A - P, in four bytes; R_X86_64_32S: S + A.
bool resolve(const Object& object, ObjectSection& section, uint32_t number, const Relocation& r) {
  const ObjectSymbol& symbol = object.symbols[r.symbol];
  if (symbol.section != number || r.offset + sizeof(int32_t) > section.bytes.size())
    return false;
  int64_t distance = symbol.value + r.addend - r.offset;
  if (r.type == R_X86_64_32S) {
    constexpr uint64_t before = 3;  // bytes of the instruction
    if (!(section.flags & SHF_EXECINSTR) || r.offset < before || !make_lea(&section.bytes[r.offset - before]))
      return false;
    distance -= sizeof(int32_t);
  } else if (r.type != R_X86_64_PC32 && r.type != R_X86_64_PLT32) {
    return false;
  }
  auto bytes = static_cast<int32_t>(distance);
  std::memcpy(&section.bytes[r.offset], &bytes, sizeof bytes);
  return true;
}

}  // namespace

void merge_code(Object& object) {
  uint32_t text = section_named(object, ".text");
  if (!text) return;
  for (bool code : {true, false})
    for (uint32_t i = 1; i < object.sections.size(); ++i)
      if (may_merge(object.sections[i]) && !!(object.sections[i].flags & SHF_EXECINSTR) == code) append(object, text, i);
}

void resolve_inside(Object& object) {
  for (uint32_t i = 1; i < object.sections.size(); ++i) {
    ObjectSection& section = object.sections[i];
    std::erase_if(section.relocations, [&](const Relocation& r) { return resolve(object, section, i, r); });
  }
}

}  // namespace stp
