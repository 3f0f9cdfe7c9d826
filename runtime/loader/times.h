// What handlers took, point by point, as the `times` file of a module tells that was built with timing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stp::load {

struct TimesRow {
  uint64_t hits = 0, least = 0, sum = 0, most = 0;  // cycles
  std::string point, probe, place;                  // probe: as written; place: "file:line:column"
};

// Nothing when the module does not measure.
std::vector<TimesRow> read_times(const std::string& directory);

// A table; points that were not hit are one line together. Empty when there are no rows.
std::string describe(const std::vector<TimesRow>&);

}  // namespace stp::load
