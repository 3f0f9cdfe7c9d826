#include "times.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

namespace stp::load {

std::vector<TimesRow> read_times(const std::string& directory) {
  std::vector<TimesRow> rows;
  std::ifstream in(directory + "/times");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    TimesRow row;
    words >> row.hits >> row.least >> row.sum >> row.most;
    words.get();
    std::getline(words, row.point, '\t');
    std::getline(words, row.probe, '\t');
    std::getline(words, row.place);
    if (words) rows.push_back(std::move(row));
  }
  return rows;
}

std::string describe(const std::vector<TimesRow>& rows) {
  if (rows.empty()) return "";
  std::string text = fmt::format("stp: {:>10} {:>10} {:>10} {:>10}  {}\n", "HITS", "MIN CYCLES", "AVG",
                                 "MAX", "POINT <- PROBE");
  size_t never = 0;
  for (const TimesRow& row : rows) {
    if (!row.hits) {
      ++never;
      continue;
    }
    std::string derived = row.point == row.probe ? "" : " <- " + row.probe;
    text += fmt::format("stp: {:>10} {:>10} {:>10} {:>10}  {}{} ({})\n", row.hits, row.least,
                        row.sum / row.hits, row.most, row.point, derived, row.place);
  }
  if (never) text += fmt::format("stp: {} points were not hit\n", never);
  return text;
}

}  // namespace stp::load
