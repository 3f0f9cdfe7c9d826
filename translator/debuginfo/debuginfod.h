// Servers that hand out debug information by build-id.
#pragma once

#include <filesystem>
#include <string>

namespace stp {

// The file with the debug information of `build_id` (hex), from the servers of $DEBUGINFOD_URLS;
// nothing is asked of anybody when that is not set. Empty, with a phrase in `why_not`, when there
// is none. A server that says nothing for $DEBUGINFOD_TIMEOUT seconds, 90 when that is not set, is
// given up.
std::filesystem::path ask_debuginfod(const std::string& build_id, std::string& why_not);

}  // namespace stp
