// The line table of a unit, cut down to one function. Only rows that the compiler marked as
// beginnings of statements count: a breakpoint elsewhere would be in the middle of one.
#include "debuginfo/dwarf_lines.h"

#include <dwarf.h>

namespace stp::dwarf {

std::vector<CodeLine> lines_of(Dwarf_Die& die) {
  std::vector<CodeLine> found;
  Dwarf_Die unit;
  Dwarf_Lines* lines = nullptr;
  size_t count = 0;
  if (!dwarf_diecu(&die, &unit, nullptr, nullptr) || dwarf_getsrclines(&unit, &lines, &count) != 0)
    return found;
  std::string last_file;
  int last_line = -1;
  for (size_t i = 0; i < count; ++i) {
    Dwarf_Line* row = dwarf_onesrcline(lines, i);
    Dwarf_Addr address = 0;
    bool statement = false, end = false;
    int line = 0;
    if (!row || dwarf_lineaddr(row, &address) != 0) continue;
    dwarf_linebeginstatement(row, &statement);
    dwarf_lineendsequence(row, &end);
    dwarf_lineno(row, &line);
    if (end || dwarf_haspc(&die, address) != 1) {
      last_line = -1;
      continue;
    }
    const char* file = dwarf_linesrc(row, nullptr, nullptr);
    if (!statement || line <= 0 || !file) continue;
    if (line == last_line && last_file == file) continue;
    last_line = line;
    last_file = file;
    found.push_back({address, file, static_cast<unsigned>(line)});
  }
  return found;
}

}  // namespace stp::dwarf
