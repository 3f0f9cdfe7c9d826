// Which variables, functions and arrays are numbers, strings or statistics.
#pragma once

#include "sema/scope.h"

namespace stp::sema {

// Infers over the whole program until nothing new is learned. Reports nothing: what contradicts
// itself or stays unknown is found when it is lowered, where the error can say what was expected.
// The conditions that arm probes come first, as what a global is compared with there is what it is.
void infer_types(Unit&, const std::vector<const ast::Expr*>& conditions);

}  // namespace stp::sema
