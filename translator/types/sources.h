// The debug information of a kernel and its modules, each opened when it is first asked for: a script
// of timers must not pay for it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "support/diagnostics.h"
#include "types/provider.h"

namespace stp::types {

class Sources {
 public:
  virtual ~Sources() = default;

  // Null when there is none; the first call reports why.
  virtual const Provider* kernel(Diagnostics&) = 0;
  // Of a module by its name or by the path of its file. Null after an error was reported at `span`.
  // `sought`: the name of a function without which nobody needs the module; then null without an
  // error where it has none.
  virtual const Provider* module(const std::string& name, const Span& span, Diagnostics&,
                                 const std::string& sought = {}) = 0;
  // Whether the kernel's headers have "linux/fs.h"; true when there are no headers to look in.
  virtual bool has_header(const std::string&) const { return true; }
  // The modules whose names match a glob, sorted. A path is itself.
  virtual std::vector<std::string> modules(const std::string& glob) = 0;
  // The names of the tracepoints of each module that has any, by module.
  virtual std::map<std::string, std::vector<std::string>> module_tracepoints() { return {}; }
};

}  // namespace stp::types
