// How much of the runtime a handler wants when its probe is hit.
#pragma once

#include "sema/program.h"

namespace stp {

// After locks and counters are known.
prog::Weight weight_of(const prog::Probe&, const prog::Program&);

}  // namespace stp
