// The symbol table that a kernel carries for itself.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "debuginfo/image.h"

namespace stp {

// Calls `use` for each symbol that CONFIG_KALLSYMS left in the image's read-only data: link-time
// address, type letter as nm writes it, name (valid during the call). False, with a phrase in
// `why_not` and nothing called, when the tables are not found or contradict the image's exports.
bool read_kallsyms(
    const Image&,
    const std::function<void(uint64_t address, char type, std::string_view name)>& use,
    std::string& why_not);

}  // namespace stp
