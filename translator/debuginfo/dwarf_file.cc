// .debug_frame comes first: of kernels it covers all C code, .eh_frame is discarded by the linker.
// Programs have it the other way round.
#include "debuginfo/dwarf_file.h"

#include <elf.h>
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "debuginfo/elf_file.h"

namespace stp::dwarf {

namespace {

bool is_relocatable(int fd) {
  Elf64_Ehdr header;
  return pread(fd, &header, sizeof header, 0) == sizeof header &&
         std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_type == ET_REL;
}

std::vector<Elf64_Shdr> section_headers(int fd, const Elf64_Ehdr& file) {
  std::vector<Elf64_Shdr> headers;
  auto first = static_cast<off_t>(file.e_shoff);
  if (file.e_ident[EI_CLASS] != ELFCLASS64 || file.e_shentsize != sizeof(Elf64_Shdr)) return {};
  Elf64_Shdr zero;  // has the number of headers where that does not fit the file's
  size_t count = file.e_shnum;
  if (count == 0 && pread(fd, &zero, sizeof zero, first) == sizeof zero) count = zero.sh_size;
  struct stat whole;
  if (fstat(fd, &whole) != 0 || count > static_cast<size_t>(whole.st_size) / sizeof zero) return {};
  headers.resize(count);
  size_t size = count * sizeof zero;
  if (pread(fd, headers.data(), size, first) != static_cast<ssize_t>(size)) headers.clear();
  return headers;
}

bool copy_file(int from, int to) {
  struct stat whole;
  if (fstat(from, &whole) != 0) return false;
  off_t at = 0;
  while (at < whole.st_size)
    if (sendfile(to, from, &at, static_cast<size_t>(whole.st_size - at)) <= 0) return false;
  return true;
}

// Linkers give some sections of a module an address (.data and one more, of Debian's 6.12). libdwfl keeps
// those, unless there would be a gap in front of the first, and lays the others out from 64 KB on: in large modules
// .data then lies over .text, and an address says nothing. A copy of the file in memory in which no section has one;
// -1: there is nothing to do, or it cannot be done.
int without_addresses(int fd) {
  Elf64_Ehdr file;
  if (pread(fd, &file, sizeof file, 0) != sizeof file) return -1;
  std::vector<Elf64_Shdr> headers = section_headers(fd, file);
  if (std::none_of(headers.begin(), headers.end(), [](const auto& h) { return h.sh_addr != 0; }))
    return -1;
  int copy = memfd_create("module", MFD_CLOEXEC);
  if (copy < 0) return -1;
  for (Elf64_Shdr& header : headers) header.sh_addr = 0;
  size_t size = headers.size() * sizeof(Elf64_Shdr);
  if (copy_file(fd, copy) && pwrite(copy, headers.data(), size, static_cast<off_t>(file.e_shoff)) ==
                                 static_cast<ssize_t>(size))
    return copy;
  close(copy);
  return -1;
}

// The file itself is all there is to look at.
int no_other_file(Dwfl_Module*, void**, const char*, Dwarf_Addr, const char*, const char*,
                  GElf_Word, char**) {
  return -1;
}

}  // namespace

File::File(const std::filesystem::path& path) {
  auto open_file = [&](const std::filesystem::path& file) {
    if (fd_ >= 0) close(fd_);
    fd_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) error_ = std::strerror(errno);
    return fd_ >= 0;
  };
  if (!open_file(path) || !(error_ = hostile_sections(fd_)).empty()) return;
  std::filesystem::path plain = with_sections_unpacked(path, error_);
  if (plain.empty() || (plain != path && !open_file(plain))) return;
  if (is_relocatable(fd_))
    open_relocatable(plain);
  else if (!(dwarf_ = parts_.begin(fd_, path)))
    error_ = dwarf_errmsg(-1);
  else
    parts_.open(dwarf_, path);
}

void File::open_relocatable(const std::filesystem::path& path) {
  static const Dwfl_Callbacks callbacks = {dwfl_build_id_find_elf, no_other_file,
                                           dwfl_offline_section_address, nullptr};
  dwfl_ = dwfl_begin(&callbacks);
  int copy = dwfl_ ? without_addresses(fd_) : -1;
  Dwfl_Module* module =
      dwfl_ ? dwfl_report_offline(dwfl_, "module", path.c_str(), copy) : nullptr;
  if (!module && copy >= 0) close(copy);
  if (dwfl_) dwfl_report_end(dwfl_, nullptr, nullptr);
  GElf_Addr bias;
  if (module) elf_ = dwfl_module_getelf(module, &bias);
  if (elf_) dwarf_ = dwfl_module_getdwarf(module, &bias);
  if (dwarf_)
    parts_.open(dwarf_, path);
  else
    error_ = dwfl_errmsg(-1);
}

File::~File() {
  if (eh_frame_) dwarf_cfi_end(eh_frame_);
  if (dwfl_)
    dwfl_end(dwfl_);
  else
    dwarf_end(dwarf_);
  elf_end(program_);
  if (fd_ >= 0) close(fd_);
  if (program_fd_ >= 0) close(program_fd_);
}

void File::take_frames_of(const std::filesystem::path& program) {
  program_fd_ = ::open(program.c_str(), O_RDONLY | O_CLOEXEC);
  if (program_fd_ >= 0) program_ = elf_begin(program_fd_, ELF_C_READ_MMAP, nullptr);
}

void File::release_pages() const {
  size_t size = 0;
  char* bytes = dwfl_ ? nullptr : elf_rawfile(elf(), &size);  // relocations were written into it
  auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  // Where libelf could not map the file it has allocated it, and no allocation begins with a page.
  if (bytes && reinterpret_cast<uintptr_t>(bytes) % page == 0) madvise(bytes, size, MADV_DONTNEED);
}

std::string File::build_id() const {
  const void* bytes = nullptr;
  ssize_t size = elf_ || dwarf_ ? dwelf_elf_gnu_build_id(elf(), &bytes) : 0;
  std::string hex;
  for (ssize_t i = 0; i < size; ++i)
    hex += fmt::format("{:02x}", static_cast<const unsigned char*>(bytes)[i]);
  return hex;
}

namespace {

// Position-independent programs are libraries to the ELF header. Linkers mark them; a program's
// dynamic section has room for the debugger's hook as well, which older ones are known by.
bool is_program(Elf* elf) {
  GElf_Ehdr header;
  if (!gelf_getehdr(elf, &header) || header.e_type == ET_EXEC) return header.e_type == ET_EXEC;
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(elf, section))) {
    GElf_Shdr its;
    if (!gelf_getshdr(section, &its) || its.sh_type != SHT_DYNAMIC) continue;
    Elf_Data* data = elf_getdata(section, nullptr);
    GElf_Dyn row;
    for (int i = 0; data && gelf_getdyn(data, i, &row) && row.d_tag != DT_NULL; ++i)
      if (row.d_tag == DT_DEBUG || (row.d_tag == DT_FLAGS_1 && (row.d_un.d_val & DF_1_PIE)))
        return true;
  }
  return false;
}

}  // namespace

std::optional<ThreadBlock> File::thread_block() const {
  Elf* file = program_ ? program_ : elf();
  size_t count = 0;
  if (!file || !is_program(file) || elf_getphdrnum(file, &count) != 0) return std::nullopt;
  GElf_Phdr header;
  for (size_t i = 0; i < count && gelf_getphdr(file, static_cast<int>(i), &header); ++i)
    if (header.p_type == PT_TLS && header.p_align <= 1u << 20 && header.p_memsz <= 1u << 30) {
      uint64_t align = std::max<uint64_t>(header.p_align, 1);
      return ThreadBlock{header.p_vaddr, header.p_memsz, (header.p_memsz + align - 1) / align * align};
    }
  return std::nullopt;
}

Dwarf_Frame* File::frame(Dwarf_Addr pc) const {
  Dwarf_Frame* frame = nullptr;
  if (Dwarf_CFI* cfi = dwarf_getcfi(dwarf_); cfi && dwarf_cfi_addrframe(cfi, pc, &frame) == 0)
    return frame;
  if (!tried_eh_frame_) {
    tried_eh_frame_ = true;
    eh_frame_ = dwarf_getcfi_elf(program_ ? program_ : elf());
  }
  if (eh_frame_ && dwarf_cfi_addrframe(eh_frame_, pc, &frame) == 0) return frame;
  return nullptr;
}

}  // namespace stp::dwarf
