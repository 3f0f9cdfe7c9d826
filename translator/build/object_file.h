// A relocatable ELF object in memory: what may be taken apart and put together again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace stp {

struct Relocation {
  uint64_t offset;  // in the section that it changes
  uint32_t type;    // R_X86_64_...
  uint32_t symbol;  // index into Object::symbols
  int64_t addend;
};

struct ObjectSection {
  std::string name;
  uint32_t type = 0;   // SHT_...
  uint64_t flags = 0;  // SHF_...
  uint64_t alignment = 1;
  uint64_t entry_size = 0;
  std::string bytes;  // zeroes when there is nothing in the file (.bss)
  std::vector<Relocation> relocations;
};

struct ObjectSymbol {
  std::string name;
  uint8_t binding = 0, type = 0, visibility = 0;  // STB_..., STT_..., STV_...
  uint32_t section = 0;  // index into Object::sections, 0: undefined, from 0xff00 on: as ELF says
  uint64_t value = 0, size = 0;
};

// Sections and symbols have their number in the file as index; number 0 of both is empty. Tables of
// symbols, strings and relocations are not among the sections: their places are empty.
struct Object {
  std::vector<ObjectSection> sections;
  std::vector<ObjectSymbol> symbols;
};

// Both throw std::runtime_error: for a file that is no such object, or cannot be written.
Object read_object(const std::filesystem::path& file);
void write_object(const Object&, const std::filesystem::path& file);

// What write_object() writes. Throws std::runtime_error, which says `name`.
std::string object_bytes(const Object&, const std::string& name);

}  // namespace stp
