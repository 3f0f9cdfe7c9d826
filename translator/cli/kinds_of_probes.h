// `stp help probes`.
#pragma once

namespace stp::cli {

// Lists the kinds of probe points, each with an example; returns an exit status.
int print_kinds_of_probes();

}  // namespace stp::cli
