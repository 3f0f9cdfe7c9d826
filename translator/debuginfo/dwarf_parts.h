// DWARF that lies in several files, numbered as if it were one.
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "debuginfo/dwarf_link.h"
#include "debuginfo/dwarf_package.h"

namespace stp::dwarf {

// The file itself, what dwz has moved to a file that several share, and units that the compiler has
// split off into .dwo files, which may have been put into a package. An entry's number is its offset in .debug_info, plus the sizes of the
// parts before its own; of a file that stands alone it is the offset.
class Parts {
 public:
  Parts() = default;
  ~Parts();
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  // Begins with the file at `path`, opened as `fd`. The caller ends it, before the parts. Null when it
  // has no DWARF; libdw says why.
  Dwarf* begin(int fd, const std::filesystem::path& path);
  // Finds the other parts of `dwarf`, which was read from `path`.
  void open(Dwarf* dwarf, const std::filesystem::path& path);

  Dwarf_Off number_of(Dwarf_Die&) const;
  bool entry(Dwarf_Off number, Dwarf_Die&) const;

  // The folder that the compiler of an entry's unit ran in. clang says that in the skeletons alone.
  std::string_view compile_dir(Dwarf_Die&) const;

  // The type in a unit of its own (-fdebug-types-section) that an entry declares by its signature, or that
  // the attribute refers to so. False when there is none.
  bool signed_type(Dwarf_Die& declaration, Dwarf_Die& type) const;
  bool signed_type(const Dwarf_Attribute& reference, Dwarf_Die& type) const;

  // Units are listed by these alone; split units by the skeletons in the first.
  std::vector<Dwarf*> with_units() const;
  // Of these there are units of types besides.
  const std::vector<Dwarf*>& split() const { return split_; }
  // The end of the numbers; 0 when the file stands alone.
  Dwarf_Off extent() const { return parts_.size() > 1 ? end_ : 0; }
  // What the file names and was not found, with "is not there"; for errors.
  const std::vector<std::string>& missing() const { return missing_; }

 private:
  struct Part {
    Dwarf* dwarf;
    Dwarf_Off begin, end;
    bool types;  // .debug_types, where DWARF 4 has units of types; else .debug_info
  };
  // A file of a package that is not linked to a skeleton.
  struct Unlinked {
    std::string image;
    Elf* elf = nullptr;
    Dwarf* dwarf = nullptr;
  };
  void add(Dwarf*);
  void add(Dwarf*, bool types);
  void find_alternate(const std::filesystem::path& path);
  void take_from_package();
  void find_split_units();

  std::vector<Part> parts_;
  std::unordered_map<Dwarf*, Dwarf_Off> begins_, begins_of_types_;
  std::vector<Dwarf*> split_;
  std::deque<Unlinked> unlinked_;
  mutable std::unordered_map<uint64_t, Dwarf_Die> signed_;
  mutable bool looked_for_signed_ = false;
  std::unordered_map<Dwarf_CU*, std::string_view> folders_;  // of split units
  Dwarf_Off end_ = 0;
  Dwarf* alternate_ = nullptr;
  int alternate_fd_ = -1;
  Elf* elf_ = nullptr;  // of a file with a package
  UnitLinker linker_;
  std::filesystem::path package_path_;
  std::unique_ptr<Package> package_;
  std::string no_package_;  // why it is not read
  std::vector<std::string> missing_;
};

}  // namespace stp::dwarf
