// Entries of .debug_info: their children, attributes and code, read so that damage ends a walk
// instead of prolonging it.
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace stp::dwarf {

// Calls `use` with each child; when it returns bool, false ends the walk. False when it was ended.
template <typename Use>
bool each_child(Dwarf_Die& parent, Use use) {
  Dwarf_Die child, next;
  if (dwarf_child(&parent, &child) != 0) return true;
  for (;;) {
    Dwarf_Off at = dwarf_dieoffset(&child);
    if constexpr (std::is_same_v<std::invoke_result_t<Use, Dwarf_Die&>, bool>) {
      if (!use(child)) return false;
    } else {
      use(child);
    }
    // DW_AT_sibling is followed: in damaged files it leads back.
    if (dwarf_siblingof(&child, &next) != 0 || dwarf_dieoffset(&next) <= at) return true;
    child = next;
  }
}

// Attributes of the entry, or of what it is a copy of.
std::optional<uint64_t> number(Dwarf_Die& die, unsigned attribute);
std::optional<int64_t> signed_number(Dwarf_Die& die, unsigned attribute);
bool flag(Dwarf_Die& die, unsigned attribute);
// Of the entry itself: what completes a declaration refers to it.
bool is_declaration(Dwarf_Die& die);
std::string_view name_of(Dwarf_Die& die);
// What an attribute of the entry itself refers to.
std::optional<Dwarf_Die> reference(Dwarf_Die& die, unsigned attribute);
// The entry that this is a copy of, through any number of steps; the entry itself when it is none.
Dwarf_Die origin_of(Dwarf_Die die);

// The same, but not on to the declaration that a definition completes (DW_AT_specification): a class
// declares its methods without the names of parameters.
Dwarf_Die definition_of(Dwarf_Die die);

// The file and line that an entry, or what it is a copy of, is declared at; empty and 0 when
// nothing says.
std::string_view declared_in(Dwarf_Die& die);
uint32_t declared_at(Dwarf_Die& die);

struct Range {
  Dwarf_Addr begin, end;
};
// Where the code of a function, an inlined copy or a block is: hot part, cold part. Empty when it
// has none.
std::vector<Range> ranges_of(Dwarf_Die& die);
// Its first instruction; 0 when the entry does not say, and `ranges` have to.
Dwarf_Addr entry_of(Dwarf_Die& die);

// The path of a source file below the root of the source: "fs/read_write.c", from a path as the
// compiler was given it and the folder it ran in. Builds with O= name "../fs/read_write.c" or a
// whole path; the part that both have in common is where the tree was unpacked.
std::string shown_path(std::string_view path, std::string_view compile_dir);
// The folder that the compiler of an entry's unit ran in.
std::string_view compile_dir(Dwarf_Die& die);

}  // namespace stp::dwarf
