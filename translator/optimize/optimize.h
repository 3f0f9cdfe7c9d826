// Program to Program: what a handler reads and writes, which locks it needs, what it wants of the runtime.
#pragma once

#include "sema/program.h"

namespace stp {

// Runs every optimisation in order. After it, each Probe's `locks` (ascending by global),
// `all_registers`, `alone` and `weight` are set, and what is kept of globals; globals that nothing changes after start need no lock.
void optimize(prog::Program&);

}  // namespace stp
