// timer.s(n) and the other units, timer.hz(n), timer.jiffies(n), each but hz with
// .randomize(m).
//
// The limits are those of SystemTap: at most a day, and at least 100 us, so that a timer
// cannot take the whole machine.
#include <fmt/format.h>

#include <algorithm>

#include "probes/kind.h"

namespace stp::probes {
namespace {

constexpr int64_t second = 1'000'000'000;
constexpr int64_t day = 86400 * second;
constexpr int64_t shortest = 100'000;

struct Unit {
  const char* name;
  int64_t ns;
};
constexpr Unit units[] = {
    {"s", second}, {"sec", second}, {"ms", 1'000'000}, {"msec", 1'000'000},
    {"us", 1'000}, {"usec", 1'000}, {"ns", 1},         {"nsec", 1},
};

void found_timer(const Request& request, prog::PointKind kind, int64_t period, int64_t random,
                 std::vector<Found>& found) {
  Found f{};
  f.point.kind = kind;
  f.point.name = spell(request.components);
  f.point.number = period;
  f.point.number2 = random;
  found.push_back(std::move(f));
}

bool random_fits(const Request& request, int64_t period) {
  auto random = request.number("randomize");
  if (!random || (*random >= 0 && *random < period)) return true;
  request.diagnostics.error(
      Code::bad_interval, request.component("randomize").arg_span,
      fmt::format("randomize({}) must be at least 0 and less than the interval, {}", *random,
                  period));
  return false;
}

void out_of_range(const Request& request, int64_t low, int64_t high) {
  const auto& unit = request.components[1];
  request.diagnostics.error(Code::bad_interval, unit.arg_span,
                            fmt::format("{} is out of range: timer.{} takes {} to {}",
                                        std::get<int64_t>(unit.arg), unit.name, low, high));
}

void resolve_interval(const Request& request, std::vector<Found>& found) {
  const auto& component = request.components[1];
  const Unit* unit = std::find_if(std::begin(units), std::end(units),
                                  [&](const Unit& u) { return component.name == u.name; });
  int64_t n = std::get<int64_t>(component.arg);
  int64_t low = std::max<int64_t>(1, shortest / unit->ns), high = day / unit->ns;
  if (n < low || n > high) return out_of_range(request, low, high);
  if (!random_fits(request, n)) return;
  found_timer(request, prog::PointKind::timer, n * unit->ns,
              request.number("randomize").value_or(0) * unit->ns, found);
}

void resolve_hz(const Request& request, std::vector<Found>& found) {
  int64_t n = std::get<int64_t>(request.components[1].arg);
  if (n < 1 || n > second / shortest) return out_of_range(request, 1, second / shortest);
  found_timer(request, prog::PointKind::timer, second / n, 0, found);
}

void resolve_jiffies(const Request& request, std::vector<Found>& found) {
  constexpr int64_t most = 1'000'000;
  int64_t n = std::get<int64_t>(request.components[1].arg);
  if (n < 1 || n > most) return out_of_range(request, 1, most);
  if (!random_fits(request, n)) return;
  found_timer(request, prog::PointKind::timer_jiffies, n, request.number("randomize").value_or(0),
              found);
}

void add_with_randomize(std::vector<Kind>& table, const char* name, Resolve resolve) {
  table.push_back({{{"timer"}, {name, Arg::number}}, resolve});
  table.push_back({{{"timer"}, {name, Arg::number}, {"randomize", Arg::number}}, resolve});
}

}  // namespace

std::span<const Kind> timer_kinds() {
  static const std::vector<Kind> table = [] {
    std::vector<Kind> rows;
    for (const Unit& unit : units) add_with_randomize(rows, unit.name, resolve_interval);
    rows.push_back({{{"timer"}, {"hz", Arg::number}}, resolve_hz});
    add_with_randomize(rows, "jiffies", resolve_jiffies);
    return rows;
  }();
  return table;
}

}  // namespace stp::probes
