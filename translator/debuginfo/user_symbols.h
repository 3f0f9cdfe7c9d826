// The source that knows least: the symbol table of a program without debug information.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "types/provider.h"

namespace stp {

// Functions by name and address, and nothing of what is in them: those questions are refused with
// Lack::dwarf. Null, with a phrase in `why_not`, when the program was stripped of symbols too.
std::unique_ptr<types::Provider> open_user_symbols(const std::filesystem::path& program,
                                                   std::string& why_not);

}  // namespace stp
