// Where the debug information of a file is: in the file, beside it, below usr/lib/debug, or on a
// server of debug information.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "target/target.h"

namespace stp {

// The trees that files are looked for in: "/", a sysroot, trees that packages were unpacked in.
using Trees = std::vector<std::filesystem::path>;

// A file that was looked for: the same place in each tree, or (`tree` empty) one place.
struct LookedFor {
  std::filesystem::path tree, place;
  std::string why_not;  // why it was not taken; empty: it is not there
};

struct DebugSearch {
  std::filesystem::path file;         // with the DWARF; empty when none was found
  std::vector<LookedFor> looked_for;  // in order: for errors
};

// The DWARF of the ELF file at `path` (which may be packed).
DebugSearch find_debuginfo(const std::filesystem::path& path, const Trees&);

// The same by build-id (hex) alone: of a file that is not here.
DebugSearch find_debuginfo_of(const std::string& build_id, const Trees&);

// What a search looked for, as notes of an error: "looked for A and B below /, /sysroot", "C: it has no
// DWARF".
std::vector<std::string> told(const std::vector<LookedFor>&);

struct ModuleFiles {
  std::filesystem::path module;     // the file as the kernel loads it, unpacked; empty: none
  std::filesystem::path debuginfo;  // with DWARF; may be `module`; empty: none
  bool builtin = false;             // linked into the kernel: it has no file
  std::vector<LookedFor> looked_for;
};

// The module `name` of the target's kernel; - and _ in names are alike, as they are for the kernel.
ModuleFiles find_module(const Target&, std::string_view name);

// The file of a module as it lies in the tree, perhaps packed; empty when there is none.
std::filesystem::path find_module_file(const Target&, std::string_view name);

// Names of all modules that have a file, with _ for -, sorted.
std::vector<std::string> module_names(const Target&);

}  // namespace stp
