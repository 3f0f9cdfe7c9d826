// From a written probe point to places: through aliases, which may lead to aliases, to the table of
// kinds. What is written behind an alias's name goes behind the points that it stands for, unless the
// longer name is another alias's. What matches nothing is reported with the names that would have fitted.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "probes/kind.h"
#include "sema/handlers.h"

namespace stp::sema {
namespace {

using probes::Found;

// Aliases of aliases can double with each level.
constexpr int most_steps = 100'000;

using Components = std::vector<ast::Component>;

// How many of the written components an alias's name is; none when it is not there. A `**` stands for
// any number of the name's components.
std::optional<size_t> length_of_name(const Components& name, const Components& written) {
  std::optional<size_t> longest;
  std::set<size_t> reached = {0};  // so much of the name may be in what was looked at
  for (size_t i = 0; i < written.size() && !reached.empty() && !written[i].arg.index(); ++i) {
    bool any_number = written[i].name.find("**") != std::string::npos;
    std::set<size_t> next;
    for (size_t at : reached) {
      std::string text;
      for (size_t last = at; last < name.size() && (last == at || any_number); ++last) {
        text += (last == at ? "" : ".") + name[last].name;
        if (probes::glob_match(written[i].name, text)) next.insert(last + 1);
      }
    }
    reached = std::move(next);
    if (reached.count(name.size())) longest = i + 1;
  }
  return longest;
}

struct Meant {
  const ast::Alias* alias;
  const Components* name;
  Components suffix;

  // Whether the other is the alias of a longer name that this one, with its suffix, is the same as.
  bool is_hidden_by(const Meant& other) const {
    if (other.suffix.size() >= suffix.size()) return false;
    Components whole = *name;
    whole.insert(whole.end(), suffix.begin(), suffix.end());
    return whole.size() >= other.name->size() &&
           std::equal(other.name->begin(), other.name->end(), whole.begin(),
                      [](const auto& a, const auto& b) { return a.name == b.name && !b.arg.index(); });
  }
};

std::string spelled(Components name, const Components& suffix) {
  name.insert(name.end(), suffix.begin(), suffix.end());
  return probes::spell(name);
}

std::vector<Meant> aliases_of(const Components& written, const Context& context) {
  std::vector<Meant> found, visible;
  for (const ast::File* file : context.files)
    for (const auto& declaration : file->declarations)
      if (auto* alias = std::get_if<ast::Alias*>(&declaration))
        for (const ast::ProbePoint* name : (*alias)->names)
          if (auto length = length_of_name(name->components, written)) {
            auto rest = written.begin() + static_cast<ptrdiff_t>(*length);
            found.push_back({*alias, &name->components, Components(rest, written.end())});
          }
  for (const Meant& m : found)
    if (std::none_of(found.begin(), found.end(), [&](const Meant& o) { return m.is_hidden_by(o); }))
      visible.push_back(m);
  return visible;
}

// So many names of an alias are those that are written.
size_t same_beginning(const Components& name, const Components& written) {
  size_t n = 0;
  while (n < name.size() && n < written.size() && name[n].name == written[n].name) ++n;
  return n;
}

void report_unknown(const ast::ProbePoint& point, const Context& context, Diagnostics& d) {
  const auto& components = point.components;
  if (probes::is_unsupported(components)) {
    d.error(Code::unsupported, point.span,
            fmt::format("{} probes are not run by this version", components.front().name));
    return;
  }
  std::vector<const Components*> aliases;
  for (const ast::File* file : context.files)
    for (const auto& declaration : file->declarations)
      if (auto* alias = std::get_if<ast::Alias*>(&declaration))
        for (const ast::ProbePoint* name : (*alias)->names) aliases.push_back(&name->components);
  size_t known = probes::matching_prefix(components);
  // Each word is right, and there must be more of them.
  bool complete = known == components.size();
  for (const Components* name : aliases) known = std::max(known, same_beginning(*name, components));
  known = std::min(known, components.size() - 1);
  const ast::Component& bad = components[known];
  std::vector<std::string> names = probes::names_at(components, known);
  size_t of_kinds = names.size();
  for (const Components* name : aliases)
    if (known == 0)
      names.push_back(probes::spell(*name));
    else if (name->size() > known && same_beginning(*name, components) >= known)
      names.push_back((*name)[known].name);
  auto& error = d.error(Code::unknown_probe, bad.span,
                        fmt::format("no probe point {}", probes::spell(components)));
  if (!d.suggests()) return;
  if (complete && !std::holds_alternative<std::monostate>(bad.arg)) {
    auto behind = probes::names_at(components, components.size());
    error.note(behind.size() == 1
                   ? fmt::format("it is written {}.{}", probes::spell(components), behind.front())
                   : fmt::format("behind it stands one of: {}", fmt::join(behind, ", ")));
    return;
  }
  // What is meant is the name; what may stand here is shown with its argument.
  std::vector<std::string> bare;
  for (const auto& name : names) bare.push_back(name.substr(0, name.find_first_of("(.")));
  // The right name with too little or too much behind it.
  if (auto same = std::find(bare.begin(), bare.end(), bad.name); same != bare.end()) {
    std::vector<ast::Component> before(components.begin(), components.begin() + static_cast<ptrdiff_t>(known));
    std::string written = names[static_cast<size_t>(same - bare.begin())];
    bool unfinished = written == probes::spell({bad});
    if (unfinished) {
      auto behind = probes::names_at(components, known + 1);
      for (const Components* name : aliases)
        if (behind.empty() && name->size() > known + 1 && same_beginning(*name, components) == known + 1)
          behind.push_back((*name)[known + 1].name);
      if (!behind.empty()) written += "." + behind.front();
    }
    error.note(fmt::format("it is written {}{}{}", probes::spell(before), known ? "." : "", written));
    return;
  }
  auto near = nearest(bad.name, bare);
  // `func` for `function`, `seconds` for `sec`: the longest that begins so, or that it begins with.
  if (near.empty()) {
    std::string_view best;
    for (const std::string& name : bare)
      if (std::min(name.size(), bad.name.size()) > 1 && name.size() > best.size() &&
          (name.starts_with(bad.name) || bad.name.starts_with(name)))
        best = name;
    if (!best.empty()) near.emplace_back(best);
  }
  for (const auto& name : near) error.note(fmt::format("did you mean '{}'?", name));
  if (known == 0) names.resize(of_kinds);  // the library's may be hundreds
  if (!near.empty() || names.empty()) return;
  std::string list;
  std::set<std::string> listed;
  constexpr size_t most_listed = 16;
  for (const auto& name : names)
    if (listed.size() == most_listed && !listed.count(name)) {
      list += ", ...";
      break;
    } else if (listed.insert(name).second) {
      list += (list.empty() ? "" : ", ") + name;
    }
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
    auto matches = probes::match(p.components);
    auto aliases = aliases_of(p.components, context_);
    // What the kinds know is no suffix.
    if (!matches.empty()) std::erase_if(aliases, [](const Meant& m) { return !m.suffix.empty(); });
    if (!way_.empty()) way_.back().point = &p;
    size_t first = out.size(), first_mark = diagnostics_.mark();
    bool many = std::any_of(p.components.begin(), p.components.end(),
                            [](const auto& c) { return probes::has_wildcard(c.name); });
    for (const auto& [alias, name, suffix] : aliases) {
      if (leads_to_itself(alias)) return;
      ExpandedPoint inner = so_far;
      if (many && inner.alias.empty()) inner.alias = spelled(*name, suffix);
      if (alias->body) {
        if (alias->epilogue)
          inner.epilogues.insert(inner.epilogues.begin(), alias->body);
        else
          inner.prologues.insert(inner.prologues.begin(), alias->body);
      }
      if (alias->second) inner.epilogues.insert(inner.epilogues.begin(), alias->second);
      size_t mark = diagnostics_.mark();
      way_.push_back({alias, nullptr});
      list(alias->points, suffix, inner, out);
      way_.pop_back();
      diagnostics_.note_since(mark, "this alias is used here", p.span);
    }
    // Of the many that a wildcard leads to, some may take no suffix.
    bool suffixed = std::any_of(aliases.begin(), aliases.end(),
                                [](const Meant& m) { return !m.suffix.empty(); });
    if (many && suffixed && out.size() > first) diagnostics_.rewind(first_mark);
    if (matches.empty() && aliases.empty()) report_unknown(p, context_, diagnostics_);
    for (const auto& match : matches) resolve(p, match, so_far, out);
  }

  void list(const std::vector<ast::ProbePoint*>& points, const Components& suffix,
            const ExpandedPoint& so_far, std::vector<ExpandedPoint>& out) {
    for (const ast::ProbePoint* p : points) {
      size_t mark = diagnostics_.mark(), before = out.size();
      ExpandedPoint start = so_far;
      if (!start.written) start.written = p;
      ast::ProbePoint whole = *p;
      whole.components.insert(whole.components.end(), suffix.begin(), suffix.end());
      point(whole, start, out);
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
    if (!probes::are_well_formed(match.components, diagnostics_)) return;
    if (match.components.front().name == "module") {
      resolve_in_modules(p, match, so_far.found);
    } else {
      probes::Request request{match.components,
                              p.span,
                              context_.target,
                              context_.guru,
                              [&] { return context_.sources.kernel(diagnostics_); },
                              diagnostics_,
                              &context_.sources};
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
  Expansion(context, d).list(points, {}, {}, out);
  return out;
}

}  // namespace stp::sema
