// .debug_frame comes first: of kernels it covers all C code, .eh_frame is discarded by the linker.
// Programs have it the other way round.
#include "debuginfo/dwarf_file.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace stp::dwarf {

File::File(const std::filesystem::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (fd_ < 0)
    error_ = std::strerror(errno);
  else if (!(dwarf_ = dwarf_begin(fd_, DWARF_C_READ)))
    error_ = dwarf_errmsg(-1);
}

File::~File() {
  if (eh_frame_) dwarf_cfi_end(eh_frame_);
  dwarf_end(dwarf_);
  if (fd_ >= 0) close(fd_);
}

std::string File::build_id() const {
  const void* bytes = nullptr;
  ssize_t size = dwarf_ ? dwelf_elf_gnu_build_id(elf(), &bytes) : 0;
  std::string hex;
  for (ssize_t i = 0; i < size; ++i)
    hex += fmt::format("{:02x}", static_cast<const unsigned char*>(bytes)[i]);
  return hex;
}

Dwarf_Frame* File::frame(Dwarf_Addr pc) const {
  Dwarf_Frame* frame = nullptr;
  if (Dwarf_CFI* cfi = dwarf_getcfi(dwarf_); cfi && dwarf_cfi_addrframe(cfi, pc, &frame) == 0)
    return frame;
  if (!tried_eh_frame_) {
    tried_eh_frame_ = true;
    eh_frame_ = dwarf_getcfi_elf(elf());
  }
  if (eh_frame_ && dwarf_cfi_addrframe(eh_frame_, pc, &frame) == 0) return frame;
  return nullptr;
}

}  // namespace stp::dwarf
