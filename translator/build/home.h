// Where stp keeps what it ships with: the runtime's sources, the tapsets, the loader.
#pragma once

#include <filesystem>

namespace stp {

// A folder with runtime/, include/ and tapsets/ below it: $STP_HOME; else the folder of this
// program (a build tree); else <prefix>/share/stp of an installed one. Throws std::runtime_error
// that names the places when there is none.
std::filesystem::path home_dir();

// stp-load: beside this program, or in <prefix>/libexec/stp, or in the PATH. Empty when there is
// none.
std::filesystem::path loader_program();

}  // namespace stp
