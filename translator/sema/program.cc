// What is computed from a Program's parts.
#include "sema/program.h"

#include "stp/abi.h"

namespace stp::prog {

uint32_t StatShape::buckets() const {
  switch (histogram) {
    case Histogram::none:
      return 0;
    case Histogram::log:
      return STP_HIST_LOG_BUCKETS;
    // One for each step from low to high inclusive, one below and one above.
    case Histogram::linear:
      return step > 0 ? static_cast<uint32_t>((high - low) / step + 3) : 2;
  }
  return 0;
}

}  // namespace stp::prog
