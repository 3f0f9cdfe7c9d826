// Which variables, functions and arrays are numbers, strings or statistics.
#pragma once

#include "sema/scope.h"

namespace stp::sema {

// Infers over the whole program until nothing new is learned. Reports nothing: what contradicts
// itself or stays unknown is found when it is lowered, where the error can say what was expected.
void infer_types(Unit&);

}  // namespace stp::sema
