// Lists in SystemTap's forms. `stp list` shows where an alias leads; stap shows the alias, under the
// name that a script would write, and with -L the variables that its body sets. Their types come
// from resolving a script that has nothing but a probe on it.
#include "cli/stap_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/compile.h"
#include "cli/functions.h"
#include "debuginfo/sources.h"
#include "probes/kind.h"
#include "syntax/printer.h"

namespace stp::cli {
namespace {

// "struct file *" -> "struct file*"
std::string in_stap_form(std::string variable) {
  for (size_t at; (at = variable.find(" *")) != variable.npos;) variable.erase(at, 1);
  return variable;
}

// What a script can read there, as stap has it: variables without a value are left out, and those of
// the script, with `own` behind them, come before those of the program.
std::string readable_variables(const ListedPoint& listed, const std::string& own = {}) {
  std::string of_script, of_program;
  for (const auto& variable : listed.variables)
    if (variable.has_value)
      (variable.script_type.empty() ? of_program : of_script) += " " + in_stap_form(variable.text());
  return of_script + own + of_program;
}

template <typename Node, typename Use>
void each(const std::vector<const ast::File*>& files, Use use) {
  for (const ast::File* file : files)
    for (const auto& declaration : file->declarations)
      if (auto* node = std::get_if<Node*>(&declaration)) use(**node);
}

bool names(const ast::ProbePoint& pattern, const ast::ProbePoint& alias) {
  return std::equal(pattern.components.begin(), pattern.components.end(), alias.components.begin(),
                    alias.components.end(), [](const auto& written, const auto& known) {
                      return probes::glob_match(written.name, known.name) &&
                             written.arg == known.arg;
                    });
}

class Lister {
 public:
  Lister(const StapOptions& o, const Target& target, SourceMap& map, Diagnostics& d)
      : o_(o), target_(target), map_(map), d_(d), library_(target, o.script, map, d),
        files_(library_.files()), sources_(debuginfo_sources(target, o.script.debuginfo)) {
    for (const auto& text : o.additional) {
      owned_.push_back(parsed("<input>", text));
      files_.push_back(owned_.back().get());
    }
  }

  Listed list(const std::string& pattern) {
    auto tree = parsed("<pattern>", "probe " + pattern + " {}");
    if (d_.failed()) return Listed::malformed;
    each<ast::Probe>({tree.get()}, [&](const ast::Probe& probe) {
      for (const ast::ProbePoint* point : probe.points) list(*point);
    });
    return shown_.empty() ? Listed::none : Listed::some;
  }

 private:
  std::unique_ptr<ast::File> parsed(const char* name, const std::string& text) {
    return stp::parse(map_.add(name, text), preprocessor_context(target_, o_.script, o_.script.args),
                      library_.macros(), map_, d_);
  }

  void list(const ast::ProbePoint& point) {
    bool is_alias = false;
    each<ast::Alias>(files_, [&](const ast::Alias& alias) {
      for (const ast::ProbePoint* name : alias.names)
        if (names(point, *name)) {
          is_alias = true;
          list_alias(*name);
        }
    });
    bool wildcard = std::any_of(point.components.begin(), point.components.end(),
                                [](const auto& c) { return probes::has_wildcard(c.name); });
    if (is_alias && !wildcard) return;
    size_t before = d_.mark();
    for (const auto& listed : list_points(point, library_.files(), target_, *sources_,
                                          o_.with_variables, d_))
      show(listed.point.name + readable_variables(listed));
    if (is_alias) d_.rewind(before);
  }

  // An alias that leads nowhere on this kernel is not there.
  void list_alias(const ast::ProbePoint& name) {
    size_t before = d_.mark();
    auto points = list_points(name, files_, target_, *sources_, o_.with_variables, d_);
    std::string text = probes::spell(name.components);
    if (!points.empty() && o_.with_variables)
      text += readable_variables(points.front(), variables_of_alias(name));
    d_.rewind(before);
    if (!points.empty()) show(std::move(text));
  }

  std::string variables_of_alias(const ast::ProbePoint& name) {
    auto script = parsed("<alias>", "probe " + probes::spell(name.components) + " {}");
    SemaOptions options;
    options.guru = o_.script.guru;
    auto program = analyze(*script, files_, target_, *sources_, options, d_);
    std::string text;
    std::set<std::string> seen;
    if (!program || program->probes.empty()) return text;
    for (const auto& local : program->probes.front().locals)
      if (!local.name.empty() && seen.insert(local.name).second)
        text += fmt::format(" {}:{}", local.name,
                            local.type == prog::Type::string ? "string" : "long");
    return text;
  }

  void show(std::string line) {
    if (shown_.insert(line).second || o_.every_address) fmt::print("{}\n", line);
  }

  const StapOptions& o_;
  const Target& target_;
  SourceMap& map_;
  Diagnostics& d_;
  Library library_;
  std::vector<const ast::File*> files_;
  std::vector<std::unique_ptr<ast::File>> owned_;
  std::unique_ptr<types::Sources> sources_;
  std::set<std::string> shown_;
};

void dump_types() {
  constexpr const char* arguments[] = {"", "(number)", "(string)"};
  std::set<std::string> rows;
  for (const probes::Kind* kind : probes::kinds()) {
    std::string text;
    for (const auto& part : kind->parts)
      text += (text.empty() ? "" : ".") + part.name + arguments[static_cast<size_t>(part.arg)];
    rows.insert(std::move(text));
  }
  for (const auto& row : rows) fmt::print("{}\n", row);
}

std::string spelled(const std::vector<ast::ProbePoint*>& points, const char* between) {
  std::string text;
  for (const ast::ProbePoint* point : points) text += (text.empty() ? "" : between) + print(*point);
  return text;
}

void dump_aliases(const Library& library) {
  std::set<std::string> rows;
  each<ast::Alias>(library.files(), [&](const ast::Alias& alias) {
    for (const ast::ProbePoint* name : alias.names)
      if (!name->components.front().name.starts_with("_"))
        rows.insert(fmt::format("{} {} {}", print(*name), alias.epilogue ? "+=" : "=",
                                spelled(alias.points, ", ")));
  });
  for (const auto& row : rows) fmt::print("{}\n", row);
}

}  // namespace

Listed list_pattern(const StapOptions& o, const Target& target, SourceMap& map, Diagnostics& d) {
  return Lister(o, target, map, d).list(o.pattern);
}

void dump_library(const StapOptions& o, const Target& target, SourceMap& map, Diagnostics& d) {
  if (o.mode == StapOptions::Mode::dump_probe_types) return dump_types();
  Library library(target, o.script, map, d);
  if (o.mode == StapOptions::Mode::dump_probe_aliases) return dump_aliases(library);
  for (const auto& row : function_rows(library, "unknown")) fmt::print("{}\n", row);
}

}  // namespace stp::cli
