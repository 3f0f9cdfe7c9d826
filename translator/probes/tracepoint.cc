// kernel.trace("name"), with wildcards and with the subsystem in front: "sched:sched_switch". Tracepoints of
// modules are found by the same words; module("m").trace("name") asks for those of one module, which may be
// a path. The arguments come from the types of the kernel, so no tracing header is compiled.
#include <fmt/format.h>

#include <algorithm>

#include "probes/kind.h"
#include "types/calling_convention.h"

namespace stp::probes {
namespace {

struct Pattern {
  std::string system, name;  // system empty: any

  explicit Pattern(const std::string& text) : name(text) {
    size_t colon = text.find(':');
    if (colon == text.npos) return;
    system = text.substr(0, colon);
    name = text.substr(colon + 1);
  }

  // Of a source that has others with a subsystem, what has none is bare (no event is made of it).
  bool fits(const types::Tracepoint& t, std::string_view module, bool others_have_one) const {
    if (system.empty()) return true;
    if (!t.system.empty()) return glob_match(system, t.system);
    // Where the source of types does not know the subsystem, the name must do. Of a module it begins with the
    // subsystem, or the module is called like it.
    if (module.empty() && (!others_have_one || !has_wildcard(name))) return true;
    return (!module.empty() && glob_match(system, std::string(module))) || glob_match(system + "_*", t.name);
  }
};

using ModuleNames = std::map<std::string, std::vector<std::string>>;

ModuleNames modules_of(const Request& request) {
  return request.sources ? request.sources->module_tracepoints() : ModuleNames{};
}

void report_none(const Request& request, const types::Provider& provider, const Pattern& pattern) {
  std::vector<std::string> names;
  for (const auto& t : provider.tracepoints("*")) names.push_back(t.name);
  bool in_module = !provider.module().empty();
  if (!in_module)
    for (const auto& [module, its] : modules_of(request)) names.insert(names.end(), its.begin(), its.end());
  auto& error = request.diagnostics.error(
      Code::no_match, request.component("trace").arg_span,
      fmt::format("no tracepoint '{}' in {}", *request.text("trace"),
                  in_module ? image_of(provider) : "the kernel and its modules"));
  if (!request.diagnostics.suggests()) return;
  if (!pattern.system.empty() && !has_wildcard(pattern.name))
    for (const auto& t : provider.tracepoints(pattern.name))
      error.note(fmt::format("did you mean '{}{}{}'?", t.system, t.system.empty() ? "" : ":", t.name));
  for (const auto& near : nearest(pattern.name, names))
    error.note(fmt::format("did you mean '{}'?", near));
}

void add(const Request& request, const types::Provider& provider, const Pattern& pattern,
         std::vector<Found>& found) {
  std::string module(provider.module());
  auto all = provider.tracepoints(pattern.system.empty() ? pattern.name : "*");
  bool systems = std::any_of(all.begin(), all.end(), [](const auto& t) { return !t.system.empty(); });
  for (const auto& t : all) {
    if (!glob_match(pattern.name, t.name) || !pattern.fits(t, module, systems)) continue;
    Found f{};
    f.point.kind = prog::PointKind::tracepoint;
    f.point.symbol = module.empty() ? t.name : module + ":" + t.name;
    f.point.number = types::tracepoint_arguments(provider, t.params).words;
    std::vector<ast::Component> components = request.components;
    components[1].arg = t.name;
    f.point.name = spell(components);
    f.surroundings.kind = Surroundings::Kind::tracepoint;
    f.surroundings.tracepoint = t;
    if (!module.empty()) f.surroundings.provider = &provider;
    found.push_back(std::move(f));
  }
}

// In the modules that have such names: the others are not opened.
void add_of_modules(const Request& request, const Pattern& pattern, std::vector<Found>& found) {
  for (const auto& [module, names] : modules_of(request)) {
    // clang before 16 captures no structured binding without being told its name.
    if (std::none_of(names.begin(), names.end(), [&, &module = module](const std::string& name) {
          return glob_match(pattern.name, name) && pattern.fits({name, "", {}}, module, false);
        }))
      continue;
    const types::Provider* provider =
        request.sources->module(module, request.component("trace").arg_span, request.diagnostics);
    if (provider) add(request, *provider, pattern, found);
  }
}

void resolve(const Request& request, std::vector<Found>& found) {
  const types::Provider* provider = request.provider();
  if (!provider) return;
  Pattern pattern(*request.text("trace"));
  size_t before = found.size(), errors = request.diagnostics.errors();
  add(request, *provider, pattern, found);
  // A name is one tracepoint's. What is found in the kernel needs no module.
  bool one = found.size() > before && !has_wildcard(pattern.name);
  if (provider->module().empty() && !one) add_of_modules(request, pattern, found);
  // A module that could not be read was told of.
  if (found.size() == before && request.diagnostics.errors() == errors)
    report_none(request, *provider, pattern);
}

}  // namespace

std::span<const Kind> tracepoint_kinds() {
  static const std::vector<Kind> table = in_images({{{{"trace", Arg::string}}, resolve}});
  return table;
}

}  // namespace stp::probes
