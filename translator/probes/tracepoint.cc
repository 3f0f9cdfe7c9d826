// kernel.trace("name"), with wildcards and with the subsystem in front: "sched:sched_switch". The
// arguments come from the types of the kernel, so no tracing header is compiled.
#include <fmt/format.h>

#include "probes/kind.h"

namespace stp::probes {
namespace {

void report_none(const Request& request, const types::Provider& provider,
                 const std::string& pattern) {
  std::vector<std::string> names;
  for (const auto& t : provider.tracepoints("*")) names.push_back(t.name);
  auto& error = request.diagnostics.error(Code::no_match, request.component("trace").arg_span,
                                          fmt::format("no tracepoint '{}' in the kernel", pattern));
  if (!request.diagnostics.suggests()) return;
  for (const auto& near : nearest(pattern, names))
    error.note(fmt::format("did you mean '{}'?", near));
}

void resolve(const Request& request, std::vector<Found>& found) {
  const types::Provider* provider = request.provider();
  if (!provider) return;
  std::string pattern = *request.text("trace"), system;
  if (size_t colon = pattern.find(':'); colon != std::string::npos) {
    system = pattern.substr(0, colon);
    pattern.erase(0, colon + 1);
  }
  size_t before = found.size();
  for (const auto& t : provider->tracepoints(pattern)) {
    // Where the source of types does not know the subsystem, the name must do.
    if (!system.empty() && !t.system.empty() && !glob_match(system, t.system)) continue;
    Found f{};
    f.point.kind = prog::PointKind::tracepoint;
    f.point.symbol = t.name;
    f.point.number = static_cast<int64_t>(t.params.size());
    std::vector<ast::Component> components = request.components;
    components[1].arg = t.name;
    f.point.name = spell(components);
    f.surroundings.kind = Surroundings::Kind::tracepoint;
    f.surroundings.tracepoint = t;
    found.push_back(std::move(f));
  }
  if (found.size() == before) report_none(request, *provider, pattern);
}

}  // namespace

std::span<const Kind> tracepoint_kinds() {
  static const std::vector<Kind> table = {{{{"kernel"}, {"trace", Arg::string}}, resolve}};
  return table;
}

}  // namespace stp::probes
