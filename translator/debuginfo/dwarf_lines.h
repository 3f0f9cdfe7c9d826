// Lines of the source to addresses of code.
#pragma once

#include <cstdint>
#include <vector>

#include "debuginfo/dwarf_context.h"

namespace stp::dwarf {

// As types::Provider::statements(): FUNC@FILE:LINE, FUNC@FILE+OFFSET and, with line 0 that is not
// relative, FUNC@FILE:*.
types::Answer<std::vector<types::Statement>> find_statements(const Context&,
                                                             const types::FunctionQuery&,
                                                             uint32_t line, bool relative,
                                                             bool nearest);

// As types::Provider::begins_line().
bool begins_line(const Context&, uint64_t address);

// The first instruction behind the prologue; the entry itself when the line table does not tell.
uint64_t after_prologue(const Context&, const types::Function&);

}  // namespace stp::dwarf
