// How Kbuild itself compiles and links a module on this kernel, as a shell script.
//
// Kbuild leaves the exact command of each file in .NAME.cmd. Run once for the runtime, these
// commands serve every script: nothing of Kbuild runs again, neither make nor modpost.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace stp {

// Scripts for `sh -e SCRIPT WORK`; WORK is a folder.
struct Recipe {
  std::string compile;  // of script.c makes script.o
  std::string collect;  // of script.o and the runtime makes module.o
  std::string link;     // of module.o and module.mod.o makes module.ko
};

// From the .cmd files of `built`, where Kbuild made the module `name` out of script.c and the
// runtime; `build_dir` is where make ran. Nothing when a command looks unlike what is known: then
// `why` tells which, and the caller goes through Kbuild each time.
std::optional<Recipe> harvest_recipe(const std::filesystem::path& built, const std::string& name,
                                     const std::filesystem::path& build_dir, std::string& why);

// The command in the text of a .cmd file (its `cmd_FILE :=` or `savedcmd_FILE :=` line); empty
// when there is none.
std::string saved_command(const std::string& cmd_file);
// The compile command of script.c with what a file without kernel headers does not need left out:
// forced includes, the dependency file, __KERNEL__.
std::string lean_compile_command(const std::string& command);

}  // namespace stp
