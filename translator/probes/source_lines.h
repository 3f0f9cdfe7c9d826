// Lines of the source in probe points, which stand behind the file: ":3", ":*", ":3-5", ":3,7-9", "+2".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "probes/kind.h"

namespace stp::probes {

// "f@file:place" of .function(), .statement() and .callee().
struct PlacePattern {
  std::string function;
  std::string file;   // empty: any
  std::string place;  // with the ':' or '+' before it; empty: none
};
PlacePattern split_place(const std::string& text);

struct LineRange {
  uint32_t first = 0, last = 0;  // 0: all of the function's
};
struct Lines {
  std::vector<LineRange> ranges;
  bool relative = false;  // to the function's declaration
  bool is_one() const { return ranges.size() == 1 && ranges[0].first == ranges[0].last; }
};
// No place is where a function begins. What is no place is an error at `span`.
std::optional<Lines> read_lines(const Request&, const std::string& place, const Span& span);

// Which functions a pattern means, of those that its name and file match: all, or those whose source
// holds one of the lines, from the declaration to the last line with code.
class SourceLines {
 public:
  SourceLines(const types::Provider& provider, PlacePattern pattern, Lines lines);
  bool hold(const types::Function&);
  bool hold_line(const types::Function&, uint32_t line) const;

 private:
  using Key = std::pair<uint64_t, std::string>;  // one address may have several copies
  bool overlap(const types::Function&, uint32_t first, uint32_t last) const;
  void read_ends();

  const types::Provider* provider_;
  PlacePattern pattern_;
  Lines lines_;
  bool all_;
  std::optional<std::map<Key, uint32_t>> ends_;
};

}  // namespace stp::probes
