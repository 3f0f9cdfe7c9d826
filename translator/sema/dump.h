// Programs as text; the public one is prog::dump() in program.h.
#pragma once

#include <string>

#include "sema/program.h"

namespace stp::sema {

// What a handler does: its statements and entry values, without its points. Two handlers with the
// same text do the same, if the functions do that they alone call.
std::string dump_handler(const prog::Program&, const prog::Probe&);
std::string dump_function(const prog::Program&, const prog::Function&);

}  // namespace stp::sema
