// Which kernel modules have tracepoints.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "target/target.h"

namespace stp {

// The names of the tracepoints of each module that has any, by module. The first call for a kernel reads all
// its modules and keeps the list below cache_dir()/modules/; later calls read that.
std::map<std::string, std::vector<std::string>> tracepoints_of_modules(const Target&);

}  // namespace stp
