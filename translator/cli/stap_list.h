// -l, -L and the --dump- options of stap.
#pragma once

#include "cli/stap_options.h"
#include "support/diagnostics.h"
#include "target/target.h"

namespace stp::cli {

// The points of options.pattern to stdout, once each.
enum class Listed {
  some,
  none,
  malformed,  // the pattern, or a script of -E, cannot be parsed
};
Listed list_pattern(const StapOptions&, const Target&, SourceMap&, Diagnostics&);

// For the modes dump_probe_types, dump_probe_aliases and dump_functions.
void dump_library(const StapOptions&, const Target&, SourceMap&, Diagnostics&);

}  // namespace stp::cli
