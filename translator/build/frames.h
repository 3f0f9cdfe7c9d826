// What the unwinder's table, .orc_unwind (asm/orc_types.h), says of a module's functions.
#pragma once

#include <set>

#include "build/code_places.h"
#include "build/object_file.h"

namespace stp {

// Shortens the table: a function that keeps a frame pointer has one
// row instead of one for each step that its entry and exits take, and neighbours share it; with a quick one, too, that
// has none and is seldom run. Longer parts that do without the frame keep theirs. An interrupt within those steps then hides a caller from a
// backtrace, as in kernels that have no such table; in a function that calls another, where all others
// stand, backtraces are whole.
void shorten_unwind_table(Object&);

// Those that keep a frame pointer.
std::set<Place> functions_with_frame(const Object&);

// Tells of code, a range of offsets in a section, that everywhere there the stack is as where a function begins. False,
// and nothing told, when the table does not show how it says that.
bool add_entry_rows(Object&, uint32_t section, int64_t begin, int64_t end);

}  // namespace stp
