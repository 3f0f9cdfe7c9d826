// Which functions call themselves, and how deep calls can go.
#pragma once

#include "sema/program.h"

namespace stp::sema {

// No chain of calls is longer: what walks calls, here and in the passes behind, has stack for these.
constexpr size_t deepest_call_chain = 1000;

// Sets Function::recursive, and Limits::nesting when the user did not: the longest chain of calls,
// and ten more when something recurses (stap(1), MAXNESTING). False when a chain has more than
// deepest_call_chain calls.
bool set_nesting(prog::Program&, const std::vector<std::vector<size_t>>& calls,
                 const std::vector<size_t>& roots);

}  // namespace stp::sema
