// What is inside of a function besides its variables: labels, and the functions that it calls.
#pragma once

#include <vector>

#include "debuginfo/dwarf_context.h"

namespace stp::dwarf {

// As types::Provider::labels() and calls().
std::vector<types::Statement> labels_of(const Context&, const types::Function&);
std::vector<types::Call> calls_of(const Context&, const types::Function&);

}  // namespace stp::dwarf
