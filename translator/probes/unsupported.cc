// Kinds of probe that the language has and this version does not run.
//
// They are told from typing mistakes, so that the error does not send anybody looking for one.
// Only the first part is compared: what follows could be anything.
#include <fmt/format.h>

#include "probes/kind.h"

namespace stp::probes {
namespace {

void resolve(const Request& request, std::vector<Found>&) {
  request.diagnostics.error(
      Code::unsupported, request.span,
      fmt::format("{} probes are not run by this version", request.components.front().name));
}

}  // namespace

std::span<const Kind> unsupported_kinds() {
  static const std::vector<Kind> table = [] {
    std::vector<Kind> rows;
    for (const char* name : {"process", "module", "perf", "procfs", "netfilter", "java", "python2",
                             "python3"})
      for (Arg arg : {Arg::none, Arg::number, Arg::string})
        rows.push_back({{{name, arg}, {"**"}}, resolve});
    for (const char* name : {"mark", "data"})
      for (Arg arg : {Arg::number, Arg::string})
        rows.push_back({{{"kernel"}, {name, arg}, {"**"}}, resolve});
    return rows;
  }();
  return table;
}

}  // namespace stp::probes
