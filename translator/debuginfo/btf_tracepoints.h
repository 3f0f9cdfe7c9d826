// The kernel's tracepoints and what they pass.
#pragma once

#include <string_view>
#include <vector>

#include "debuginfo/btf_file.h"
#include "debuginfo/btf_types.h"
#include "debuginfo/image.h"
#include "debuginfo/symbols.h"
#include "types/provider.h"

namespace stp {

// Those whose name matches `glob`, by name. `image` and `symbols` may be null: then no system is
// known. A parameter without a name is called arg1, arg2, ... by its place.
std::vector<types::Tracepoint> read_tracepoints(const BtfFile&, BtfTypes&, const Image* image,
                                                const Symbols* symbols, std::string_view glob);

}  // namespace stp
