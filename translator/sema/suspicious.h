// What is no error, and hardly ever meant.
#pragma once

#include "support/diagnostics.h"
#include "syntax/ast.h"

namespace stp::sema {

// `if (x = 5)`: warns of conditions that assign a constant, and so are always the same.
void warn_of_suspicious(const ast::File& script, Diagnostics&);

}  // namespace stp::sema
