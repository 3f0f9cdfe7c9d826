// Lines of the source to addresses of code.
#pragma once

#include <elfutils/libdw.h>

#include <string>
#include <vector>

namespace stp::dwarf {

struct CodeLine {
  Dwarf_Addr address;
  std::string file;
  unsigned line;
};

// Where statements of the function `die` (or inlined copy) begin, by address: the first
// instruction of each run of a line. Empty without a line table.
std::vector<CodeLine> lines_of(Dwarf_Die& die);

}  // namespace stp::dwarf
