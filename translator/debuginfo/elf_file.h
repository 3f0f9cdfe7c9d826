// What an ELF file says of itself and of the files that hold its debug information.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace stp {

struct ElfFile {
  std::string build_id;       // hex; empty without one
  bool has_dwarf = false;     // .debug_info with contents; compressed counts
  bool relocatable = false;   // a kernel module, or an object that was not linked
  bool has_interpreter = false;  // a program: it names its dynamic linker
  std::string debuglink;      // .gnu_debuglink: the name of a file; empty without one
  uint32_t debuglink_crc = 0;
};

// Empty, with a phrase in `why_not`, when the file is no ELF file. It may be damaged elsewhere.
std::optional<ElfFile> read_elf_file(const std::filesystem::path&, std::string& why_not);

// What is wrong with the sections of an opened file that libelf would believe: one that unpacks to
// more memory than debug information takes. A phrase; empty when nothing is.
std::string hostile_sections(int fd);

// A file with sections that are packed with zstd, which elfutils reads from 0.189 on: a copy of it,
// kept in cache_dir()/unpacked/, in which they are not; any other file is returned as it is. Only of files that
// have no hostile_sections(). Empty, with a phrase in `why_not`, when that fails.
std::filesystem::path with_sections_unpacked(const std::filesystem::path&, std::string& why_not);

// The checksum of .gnu_debuglink over a whole file; empty when it cannot be read.
std::optional<uint32_t> debuglink_crc_of(const std::filesystem::path&);

// A file that was packed with xz, zstd or gzip (a kernel module), unpacked once into
// cache_dir()/unpacked/; a file that is not packed is returned as it is. Empty, with a phrase in
// `why_not`, when that fails.
std::filesystem::path unpacked_file(const std::filesystem::path&, std::string& why_not);

}  // namespace stp
