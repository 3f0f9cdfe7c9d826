// Location descriptions of DWARF as location trees.
#pragma once

#include <elfutils/libdw.h>

#include "debuginfo/dwarf_call_sites.h"
#include "debuginfo/dwarf_file.h"
#include "types/provider.h"

namespace stp::dwarf {

// Where code is when a location is asked for.
struct CodePlace {
  const File& file;
  Dwarf_Die* function;  // the subprogram around, whose frame base counts; may be null
  Dwarf_Addr pc;
  bool at_entry;  // the first instruction of the function: nothing has moved yet
  bool at_beginning = at_entry;  // or of an inlined copy
  int depth = 0;                 // how many locations have led here
  const CallSites* calls = nullptr;  // who calls the function, if that may be asked
};

// The variable that `die` declares, at this place. Lack::no_value when it has none there,
// Lack::unusable for what a number cannot say.
types::Answer<types::Location> location_of(Dwarf_Die& die, const CodePlace& place);

}  // namespace stp::dwarf
