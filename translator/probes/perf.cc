// perf.type(T).config(C) with .sample(N), .hz(N) or .counter("NAME"): what perf counts, by the numbers that
// perf_event_open(2) takes; the names, perf.sw.page_faults and its kin, are aliases of the library.
// Which counters there are the machine knows.
#include <fmt/format.h>

#include "probes/kind.h"

namespace stp::probes {
namespace {

// Without a word of how often: as stapprobes(3stap) has it.
constexpr int64_t default_period = 1'000'000;

// False, and an error, when the number of the component is not in the range.
bool in_range(const Request& request, const char* name, int64_t least, int64_t most) {
  auto n = request.number(name);
  if (!n || (*n >= least && *n <= most)) return true;
  request.diagnostics.error(Code::bad_interval, request.component(name).arg_span,
                            fmt::format("{}({}) is not between {} and {}", name, *n, least, most));
  return false;
}

void resolve(const Request& request, std::vector<Found>& found) {
  constexpr int64_t most = INT64_MAX;
  if (!in_range(request, "type", 0, UINT32_MAX) || !in_range(request, "sample", 1, most) ||
      !in_range(request, "hz", 1, 100'000))
    return;
  auto* name = request.text("counter");
  if (name && name->empty()) {
    request.diagnostics.error(Code::bad_probe_point, request.component("counter").arg_span,
                              "a counter needs a name");
    return;
  }
  Found f{};
  f.point.kind = prog::PointKind::perf;
  f.point.name = spell(request.components);
  f.point.offset = static_cast<uint32_t>(*request.number("type"));
  f.point.number = *request.number("config");
  // A frequency is told from a period by its sign.
  f.point.number2 = request.has("hz") ? -*request.number("hz")
                                      : request.number("sample").value_or(default_period);
  if (name) {
    f.point.counter = *name;
    f.point.number2 = 0;
  }
  found.push_back(std::move(f));
}

}  // namespace

std::span<const Kind> perf_kinds() {
  const Part perf{"perf"}, type{"type", Arg::number}, config{"config", Arg::number};
  static const std::vector<Kind> table = {
      {{perf, type, config}, resolve},
      {{perf, type, config, {"sample", Arg::number}}, resolve},
      {{perf, type, config, {"hz", Arg::number}}, resolve},
      {{perf, type, config, {"counter", Arg::string}}, resolve},
  };
  return table;
}

}  // namespace stp::probes
