// The compilation units of a file.
#pragma once

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <malloc.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "debuginfo/dwarf_file.h"

namespace stp::dwarf {

// Calls `use` with the number and entry of each unit, of all parts of the file.
template <typename Use>
void each_unit(const File& file, Use use) {
  size_t i = 0;
  for (Dwarf* dwarf : file.parts().with_units()) {
    Dwarf_CU* unit = nullptr;
    Dwarf_Half version;
    uint8_t type;
    Dwarf_Die die, sub;
    for (; dwarf_get_units(dwarf, unit, &unit, &version, &type, &die, &sub) == 0; ++i) {
      if (type == DW_UT_skeleton && sub.cu) die = sub;
      // Offsets are kept in 32 bits; no kernel's .debug_info comes near.
      if (dwarf_dieoffset(&die) < UINT32_MAX) use(i, die);
    }
  }
  for (Dwarf* dwarf : file.parts().split()) {
    Dwarf_CU* unit = nullptr;
    uint8_t type;
    Dwarf_Die die;
    for (; dwarf_get_units(dwarf, unit, &unit, nullptr, &type, &die, nullptr) == 0; ++i)
      if (type == DW_UT_split_type || type == DW_UT_type) use(i, die);
  }
}

// The same for every `step`-th unit, from `first` on, of the file at `path`, opened for that: `use` has the
// open file too. For what reads a kernel's debug information, which is larger than all else, from end to
// end: memory of what was read is given back on the way, by opening the file again after each `opened_for`
// units. Nothing is called when there is no DWARF.
template <typename Use>
void each_unit_of(const std::filesystem::path& path, size_t first, size_t step, size_t opened_for, Use use) {
  constexpr size_t all = UINT32_MAX, mapped_for = 64;
  size_t units = 1, stretch = all;
  for (size_t begin = 0; begin < units; begin += stretch) {
    malloc_trim(0);  // of the file that was closed
    // libdw keeps what it reads of a unit, its lines above all, until the file is closed. What is in
    // several files is dear to open, and no kernel.
    File file(path);
    if (!file.dwarf()) return;
    stretch = file.parts().extent() ? all : opened_for;
    each_unit(file, [&](size_t i, Dwarf_Die& unit) {
      if (i >= begin && i - begin < stretch && i % step == first) use(file, i, unit);
      if (i % mapped_for == mapped_for - 1) file.release_pages();
      units = i + 1;
    });
  }
}

}  // namespace stp::dwarf
