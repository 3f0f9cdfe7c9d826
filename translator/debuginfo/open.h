// Opens the best debug information of a target.
#pragma once

#include <memory>

#include "support/diagnostics.h"
#include "target/target.h"
#include "types/provider.h"

namespace stp {

enum class DebuginfoChoice { automatic, dwarf, btf, none };

// automatic: DWARF when it is there, else BTF from the image, else symbols; none: symbols alone. Null, with
// no_debuginfo or no_kernel reported and what was looked for, when there is nothing.
std::unique_ptr<types::Provider> open_debuginfo(const Target&, DebuginfoChoice, Diagnostics&);

}  // namespace stp
