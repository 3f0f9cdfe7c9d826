// Whether BTF may be walked without looking at every step.
#pragma once

#include <bpf/btf.h>

namespace stp {

// True when every type that is referred to exists, no type contains itself by value, and no chain
// of pointers, typedefs and arrays leads back to where it began.
bool is_sound(const btf&);

}  // namespace stp
