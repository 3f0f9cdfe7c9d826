// What became of every hit, as the module's `account` file tells it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "rings.h"
#include "stp/abi.h"

namespace stp::load {

struct AccountRow {
  uint64_t hits = 0;
  uint64_t handled = 0;
  std::array<uint64_t, STP_MISSES> missed{};
  std::string probe;

  uint64_t all_missed() const;
};

std::vector<AccountRow> read_account(const std::string& directory);

// The report: with `all`, every probe; else those that missed something. Empty when there is
// nothing to say.
std::string describe(const std::vector<AccountRow>&, bool all);

// A line for each kind of loss that there was.
std::string describe(const Losses&);

}  // namespace stp::load
