// An ELF file with DWARF, opened by elfutils. A handle is for one thread.
#pragma once

#include <elfutils/libdw.h>

#include <filesystem>
#include <string>

namespace stp::dwarf {

class File {
 public:
  explicit File(const std::filesystem::path& path);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Null when the file has no DWARF; error() says why.
  Dwarf* dwarf() const { return dwarf_; }
  Elf* elf() const { return dwarf_getelf(dwarf_); }
  const std::string& error() const { return error_; }
  // Hex of the GNU build-id; empty without one.
  std::string build_id() const;
  // Call frame information at an address, of .debug_frame or .eh_frame; null when there is none.
  // The caller frees it.
  Dwarf_Frame* frame(Dwarf_Addr pc) const;

 private:
  int fd_;
  Dwarf* dwarf_ = nullptr;
  std::string error_;
  mutable Dwarf_CFI* eh_frame_ = nullptr;
  mutable bool tried_eh_frame_ = false;
};

}  // namespace stp::dwarf
