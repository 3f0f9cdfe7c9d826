// From a written probe point to places: through aliases, which may lead to aliases, to the table of
// kinds. What matches nothing is reported with the names that would have fitted.
#include <fmt/format.h>

#include "probes/kind.h"
#include "sema/handlers.h"

namespace stp::sema {
namespace {

using probes::Found;

// Aliases of aliases can double with each level.
constexpr int most_steps = 100'000;

bool same_components(const ast::ProbePoint& alias, const std::vector<ast::Component>& written) {
  if (alias.components.size() != written.size()) return false;
  for (size_t i = 0; i < written.size(); ++i) {
    if (!probes::glob_match(written[i].name, alias.components[i].name)) return false;
    if (alias.components[i].arg.index() != written[i].arg.index()) return false;
    if (written[i].arg.index() && alias.components[i].arg != written[i].arg) return false;
  }
  return true;
}

std::vector<const ast::Alias*> aliases_of(const std::vector<ast::Component>& written,
                                          const Context& context) {
  std::vector<const ast::Alias*> found;
  for (const ast::File* file : context.files)
    for (const auto& declaration : file->declarations)
      if (auto* alias = std::get_if<ast::Alias*>(&declaration))
        for (const ast::ProbePoint* name : (*alias)->names)
          if (same_components(*name, written)) found.push_back(*alias);
  return found;
}

void report_unknown(const ast::ProbePoint& point, const Context& context, Diagnostics& d) {
  const auto& components = point.components;
  if (probes::is_unsupported(components)) {
    d.error(Code::unsupported, point.span,
            fmt::format("{} probes are not run by this version", components.front().name));
    return;
  }
  size_t known = std::min(probes::matching_prefix(components), components.size() - 1);
  const ast::Component& bad = components[known];
  std::vector<std::string> names = probes::names_at(components, known);
  for (const ast::File* file : context.files)
    for (const auto& declaration : file->declarations)
      if (auto* alias = std::get_if<ast::Alias*>(&declaration))
        for (const ast::ProbePoint* name : (*alias)->names)
          if (known == 0) names.push_back(probes::spell(name->components));
  auto& error = d.error(Code::unknown_probe, bad.span,
                        fmt::format("no probe point {}", probes::spell(components)));
  if (!d.suggests()) return;
  // What is meant is the name; what may stand here is shown with its argument.
  std::vector<std::string> bare;
  for (const auto& name : names) bare.push_back(name.substr(0, name.find_first_of("(.")));
  // The right name with too little or too much behind it.
  if (auto same = std::find(bare.begin(), bare.end(), bad.name); same != bare.end()) {
    std::vector<ast::Component> before(components.begin(), components.begin() + static_cast<ptrdiff_t>(known));
    error.note(fmt::format("it is written {}{}{}", probes::spell(before), known ? "." : "",
                           names[static_cast<size_t>(same - bare.begin())]));
    return;
  }
  auto near = nearest(bad.name, bare);
  for (const auto& name : near) error.note(fmt::format("did you mean '{}'?", name));
  if (!near.empty() || names.empty()) return;
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
  error.note(fmt::format("here may stand: {}", list));
}

class Expansion {
 public:
  Expansion(const Context& context, Diagnostics& d) : context_(context), diagnostics_(d) {}

  void point(const ast::ProbePoint& p, ExpandedPoint so_far, std::vector<ExpandedPoint>& out) {
    so_far.sufficient |= p.sufficient;
    if (p.condition) so_far.conditions.push_back(p.condition);
    if (++steps_ == most_steps)
      diagnostics_.error(Code::too_deep, p.span,
                         fmt::format("aliases lead to more than {} probe points", most_steps));
    if (exhausted()) return;
    auto aliases = aliases_of(p.components, context_);
    if (!way_.empty()) way_.back().point = &p;
    for (const ast::Alias* alias : aliases) {
      if (leads_to_itself(alias)) return;
      ExpandedPoint inner = so_far;
      if (alias->body) {
        if (alias->epilogue)
          inner.epilogues.insert(inner.epilogues.begin(), alias->body);
        else
          inner.prologues.insert(inner.prologues.begin(), alias->body);
      }
      if (alias->second) inner.epilogues.insert(inner.epilogues.begin(), alias->second);
      size_t mark = diagnostics_.mark();
      way_.push_back({alias, nullptr});
      list(alias->points, inner, out);
      way_.pop_back();
      diagnostics_.note_since(mark, "this alias is used here", p.span);
    }
    auto matches = probes::match(p.components);
    if (matches.empty() && aliases.empty()) report_unknown(p, context_, diagnostics_);
    for (const auto& match : matches) resolve(p, match, so_far, out);
  }

  void list(const std::vector<ast::ProbePoint*>& points, const ExpandedPoint& so_far,
            std::vector<ExpandedPoint>& out) {
    for (const ast::ProbePoint* p : points) {
      size_t mark = diagnostics_.mark(), before = out.size();
      ExpandedPoint start = so_far;
      if (!start.written) start.written = p;
      point(*p, start, out);
      if (exhausted()) return;
      if (p->optional || p->sufficient) diagnostics_.rewind(mark);
      if (p->sufficient && out.size() > before) return;
    }
  }

 private:
  // Reported at the point through which the alias is left.
  bool leads_to_itself(const ast::Alias* alias) {
    for (const Step& step : way_) {
      if (step.alias != alias) continue;
      diagnostics_.error(Code::too_deep, step.point->span, "this alias leads to itself");
      return true;
    }
    return false;
  }
  bool exhausted() const { return steps_ >= most_steps; }

  void resolve(const ast::ProbePoint& p, const probes::Match& match, ExpandedPoint so_far,
               std::vector<ExpandedPoint>& out) {
    if (match.components.front().name == "module") {
      resolve_in_modules(p, match, so_far.found);
    } else {
      probes::Request request{match.components,
                              p.span,
                              context_.target,
                              context_.guru,
                              [&] { return context_.sources.kernel(diagnostics_); },
                              diagnostics_};
      match.kind->resolve(request, so_far.found);
    }
    if (!so_far.found.empty()) out.push_back(std::move(so_far));
  }

  // In each module that the first component names. Of many, one that has no such point is passed
  // over; when none has one, what the first said stands for all.
  void resolve_in_modules(const ast::ProbePoint& p, const probes::Match& match,
                          std::vector<probes::Found>& found) {
    const ast::Component& written = match.components.front();
    auto* pattern = std::get_if<std::string>(&written.arg);
    auto names = context_.sources.modules(*pattern);
    bool many = probes::has_wildcard(*pattern);
    if (many && names.empty())
      diagnostics_.error(Code::no_match, written.arg_span,
                         fmt::format("kernel {} has no module '{}'", context_.target.release, *pattern));
    std::string sought = many ? probes::sought_function(match.components) : "";
    size_t mark = diagnostics_.mark();
    for (const std::string& name : names) {
      std::vector<ast::Component> components = match.components;
      components.front().arg = name;
      const types::Provider* provider =
          context_.sources.module(name, written.arg_span, diagnostics_, sought);
      if (!provider) continue;
      size_t before = found.size();
      probes::Request request{std::move(components), p.span, context_.target,
                              context_.guru,         [&] { return provider; },
                              diagnostics_};
      match.kind->resolve(request, found);
      for (size_t i = before; i < found.size(); ++i) found[i].surroundings.provider = provider;
    }
    if (many && !found.empty()) diagnostics_.rewind(mark);
    if (many && found.empty() && !names.empty() && !diagnostics_.failed())
      diagnostics_.error(Code::no_match, p.span,
                         fmt::format("none of {} modules has this", names.size()));
  }

  const Context& context_;
  Diagnostics& diagnostics_;
  // The aliases that are being followed, and where each is left.
  struct Step {
    const ast::Alias* alias;
    const ast::ProbePoint* point;
  };
  std::vector<Step> way_;
  int steps_ = 0;
};

}  // namespace

std::vector<ExpandedPoint> expand(const ast::ProbePoint& p, const Context& context,
                                  Diagnostics& d) {
  std::vector<ExpandedPoint> out;
  ExpandedPoint start{};
  start.written = &p;
  Expansion(context, d).point(p, start, out);
  return out;
}

std::vector<ExpandedPoint> expand(const std::vector<ast::ProbePoint*>& points,
                                  const Context& context, Diagnostics& d) {
  std::vector<ExpandedPoint> out;
  Expansion(context, d).list(points, {}, out);
  return out;
}

}  // namespace stp::sema
