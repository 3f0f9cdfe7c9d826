// Makes one section of a module's code and constants.
#pragma once

#include "build/object_file.h"

namespace stp {

void merge_code(Object&);

// A relocation to the section that it is in, whose distance is known, becomes that; so does one of
// `mov $address, %register`, of which `lea distance(%rip), %register` is as long, and as quick.
void resolve_inside(Object&);

}  // namespace stp
