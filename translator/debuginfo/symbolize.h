// What an address is, for people.
#pragma once

#include <vector>

#include "debuginfo/dwarf_context.h"

namespace stp::dwarf {

// As types::Provider::source_frames() and symbol_at().
std::vector<types::SourceFrame> source_frames(const Context&, uint64_t address);
std::optional<types::SymbolAt> symbol_at(const Context&, uint64_t address);

}  // namespace stp::dwarf
