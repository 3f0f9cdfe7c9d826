// Matching names against a pattern, tens of thousands at a time: what comes before the first
// special character is compared first, and settles most names.

#include "debuginfo/glob.h"

#include <fnmatch.h>

#include <algorithm>

namespace stp {

Glob::Glob(std::string_view pattern)
    : pattern_(pattern), prefix_(pattern.substr(0, pattern.find_first_of("*?["))) {}

bool Glob::matches(std::string_view name) const {
  if (!name.starts_with(prefix_)) return false;
  if (literal()) return name.size() == prefix_.size();
  auto rest = std::string_view(pattern_).substr(prefix_.size());
  if (rest == "*") return true;
  // fnmatch wants NUL-terminated strings.
  return fnmatch(pattern_.c_str(), std::string(name).c_str(), FNM_NOESCAPE) == 0;
}

}  // namespace stp
