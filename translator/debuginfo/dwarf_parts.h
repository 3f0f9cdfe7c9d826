// DWARF that lies in several files, numbered as if it were one.
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace stp::dwarf {

// The file itself, what dwz has moved to a file that several share, and units that the compiler has
// split off into .dwo files. An entry's number is its offset in .debug_info, plus the sizes of the
// parts before its own; of a file that stands alone it is the offset.
class Parts {
 public:
  Parts() = default;
  ~Parts();
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  // Finds the other parts of `dwarf`, which was read from `path`.
  void open(Dwarf* dwarf, const std::filesystem::path& path);

  Dwarf_Off number_of(Dwarf_Die&) const;
  bool entry(Dwarf_Off number, Dwarf_Die&) const;

  // Units are listed by these alone; split units by the skeletons in the first.
  std::vector<Dwarf*> with_units() const;
  // The end of the numbers; 0 when the file stands alone.
  Dwarf_Off extent() const { return parts_.size() > 1 ? end_ : 0; }
  // Parts that the file names and that are not there; for errors.
  const std::vector<std::string>& missing() const { return missing_; }

 private:
  struct Part {
    Dwarf* dwarf;
    Dwarf_Off begin, end;
  };
  void add(Dwarf*);
  void find_alternate(const std::filesystem::path& path);
  void find_split_units(const std::filesystem::path&);

  std::vector<Part> parts_;
  Dwarf_Off end_ = 0;
  Dwarf* alternate_ = nullptr;
  int alternate_fd_ = -1;
  std::vector<std::string> missing_;
};

}  // namespace stp::dwarf
