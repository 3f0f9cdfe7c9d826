// The functions that the runtime offers, from builtins.def.
#pragma once

#include <string>
#include <vector>

#include "sema/program.h"

namespace stp::sema {

// The row of this name; null when there is none.
const prog::Builtin* find_builtin(const std::string& name);
const std::vector<prog::Builtin>& builtins();

}  // namespace stp::sema
