// timer.profile, timer.profile.tick and timer.profile.freq.hz(n): on every CPU, in the
// context of what it runs.
//
// The first two run at the rate of the kernel's tick, which the runtime knows: 0 stands for it.
#include <fmt/format.h>

#include "probes/kind.h"

namespace stp::probes {
namespace {

void resolve(const Request& request, std::vector<Found>& found) {
  constexpr int64_t most = 10'000;
  int64_t hz = request.number("hz").value_or(0);
  if (request.has("hz") && (hz < 1 || hz > most)) {
    request.diagnostics.error(
        Code::bad_interval, request.component("hz").arg_span,
        fmt::format("{} is out of range: timer.profile.freq.hz takes 1 to {}", hz, most));
    return;
  }
  Found f{};
  f.point.kind = prog::PointKind::profile;
  f.point.name = spell(request.components);
  f.point.number = hz;
  found.push_back(std::move(f));
}

}  // namespace

std::span<const Kind> profile_kinds() {
  static const std::vector<Kind> table = {
      {{{"timer"}, {"profile"}}, resolve},
      {{{"timer"}, {"profile"}, {"tick"}}, resolve},
      {{{"timer"}, {"profile"}, {"freq"}, {"hz", Arg::number}}, resolve},
  };
  return table;
}

}  // namespace stp::probes
