// C text to a loadable module, through Kbuild's own commands and a cache.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "support/diagnostics.h"
#include "target/target.h"

namespace stp {

struct BuildOptions {
  bool verbose = false;
  bool keep = false;          // leave the build folder
  bool plain_kbuild = false;  // to compare with
  // NAME=VALUE for make: with any, Kbuild itself builds all of it.
  std::vector<std::string> make_variables;
  // Where the script's own C is: it may include the kernel's headers, so that Kbuild itself must
  // build it. The compiler's complaints about it are reported there.
  std::vector<Span> embedded;
};

struct BuiltModule {
  std::filesystem::path file;  // in the cache: <cache>/modules/<hash>/<name>.ko
  std::string name;            // as the kernel will call it
  bool from_cache = false;
};

// `source` is what emit() returned; `script_name` names the module when the user asked for a
// name. Reports embedded_c for what the compiler says of the script's own C, else build_failed with the
// log's path.
std::optional<BuiltModule> build_module(const Target&, const std::string& source,
                                        const std::string& module_name, const BuildOptions&,
                                        Diagnostics&);

}  // namespace stp
