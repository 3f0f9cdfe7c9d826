// The functions in which kprobes would trip over themselves.
#pragma once

#include <cstdint>
#include <vector>

#include "debuginfo/image.h"
#include "debuginfo/symbols.h"

namespace stp {

// As types::Provider::kprobe_blacklist().
std::vector<uint64_t> read_kprobe_blacklist(const Image&, const Symbols&);

}  // namespace stp
