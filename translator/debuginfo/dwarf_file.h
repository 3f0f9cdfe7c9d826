// An ELF file with DWARF, opened by elfutils. A handle is for one thread.
//
// A kernel module is relocatable: its sections have no addresses, and its DWARF is to be relocated
// before it can be read. libdwfl does both; the addresses are then those that it gave the sections,
// one behind the other, the same each time (elf() has them in its section headers).
#pragma once

#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "debuginfo/dwarf_parts.h"

namespace stp::dwarf {

// What each thread has a copy of.
struct ThreadBlock {
  uint64_t image;       // where in the program the first values of the variables are
  uint64_t used, size;  // in bytes; the size is rounded up as they are aligned
};

class File {
 public:
  explicit File(const std::filesystem::path& path);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Entries by number, wherever they are.
  const Parts& parts() const { return parts_; }
  bool entry(Dwarf_Off number, Dwarf_Die& die) const { return parts_.entry(number, die); }
  Dwarf_Off number_of(Dwarf_Die& die) const { return parts_.number_of(die); }

  // Null when the file has no DWARF; error() says why.
  Dwarf* dwarf() const { return dwarf_; }
  Elf* elf() const { return elf_ ? elf_ : dwarf_getelf(dwarf_); }
  const std::string& error() const { return error_; }
  // Gives back the memory that what was read of the file takes; it comes back where it is looked at.
  void release_pages() const;
  // Hex of the GNU build-id; empty without one.
  std::string build_id() const;
  // Call frame information at an address, of .debug_frame or .eh_frame; null when there is none.
  // The caller frees it.
  Dwarf_Frame* frame(Dwarf_Addr pc) const;
  // Of the program's thread-local variables; nothing for libraries, which get theirs when they are loaded.
  std::optional<ThreadBlock> thread_block() const;
  // Debug information in a file of its own has no .eh_frame: it is in the file that is run.
  void take_frames_of(const std::filesystem::path& program);

 private:
  void open_relocatable(const std::filesystem::path& path);

  int fd_ = -1;
  Parts parts_;  // ends after the file that leads to it
  Dwarf* dwarf_ = nullptr;
  Elf* elf_ = nullptr;    // of a relocatable file, with or without DWARF
  Dwfl* dwfl_ = nullptr;  // owns both then
  int program_fd_ = -1;
  Elf* program_ = nullptr;
  std::string error_;
  mutable Dwarf_CFI* eh_frame_ = nullptr;
  mutable bool tried_eh_frame_ = false;
};

}  // namespace stp::dwarf
