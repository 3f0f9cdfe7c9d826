// The kernel's tracepoints and what they pass, by DWARF.
#pragma once

#include <string_view>
#include <vector>

#include "debuginfo/dwarf_context.h"
#include "debuginfo/image.h"

namespace stp::dwarf {

// Those whose name matches `glob`, by name. `image` holds the kernel's data and may be null. A
// parameter without a name is called arg1, arg2, ... by its place.
std::vector<types::Tracepoint> find_tracepoints(const Context&, const types::Provider&,
                                                const Image* image, std::string_view glob);

}  // namespace stp::dwarf
