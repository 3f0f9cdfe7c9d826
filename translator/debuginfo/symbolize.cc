// An address is in a function, perhaps in copies of others that were inlined into it. The line table
// says where the instruction is from; that is a line of the innermost copy. Of each function around
// it, the copy says in which line it was called.
#include "debuginfo/symbolize.h"

#include <dwarf.h>

#include <algorithm>

#include "debuginfo/dwarf_entry.h"

namespace stp::dwarf {
namespace {

using types::SourceFrame;

struct Copy {
  Dwarf_Die die;
  std::string name;
};

// The copies around an address, outermost first.
void find_copies(Dwarf_Die& parent, uint64_t address, int depth, std::vector<Copy>& copies) {
  if (depth > 200) return;
  each_child(parent, [&](Dwarf_Die& child) {
    int tag = dwarf_tag(&child);
    bool copy = tag == DW_TAG_inlined_subroutine;
    if ((!copy && tag != DW_TAG_lexical_block) || dwarf_haspc(&child, address) != 1) return true;
    if (copy) copies.push_back({child, std::string(name_of(child))});
    find_copies(child, address, depth + 1, copies);
    return false;
  });
}

std::string call_file(const Context& c, Dwarf_Die& copy, Dwarf_Die& unit) {
  Dwarf_Files* files = nullptr;
  size_t count = 0;
  auto number = dwarf::number(copy, DW_AT_call_file);
  if (!number || dwarf_getsrcfiles(&unit, &files, &count) != 0 || *number >= count) return {};
  const char* name = dwarf_filesrc(files, *number, nullptr, nullptr);
  return name ? shown_path(name, c.file.parts().compile_dir(unit)) : "";
}

}  // namespace

std::vector<SourceFrame> source_frames(const Context& c, uint64_t address) {
  std::vector<SourceFrame> frames;
  const Record* r = c.index.function_at(address);
  Dwarf_Die die, unit;
  if (!r || !c.file.entry(r->die, die) || !dwarf_diecu(&die, &unit, nullptr, nullptr))
    return frames;
  SourceFrame frame;
  if (Dwarf_Line* line = dwarf_getsrc_die(&unit, address)) {
    int number = 0;
    const char* file = dwarf_linesrc(line, nullptr, nullptr);
    if (file && dwarf_lineno(line, &number) == 0 && number > 0) {
      frame.file = shown_path(file, c.file.parts().compile_dir(unit));
      frame.line = static_cast<uint32_t>(number);
    }
  }
  std::vector<Copy> copies;
  find_copies(die, address, 0, copies);
  for (auto copy = copies.rbegin(); copy != copies.rend(); ++copy) {
    frame.function = copy->name;
    frame.inlined = true;
    frames.push_back(frame);
    frame = {};
    frame.file = call_file(c, copy->die, unit);
    frame.line = static_cast<uint32_t>(number(copy->die, DW_AT_call_line).value_or(0));
  }
  frame.function = c.index.text(r->name);
  frame.inlined = false;
  frames.push_back(std::move(frame));
  return frames;
}

// Of several symbols at one address a function's comes first, then a global one.
std::optional<types::SymbolAt> symbol_at(const Context& c, uint64_t address) {
  if (!c.symbols) return std::nullopt;
  size_t above = c.symbols->upper_bound(address);
  if (above == 0) return std::nullopt;
  Symbol best = (*c.symbols)[above - 1];
  for (size_t i = above - 1; i-- > 0;) {
    Symbol other = (*c.symbols)[i];
    if (other.address != best.address) break;
    auto rank = [](const Symbol& s) { return 2 * s.is_text() + s.is_global(); };
    if (rank(other) > rank(best)) best = other;
  }
  return types::SymbolAt{std::string(best.name), address - best.address, best.size};
}

}  // namespace stp::dwarf
