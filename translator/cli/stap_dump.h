// What `stap -p1` and `stap -p2` print.
#pragma once

#include <string>
#include <vector>

#include "sema/program.h"
#include "syntax/ast.h"

namespace stp::cli {

// The scripts as they were understood; each prints as text that parses to the same.
std::string dump_trees(const std::vector<const ast::File*>&);

// Globals, functions and probes with all types; with their bodies when asked.
std::string dump_program(const prog::Program&, bool with_bodies);

}  // namespace stp::cli
