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

#include "debuginfo/dwarf_entry.h"
#include "debuginfo/elf_file.h"
#include "debuginfo/elf_sections.h"

namespace stp::dwarf {
namespace {

namespace fs = std::filesystem;

// Offsets are kept in 32 bits; no program's .debug_info comes near.
constexpr Dwarf_Off most = UINT32_MAX;

// Where the last unit ends.
Dwarf_Off size_of(Dwarf* dwarf, bool types) {
  Dwarf_Off at = 0, next = 0;
  size_t header = 0;
  uint64_t signature = 0;
  while (at < most && dwarf_next_unit(dwarf, at, &next, &header, nullptr, nullptr, nullptr, nullptr,
                                      types ? &signature : nullptr, nullptr) == 0 &&
         next > at)
    at = next;
  return at;
}

bool has_section(Elf* elf, std::string_view wanted) {
  bool found = false;
  each_named_section(
      elf, [&](Elf_Scn*, std::string_view name, const GElf_Shdr&) { found |= name == wanted; });
  return found;
}

// The tree that a file below usr/lib/debug is in.
fs::path tree_of(const fs::path& file) {
  std::string text = file.string();
  size_t at = text.rfind("/usr/lib/debug/");
  return at == text.npos || at == 0 ? fs::path("/") : fs::path(text.substr(0, at));
}

}  // namespace

Parts::~Parts() {
  elf_end(elf_);
  for (Unlinked& file : unlinked_) {
    dwarf_end(file.dwarf);
    elf_end(file.elf);
  }
  dwarf_end(alternate_);
  if (alternate_fd_ >= 0) close(alternate_fd_);
}

Dwarf* Parts::begin(int fd, const fs::path& path) {
  package_path_ = Package::beside(path);
  if (package_path_.empty()) return dwarf_begin(fd, DWARF_C_READ);
  package_ = Package::open(package_path_, no_package_);
  elf_ = elf_begin(fd, ELF_C_READ_MMAP, nullptr);
  if (elf_ && package_) linker_.prepare(elf_);
  return elf_ ? dwarf_begin_elf(elf_, DWARF_C_READ, nullptr) : nullptr;
}

void Parts::open(Dwarf* dwarf, const fs::path& path) {
  parts_ = {{dwarf, 0, most, false}};
  Elf* elf = dwarf_getelf(dwarf);
  // Walking the units of a kernel only to learn that it has no parts would cost more than the
  // question that is asked: these sections are in every file that has some.
  bool split = has_section(elf, ".debug_addr"), shared = has_section(elf, ".gnu_debugaltlink");
  if (!split && !shared && !has_section(elf, ".debug_types")) return;
  parts_.clear();
  add(dwarf);
  if (shared) find_alternate(path);
  if (split && package_) take_from_package();
  if (split) find_split_units();
}

void Parts::add(Dwarf* dwarf) {
  if (!dwarf) return;
  add(dwarf, false);
  add(dwarf, true);
}

void Parts::add(Dwarf* dwarf, bool types) {
  Dwarf_Off size = size_of(dwarf, types);
  if ((types && size == 0) || size > most - end_ || parts_.size() >= 100'000) return;
  parts_.push_back({dwarf, end_, end_ + size, types});
  (types ? begins_of_types_ : begins_).emplace(dwarf, end_);
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
    std::string damaged;
    int fd = ::open(with_sections_unpacked(place, damaged).c_str(), O_RDONLY | O_CLOEXEC);
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
  missing_.push_back(fmt::format("{}, the file of dwz with build-id {}, is not there", name, hex));
}

// Before libdw looks for .dwo files: what it has not found it does not look for again.
void Parts::take_from_package() {
  Dwarf_CU* unit = nullptr;
  Dwarf_Half version;
  uint8_t type;
  Dwarf_Die die;
  std::set<int> linked;
  while (dwarf_get_units(parts_[0].dwarf, unit, &unit, &version, &type, &die, nullptr) == 0) {
    uint64_t id = 0;
    if (type != DW_UT_skeleton || dwarf_cu_info(unit, nullptr, nullptr, nullptr, nullptr, &id,
                                                nullptr, nullptr) != 0)
      continue;
    if (int file = package_->file_of_unit(id); file >= 0) {
      linker_.link(unit, die, package_->image(file));
      linked.insert(file);
    }
  }
  // A type that several files had is in the package with one of them, which may be of another program.
  for (auto [signature, file] : package_->files_of_types()) {
    if (!linked.insert(file).second) continue;
    Unlinked& f = unlinked_.emplace_back();
    f.image = package_->image(file);
    f.elf = elf_memory(f.image.data(), f.image.size());
    f.dwarf = f.elf ? dwarf_begin_elf(f.elf, DWARF_C_READ, nullptr) : nullptr;
  }
}

void Parts::find_split_units() {
  std::set<std::string> missing;
  std::set<Dwarf*> known;
  Dwarf_CU* unit = nullptr;
  Dwarf_Half version;
  uint8_t type;
  Dwarf_Die die, sub;
  while (dwarf_get_units(parts_[0].dwarf, unit, &unit, &version, &type, &die, &sub) == 0) {
    if (type != DW_UT_skeleton) continue;
    if (dwarf_tag(&sub) != DW_TAG_invalid && sub.cu) {
      Dwarf* dwarf = dwarf_cu_getdwarf(sub.cu);
      if (known.insert(dwarf).second) split_.push_back(dwarf);
      folders_[sub.cu] = dwarf::compile_dir(die);
      continue;
    }
    Dwarf_Attribute attribute;
    const char* name = nullptr;
    for (unsigned at : {DW_AT_dwo_name, DW_AT_GNU_dwo_name})
      if (!name) name = dwarf_formstring(dwarf_attr(&die, at, &attribute));
    if (name) missing.insert(name);
  }
  for (const Unlinked& file : unlinked_)
    if (file.dwarf) split_.push_back(file.dwarf);
  for (Dwarf* dwarf : split_) add(dwarf);
  std::string where = package_path_.empty() ? ""
                      : package_ ? fmt::format(", nor in {}", package_path_.string())
                                 : fmt::format(", and {} is not read: {}", package_path_.string(), no_package_);
  for (const std::string& name : missing) missing_.push_back(fmt::format("{} is not there{}", name, where));
}

std::string_view Parts::compile_dir(Dwarf_Die& die) const {
  auto folder = folders_.find(die.cu);
  std::string_view own = dwarf::compile_dir(die);
  return own.empty() && folder != folders_.end() ? folder->second : own;
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
  Dwarf_Half version = 0;
  uint8_t type = 0;
  bool types = !begins_of_types_.empty() && die.cu &&
               dwarf_cu_info(die.cu, &version, &type, nullptr, nullptr, nullptr, nullptr, nullptr) == 0 &&
               version < 5 && (type == DW_UT_type || type == DW_UT_split_type);
  const auto& begins = types ? begins_of_types_ : begins_;
  auto begin = begins.find(dwarf);
  return begin != begins.end() ? begin->second + offset : offset;
}

bool Parts::entry(Dwarf_Off number, Dwarf_Die& die) const {
  auto part = std::upper_bound(parts_.begin(), parts_.end(), number,
                               [](Dwarf_Off n, const Part& p) { return n < p.end; });
  if (part == parts_.end() || number < part->begin) return false;
  return (part->types ? dwarf_offdie_types : dwarf_offdie)(part->dwarf, number - part->begin, &die);
}

bool Parts::signed_type(Dwarf_Die& declaration, Dwarf_Die& type) const {
  Dwarf_Attribute signature;
  return dwarf_attr(&declaration, DW_AT_signature, &signature) && signed_type(signature, type);
}

bool Parts::signed_type(const Dwarf_Attribute& reference, Dwarf_Die& type) const {
  if (reference.form != DW_FORM_ref_sig8 || parts_.empty()) return false;
  if (!looked_for_signed_) {
    std::set<Dwarf*> files;
    for (const Part& part : parts_) files.insert(part.dwarf);
    for (Dwarf* dwarf : files) {
      Dwarf_CU* unit = nullptr;
      uint8_t kind;
      Dwarf_Die die, its_type;
      while (dwarf_get_units(dwarf, unit, &unit, nullptr, &kind, &die, &its_type) == 0) {
        uint64_t id = 0;
        if ((kind == DW_UT_type || kind == DW_UT_split_type) && its_type.cu &&
            dwarf_cu_info(unit, nullptr, nullptr, nullptr, nullptr, &id, nullptr, nullptr) == 0)
          signed_.emplace(id, its_type);
      }
    }
    looked_for_signed_ = true;
  }
  uint64_t id = 0;
  std::memcpy(&id, reference.valp, sizeof id);
  auto found = signed_.find(id);
  if (found != signed_.end()) type = found->second;
  return found != signed_.end();
}

}  // namespace stp::dwarf
