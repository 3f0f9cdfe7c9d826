// Programs and libraries: where a probe point's PATH leads, and their debug information.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "debuginfo/find.h"
#include "types/provider.h"

namespace stp {

// The files that `path` of process("path") means: with a slash as it is, relative to the working
// directory; with wildcards all that match; else from $PATH. A script means its interpreter. Below
// the sysroot, when `trees` is one. Empty, with a phrase in `why_not`, when there is none.
std::vector<std::filesystem::path> find_programs(const std::string& path, const Trees& trees,
                                                 std::string& why_not);

// Whether the kernel could run it by itself: an ELF file, or one that cannot be read here.
bool can_be_program(const std::filesystem::path&);

// The libraries that a program needs, directly or not, and that `pattern` names: by the name that
// programs use ("libc.so.6"), or as a path; with wildcards. A path with a slash and without
// wildcards is taken as it is.
std::vector<std::filesystem::path> find_libraries(const std::filesystem::path& program,
                                                  const std::string& pattern, const Trees& trees);

struct UserDebuginfo {
  const types::Provider* provider = nullptr;  // null: none; lives until the end of the program
  std::string why_not;                        // why there is no DWARF; a phrase
  std::vector<std::string> notes;             // what was looked for, and what to do
};

// The debug information of a program or library. The second question about a file is answered with
// the first's answer.
const UserDebuginfo& open_user_debuginfo(const std::filesystem::path&, const Trees&);

}  // namespace stp
