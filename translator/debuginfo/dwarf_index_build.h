// Makes the index of a file's DWARF.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace stp::dwarf {

constexpr char index_magic[8] = {'s', 't', 'p', 'd', 'w', 'f', '0', '7'};

// What an index begins with. Records, parts, starts of names and texts follow.
struct IndexHeader {
  char magic[8];
  uint64_t file_size;  // of the file with the DWARF
  uint64_t records, parts, names, texts;
  uint64_t scoped;  // names with "::" in them
};

// The bytes of the index; empty when the file has no DWARF with a name in it.
std::string build_index(const std::filesystem::path& path, uint64_t file_size);

}  // namespace stp::dwarf
