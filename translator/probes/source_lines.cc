#include "probes/source_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace stp::probes {
namespace {

using types::Function;

constexpr uint32_t most_lines = 10'000;

std::optional<Lines> parse_lines(const std::string& place) {
  if (place.empty()) return Lines{{{}}, true};
  if (place == ":*") return Lines{{{}}};
  Lines lines{{}, place[0] == '+'};
  const char *at = place.data() + 1, *end = place.data() + place.size();
  uint32_t sum = 0;
  for (;;) {
    LineRange range;
    auto [behind, error] = std::from_chars(at, end, range.first);
    if (error != std::errc()) return std::nullopt;
    range.last = range.first;
    if (behind != end && *behind == '-') {
      auto [last, second] = std::from_chars(behind + 1, end, range.last);
      if (second != std::errc()) return std::nullopt;
      behind = last;
    }
    bool zero = range.first == 0 && !lines.relative;
    if (zero || range.last < range.first || range.last - range.first >= most_lines)
      return std::nullopt;
    sum += range.last - range.first + 1;
    lines.ranges.push_back(range);
    if (behind == end) return sum > most_lines ? std::nullopt : std::optional(lines);
    if (*behind != ',') return std::nullopt;
    at = behind + 1;
  }
}

}  // namespace

PlacePattern split_place(const std::string& text) {
  PlacePattern p;
  size_t at = text.find('@');
  p.function = text.substr(0, at);
  if (at == std::string::npos) return p;
  p.file = text.substr(at + 1);
  if (size_t mark = p.file.find_last_of(":+"); mark != std::string::npos) {
    p.place = p.file.substr(mark);
    p.file.resize(mark);
  }
  return p;
}

std::optional<Lines> read_lines(const Request& request, const std::string& place,
                                const Span& span) {
  auto lines = parse_lines(place);
  if (!lines)
    request.diagnostics.error(
        Code::bad_probe_point, span,
        fmt::format("'{}' is no line: :LINE, :FIRST-LAST, :* or +OFFSET", place));
  return lines;
}

SourceLines::SourceLines(const types::Provider& provider, PlacePattern pattern, Lines lines)
    : provider_(&provider),
      pattern_(std::move(pattern)),
      lines_(std::move(lines)),
      all_(pattern_.place.empty() || (!lines_.relative && lines_.ranges.front().first == 0)) {}

bool SourceLines::hold(const Function& f) {
  if (all_) return true;
  read_ends();
  auto end = ends_->find({f.address, f.name});
  return overlap(f, f.line, end == ends_->end() ? f.line : std::max(f.line, end->second));
}

bool SourceLines::hold_line(const Function& f, uint32_t line) const {
  return all_ || overlap(f, line, line);
}

bool SourceLines::overlap(const Function& f, uint32_t first, uint32_t last) const {
  uint64_t base = lines_.relative ? f.line : 0;
  return std::any_of(lines_.ranges.begin(), lines_.ranges.end(), [&](const LineRange& range) {
    return range.first + base <= last && range.last + base >= first;
  });
}

void SourceLines::read_ends() {
  if (ends_) return;
  ends_.emplace();
  auto code = provider_->statements({pattern_.function, pattern_.file, true}, 0, false, false);
  auto* statements = types::get(code);
  if (!statements) return;
  for (const types::Statement& s : *statements) {
    uint32_t& end = (*ends_)[{s.function.address, s.function.name}];
    end = std::max(end, s.line);
  }
}

}  // namespace stp::probes
