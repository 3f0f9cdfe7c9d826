// What a module needs less of for functions that keep a frame pointer.
#pragma once

#include "build/object_file.h"

namespace stp {

// Whether it names the room that kernels which are built for it have before each function: objtool does.
bool is_room(const ObjectSymbol&);

// Shortens the unwinder's table, .orc_unwind (asm/orc_types.h): a function that keeps a frame pointer has one
// row instead of one for each step that its entry and exits take, and neighbours share it. Longer parts
// that do without the frame keep theirs. An interrupt within those steps then hides a caller from a
// backtrace, as in kernels that have no such table; in a function that calls another, where all others
// stand, backtraces are whole.
void shorten_unwind_table(Object&);

// Has these functions return through one place for each section of code. Each return has a row in
// .return_sites, where the kernel puts what its mitigation of speculation wants, and two relocations.
// Functions without a frame pointer keep their own: they are those that must be fast.
void share_returns(Object&);

}  // namespace stp
