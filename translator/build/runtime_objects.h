// The runtime's objects for one kernel: built once, linked into every script's module.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "build/recipe.h"
#include "target/target.h"

namespace stp {

// The name that the runtime was built under, as long as a module's name can be. The template .mod.o
// carries it; a script's own name, padded with NULs, takes its place there.
inline constexpr const char* placeholder_name =
    "stp_placeholder_of_a_name_that_is_as_long_as_a_name_can";

struct RuntimeObjects {
  std::string key;               // changes when kernel, compiler or runtime do
  std::filesystem::path folder;  // its sources, as Kbuild wants them, and what it was built to
  Recipe recipe;                // empty when `harvested` is not
  std::string module_template;  // the bytes of the .mod.o
  std::set<std::string> known;  // symbols that a script may use with this .mod.o
  bool harvested = false;       // false: each script goes through Kbuild
  std::string why_not;
};

// Finds the runtime in the cache, or builds it there: then takes seconds. Several processes may
// ask at once; one builds. Throws std::runtime_error that names the log when the build fails or the
// cache cannot be written.
RuntimeObjects runtime_objects(const Target&);

// Has the runtime built, if it never was for this kernel, by a thread of its own while the script is being
// translated. The end waits for it. What fails is told by runtime_objects(), which meets it again.
class RuntimeAhead {
 public:
  void start(const Target&);

 private:
  std::jthread thread_;
};

// Lays out `folder` for Kbuild: the module `name` of script.c and the runtime's sources.
void write_kbuild_folder(const std::filesystem::path& folder, const std::string& name,
                         bool kernel_headers = false);
// Runs Kbuild there, make with `variables` (NAME=VALUE); its output goes to `log`. False when it fails.
bool run_kbuild(const Target&, const std::filesystem::path& folder,
                const std::filesystem::path& log,
                const std::vector<std::string>& variables = {});

}  // namespace stp
