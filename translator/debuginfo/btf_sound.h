// Whether BTF may be walked without looking at every step.
#pragma once

#include <bpf/btf.h>

#include <cstdint>

namespace stp {

// Of the types from `first` on, and all that they lead to: true when every type that is referred to exists, no type contains itself by value, and no chain
// of pointers, typedefs and arrays leads back to where it began.
bool is_sound(const btf&, uint32_t first = 1);

}  // namespace stp
