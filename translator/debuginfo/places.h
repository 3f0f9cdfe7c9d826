// Tables of what is at each address of a file's code, for modules to carry: lines of the source, and
// functions that were inlined. See stp/places.h for what they look like.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "types/provider.h"

namespace stp::dwarf {

// Ranges in the order that they are found, to a table.
class PlacesTable {
 public:
  // The number of a name, from 1 on; the same one for the same name inside of the same other.
  uint32_t name(std::string_view text, uint32_t around = 0);
  // From `address` on, up to the next such address, it is `value`. Of two for one address the later
  // one holds; but an end (`value` 0) takes the place of what was told just before it alone: what is empty,
  // not what begins where something else ends.
  void from(uint64_t address, uint64_t value);
  // What follows is of another unit. Ranges of one value that follow each other in a unit become one.
  void end_unit();
  // Takes over all of another table.
  void add(const PlacesTable&, uint64_t (*renumbered)(uint64_t value, const std::vector<uint32_t>&));
  // The bytes; empty when there is no range, or they are 4 GB apart.
  std::string packed();

 private:
  struct Range {
    uint64_t address, value;
  };
  struct Name {
    uint32_t text, around;
  };
  void put_in_order(size_t first);

  std::vector<Range> ranges_;
  size_t ended_ = 0;  // so many of them are of units that have ended
  std::vector<Name> names_;
  std::string texts_;
  std::unordered_map<std::string, uint32_t> text_at_;
  std::unordered_map<uint64_t, uint32_t> known_;  // by text and what is around
};

// The table of a file with DWARF, kept under the name `key`; made when there is none. Empty when it
// cannot be made or kept.
std::filesystem::path places_file(const std::filesystem::path& debuginfo, const std::string& key,
                                  types::PlaceKind);

}  // namespace stp::dwarf
