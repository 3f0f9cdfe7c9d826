// What is wrong in a script whatever its names mean: for `stap -p1`, which goes no further.
#pragma once

#include <memory>
#include <vector>

#include "support/diagnostics.h"
#include "syntax/ast.h"

namespace stp::sema {

// Reports what SystemTap's parser refuses and ours leaves to analyze(), which reports the same:
// global variables and parameters declared twice, `return` outside of functions, bad formats.
// The files share their names. One without a declaration is refused as well.
void check_form(const std::vector<std::unique_ptr<ast::File>>&, Diagnostics&);

}  // namespace stp::sema
