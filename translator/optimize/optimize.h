// Program to Program: what a handler reads and writes, which locks it needs.
#pragma once

#include "sema/program.h"

namespace stp {

// Runs every optimisation in order. After it, each Probe's `locks` (ascending by global) and
// `all_registers` are set; globals that nothing changes after start need no lock.
void optimize(prog::Program&);

}  // namespace stp
