// Has calls of the kernel's functions go through one place.
#pragma once

#include "build/object_file.h"

namespace stp {

// Changes `object`, what tables say of its calls included. Before sections of code are merged. An object
// without the unwinder's table stays as it is.
void share_calls(Object& object);

}  // namespace stp
