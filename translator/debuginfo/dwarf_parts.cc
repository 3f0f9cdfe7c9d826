// The index and the handles of functions and types hold offsets of 32 bits, and say nothing of
// files. So that they need not, the parts get ranges of numbers, one behind the other.
//
// libdw finds .dwo files itself: beside the file, by the name and folder that the compiler recorded.
// It would find dwz's file too, but below "/" alone: of a tree that packages were unpacked in it is
// looked for in the tree.
#include "debuginfo/dwarf_parts.h"

#include <dwarf.h>
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <set>

namespace stp::dwarf {
namespace {

namespace fs = std::filesystem;

// Offsets are kept in 32 bits; no program's .debug_info comes near.
constexpr Dwarf_Off most = UINT32_MAX;

// Where the last unit ends.
Dwarf_Off size_of(Dwarf* dwarf) {
  Dwarf_Off at = 0, next = 0;
  size_t header = 0;
  while (at < most && dwarf_next_unit(dwarf, at, &next, &header, nullptr, nullptr, nullptr, nullptr,
                                      nullptr, nullptr) == 0 &&
         next > at)
    at = next;
  return at;
}

bool has_section(Elf* elf, const char* wanted) {
  size_t names = 0;
  if (elf_getshdrstrndx(elf, &names) != 0) return false;
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(elf, section))) {
    GElf_Shdr header;
    const char* name =
        gelf_getshdr(section, &header) ? elf_strptr(elf, names, header.sh_name) : nullptr;
    if (name && std::strcmp(name, wanted) == 0) return true;
  }
  return false;
}

// The tree that a file below usr/lib/debug is in.
fs::path tree_of(const fs::path& file) {
  std::string text = file.string();
  size_t at = text.rfind("/usr/lib/debug/");
  return at == text.npos || at == 0 ? fs::path("/") : fs::path(text.substr(0, at));
}

}  // namespace

Parts::~Parts() {
  dwarf_end(alternate_);
  if (alternate_fd_ >= 0) close(alternate_fd_);
}

void Parts::open(Dwarf* dwarf, const fs::path& path) {
  parts_ = {{dwarf, 0, most}};
  Elf* elf = dwarf_getelf(dwarf);
  // Walking the units of a kernel only to learn that it has no parts would cost more than the
  // question that is asked: these sections are in every file that has some.
  bool split = has_section(elf, ".debug_addr"), shared = has_section(elf, ".gnu_debugaltlink");
  if (!split && !shared) return;
  parts_.clear();
  add(dwarf);
  if (shared) find_alternate(path);
  if (split) find_split_units(path);
}

void Parts::add(Dwarf* dwarf) {
  if (!dwarf || parts_.size() >= 100'000) return;
  Dwarf_Off size = size_of(dwarf);
  if (size > most - end_) return;
  parts_.push_back({dwarf, end_, end_ + size});
  end_ += size;
}

void Parts::find_alternate(const fs::path& path) {
  const char* name = nullptr;
  const void* id = nullptr;
  ssize_t size = dwelf_dwarf_gnu_debugaltlink(parts_[0].dwarf, &name, &id);
  if (size <= 2 || !name) return;
  std::string hex;
  for (ssize_t i = 0; i < size; ++i)
    hex += fmt::format("{:02x}", static_cast<const unsigned char*>(id)[i]);
  std::error_code ignored;
  fs::path file = fs::weakly_canonical(path, ignored), tree = tree_of(file), named = name;
  const fs::path places[] = {
      named.is_absolute() ? tree / named.relative_path() : file.parent_path() / named,
      tree / fmt::format("usr/lib/debug/.build-id/{}/{}.debug", hex.substr(0, 2), hex.substr(2)),
  };
  for (const fs::path& place : places) {
    int fd = ::open(place.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    Dwarf* found = dwarf_begin(fd, DWARF_C_READ);
    const void* its_id = nullptr;
    if (found && dwelf_elf_gnu_build_id(dwarf_getelf(found), &its_id) == size &&
        std::memcmp(its_id, id, static_cast<size_t>(size)) == 0) {
      alternate_ = found;
      alternate_fd_ = fd;
      dwarf_setalt(parts_[0].dwarf, found);
      return add(found);
    }
    dwarf_end(found);
    close(fd);
  }
  missing_.push_back(fmt::format("{}, the file of dwz with build-id {}", name, hex));
}

// elfutils 0.188 does not read packages of .dwo files.
void Parts::find_split_units(const fs::path& path) {
  std::set<Dwarf*> known;
  std::set<std::string> missing;
  Dwarf_CU* unit = nullptr;
  Dwarf_Half version;
  uint8_t type;
  Dwarf_Die die, sub;
  while (dwarf_get_units(parts_[0].dwarf, unit, &unit, &version, &type, &die, &sub) == 0) {
    if (type != DW_UT_skeleton) continue;
    if (dwarf_tag(&sub) != DW_TAG_invalid && sub.cu) {
      Dwarf* dwarf = dwarf_cu_getdwarf(sub.cu);
      if (known.insert(dwarf).second) add(dwarf);
      continue;
    }
    Dwarf_Attribute attribute;
    const char* name = nullptr;
    for (unsigned at : {DW_AT_dwo_name, DW_AT_GNU_dwo_name})
      if (!name) name = dwarf_formstring(dwarf_attr(&die, at, &attribute));
    if (name) missing.insert(name);
  }
  std::error_code ignored;
  fs::path package = path.string() + ".dwp";
  bool packed = fs::exists(package, ignored);
  for (const std::string& name : missing)
    missing_.push_back(packed ? fmt::format("{} (of {}, which is not read)", name, package.string()) : name);
}

std::vector<Dwarf*> Parts::with_units() const {
  std::vector<Dwarf*> files;
  if (!parts_.empty()) files.push_back(parts_[0].dwarf);
  if (alternate_) files.push_back(alternate_);
  return files;
}

Dwarf_Off Parts::number_of(Dwarf_Die& die) const {
  Dwarf_Off offset = dwarf_dieoffset(&die);
  if (parts_.size() < 2) return offset;
  Dwarf* dwarf = die.cu ? dwarf_cu_getdwarf(die.cu) : nullptr;
  for (const Part& part : parts_)
    if (part.dwarf == dwarf) return part.begin + offset;
  return offset;
}

bool Parts::entry(Dwarf_Off number, Dwarf_Die& die) const {
  auto part = std::find_if(parts_.begin(), parts_.end(),
                           [&](const Part& p) { return number >= p.begin && number < p.end; });
  return part != parts_.end() && dwarf_offdie(part->dwarf, number - part->begin, &die);
}

}  // namespace stp::dwarf
