// Globals that the session shows at its end, because nothing in the script does.
#pragma once

#include <vector>

#include "sema/scope.h"

namespace stp::sema {

// Of the script's globals those that its probes write and nothing reads, as indices into
// Program::globals, in their order. `conditions`: of the probe points.
std::vector<size_t> unread_globals(Unit&, const std::vector<const ast::Expr*>& conditions);

// Adds an end probe for each, which runs after the script's own. Types must be known.
void display_globals(Unit&, const std::vector<size_t>& globals);

}  // namespace stp::sema
