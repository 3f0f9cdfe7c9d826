// What elfutils says about one entry, in C++ and with limits. elfutils checks that offsets stay
// within their section; that links do not run in circles is up to us.
#include "debuginfo/dwarf_entry.h"

#include <dwarf.h>

#include <algorithm>

namespace stp::dwarf {

std::optional<uint64_t> number(Dwarf_Die& die, unsigned attribute) {
  Dwarf_Attribute found;
  Dwarf_Word value;
  if (!dwarf_attr_integrate(&die, attribute, &found) || dwarf_formudata(&found, &value) != 0)
    return std::nullopt;
  return value;
}

std::optional<int64_t> signed_number(Dwarf_Die& die, unsigned attribute) {
  Dwarf_Attribute found;
  Dwarf_Sword value;
  if (!dwarf_attr_integrate(&die, attribute, &found) || dwarf_formsdata(&found, &value) != 0)
    return std::nullopt;
  return value;
}

bool flag(Dwarf_Die& die, unsigned attribute) {
  Dwarf_Attribute found;
  bool value = false;
  return dwarf_attr_integrate(&die, attribute, &found) && dwarf_formflag(&found, &value) == 0 &&
         value;
}

bool is_declaration(Dwarf_Die& die) {
  Dwarf_Attribute found;
  bool value = false;
  return dwarf_attr(&die, DW_AT_declaration, &found) && dwarf_formflag(&found, &value) == 0 && value;
}

std::string_view name_of(Dwarf_Die& die) {
  const char* name = dwarf_diename(&die);
  return name ? name : std::string_view{};
}

std::optional<Dwarf_Die> reference(Dwarf_Die& die, unsigned attribute) {
  Dwarf_Attribute found;
  Dwarf_Die to;
  if (!dwarf_attr(&die, attribute, &found) || !dwarf_formref_die(&found, &to)) return std::nullopt;
  return to;
}

Dwarf_Die origin_of(Dwarf_Die die) {
  for (int steps = 0; steps < 16; ++steps) {
    auto to = reference(die, DW_AT_abstract_origin);
    if (!to) to = reference(die, DW_AT_specification);
    if (!to) break;
    die = *to;
  }
  return die;
}

Dwarf_Die definition_of(Dwarf_Die die) {
  for (int steps = 0; steps < 16; ++steps) {
    auto to = reference(die, DW_AT_abstract_origin);
    if (!to) break;
    die = *to;
  }
  return die;
}

// Not dwarf_decl_file(): of units without a line table it aborts.
std::string_view declared_in(Dwarf_Die& die) {
  Dwarf_Attribute attribute;
  Dwarf_Word number = 0;
  Dwarf_Files* files = nullptr;
  size_t count = 0;
  if (!dwarf_attr_integrate(&die, DW_AT_decl_file, &attribute) ||
      dwarf_formudata(&attribute, &number) != 0 || !attribute.cu)
    return {};
  Dwarf_Die unit;
  Dwarf_Half version = 0;
  // Numbers are of the unit that says them, which need not be the entry's own. Number 0 is the unit's own
  // file since DWARF 5, which clang writes; it meant none before.
  if (!dwarf_cu_die(attribute.cu, &unit, &version, nullptr, nullptr, nullptr, nullptr, nullptr) ||
      (number == 0 && version < 5) || dwarf_getsrcfiles(&unit, &files, &count) != 0 || number >= count)
    return {};
  const char* name = dwarf_filesrc(files, number, nullptr, nullptr);
  return name ? name : std::string_view{};
}

uint32_t declared_at(Dwarf_Die& die) {
  auto line = number(die, DW_AT_decl_line);
  return line && *line < UINT32_MAX ? static_cast<uint32_t>(*line) : 0;
}

std::vector<Range> ranges_of(Dwarf_Die& die) {
  std::vector<Range> ranges;
  Dwarf_Addr base, begin, end;
  // More parts than any function has: a damaged list may be long.
  constexpr size_t most = 4096;
  for (ptrdiff_t at = 0;
       (at = dwarf_ranges(&die, at, &base, &begin, &end)) > 0 && ranges.size() < most;)
    if (end > begin) ranges.push_back({begin, end});
  return ranges;
}

Dwarf_Addr entry_of(Dwarf_Die& die) {
  Dwarf_Attribute attribute;
  Dwarf_Addr address = 0, low = 0;
  Dwarf_Word offset = 0;
  bool has_low = dwarf_lowpc(&die, &low) == 0;
  if (dwarf_attr(&die, DW_AT_entry_pc, &attribute)) {
    if (dwarf_formaddr(&attribute, &address) == 0) return address;
    // DWARF5 2.18: a constant counts from the lowest address.
    if (has_low && dwarf_formudata(&attribute, &offset) == 0) return low + offset;
  }
  return has_low ? low : 0;
}

std::string shown_path(std::string_view path, std::string_view compile_dir) {
  if (path.starts_with('/')) {
    size_t same = 0, cut = 0;
    for (; same < path.size() && same < compile_dir.size() && path[same] == compile_dir[same];
         ++same)
      if (path[same] == '/') cut = same + 1;
    if (same == compile_dir.size() && same < path.size() && path[same] == '/') cut = same + 1;
    // Nothing but "/" in common: a file of another tree.
    if (cut > 1) path.remove_prefix(cut);
  }
  for (;;) {
    if (path.starts_with("./"))
      path.remove_prefix(2);
    else if (path.starts_with("../"))
      path.remove_prefix(3);
    else
      return std::string(path);
  }
}

std::string_view compile_dir(Dwarf_Die& die) {
  Dwarf_Die unit;
  Dwarf_Attribute attribute;
  if (!dwarf_diecu(&die, &unit, nullptr, nullptr)) return {};
  const char* dir = dwarf_formstring(dwarf_attr(&unit, DW_AT_comp_dir, &attribute));
  return dir ? dir : std::string_view{};
}

}  // namespace stp::dwarf
