// Split units that are in no file of their own.
#pragma once

#include <elfutils/libdw.h>

#include <deque>
#include <string>

namespace stp::dwarf {

class UnitLinker {
 public:
  UnitLinker() = default;
  UnitLinker(const UnitLinker&) = delete;
  UnitLinker& operator=(const UnitLinker&) = delete;

  // Before libdw begins with the file of the skeletons. Lives as long as the file is open.
  void prepare(Elf*);
  // Gives a skeleton the unit that is in `image`, a .dwo file. False when libdw does not take it.
  bool link(Dwarf_CU* skeleton, Dwarf_Die& die, const std::string& image);

 private:
  char* writable(const char* text, size_t size);

  std::deque<std::string> sections_;
};

}  // namespace stp::dwarf
