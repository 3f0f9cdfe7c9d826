// begin, end, error and never: probes of the session itself.
//
// The number orders probes of one kind: begin(-5) runs before begin, which is begin(0).
#include <algorithm>

#include "probes/kind.h"

namespace stp::probes {
namespace {

using prog::PointKind;

struct Row {
  const char* name;
  PointKind kind;
};
constexpr Row rows[] = {{"begin", PointKind::begin},
                        {"end", PointKind::end},
                        {"error", PointKind::error},
                        {"never", PointKind::never}};

void resolve(const Request& request, std::vector<Found>& found) {
  const std::string& name = request.components.front().name;
  const Row* row =
      std::find_if(std::begin(rows), std::end(rows), [&](const Row& r) { return name == r.name; });
  int64_t priority = request.number(name).value_or(0);
  Found f{};
  f.point.kind = row->kind;
  f.point.name = spell(request.components);
  f.point.priority = priority;
  found.push_back(std::move(f));
}

}  // namespace

std::span<const Kind> session_kinds() {
  static const std::vector<Kind> table = {
      {{{"begin"}}, resolve}, {{{"begin", Arg::number}}, resolve},
      {{{"end"}}, resolve},   {{{"end", Arg::number}}, resolve},
      {{{"error"}}, resolve}, {{{"error", Arg::number}}, resolve},
      {{{"never"}}, resolve},
  };
  return table;
}

}  // namespace stp::probes
