// The compilation units of a file.
#pragma once

#include <dwarf.h>
#include <elfutils/libdw.h>

#include <cstddef>
#include <cstdint>

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

}  // namespace stp::dwarf
