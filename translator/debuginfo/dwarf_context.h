// What all parts of the DWARF provider work on.
#pragma once

#include "debuginfo/dwarf_call_sites.h"
#include "debuginfo/dwarf_file.h"
#include "debuginfo/dwarf_index.h"
#include "debuginfo/dwarf_types.h"
#include "debuginfo/symbols.h"
#include "types/provider.h"

namespace stp::dwarf {

struct Context {
  const File& file;
  const Index& index;
  const Symbols* symbols;  // null: the file was stripped of them
  Types& types;
  std::string whole = "the kernel";  // what the file describes, for errors
  CallSites calls{file};
};

// Function::handle holds two offsets of entries: the function's or inlined copy's own, and of a
// copy that of the function whose frame it lives in.
inline uint64_t handle_of(const Record& r) {
  uint64_t outer = r.kind() == Entry::inlined ? r.detail : r.die;
  return r.die | outer << 32;
}
inline bool own_entry(const Context& c, const types::Function& f, Dwarf_Die& die) {
  return static_cast<uint32_t>(f.handle) &&
         c.file.entry(static_cast<uint32_t>(f.handle), die);
}
inline bool outer_entry(const Context& c, const types::Function& f, Dwarf_Die& die) {
  return f.handle >> 32 && c.file.entry(f.handle >> 32, die);
}

}  // namespace stp::dwarf
