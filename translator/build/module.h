// C text to a loadable module, through Kbuild's own commands and a cache.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "support/diagnostics.h"
#include "target/target.h"

namespace stp {

struct BuildOptions {
  bool verbose = false;
  bool keep = false;          // leave the build folder
  bool plain_kbuild = false;  // embedded C, or to compare with
};

struct BuiltModule {
  std::filesystem::path file;  // in the cache: <cache>/modules/<hash>/<name>.ko
  std::string name;            // as the kernel will call it
  bool from_cache = false;
};

// `source` is what emit() returned; `script_name` names the module when the user asked for a
// name. Reports build_failed with the log's path, never the compiler's text alone.
std::optional<BuiltModule> build_module(const Target&, const std::string& source,
                                        const std::string& module_name, const BuildOptions&,
                                        Diagnostics&);

}  // namespace stp
