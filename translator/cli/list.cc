// stp list: what a probe point stands for on a kernel.
//
// The pattern is parsed as the script `probe PATTERN {}`, so that whatever may be written in a
// script may be listed, and errors show their place in it.

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/compile.h"
#include "cli/install.h"
#include "cli/options.h"
#include "debuginfo/sources.h"

namespace stp::cli {
namespace {

std::vector<const ast::ProbePoint*> points_of(const ast::File& file) {
  std::vector<const ast::ProbePoint*> points;
  for (const auto& declaration : file.declarations)
    if (auto* probe = std::get_if<ast::Probe*>(&declaration))
      points.insert(points.end(), (*probe)->points.begin(), (*probe)->points.end());
  return points;
}

void print_point(const ListedPoint& listed) {
  fmt::print("{}", listed.point.name);
  for (const auto& variable : listed.variables) fmt::print(" {}", variable);
  fmt::print("\n");
}

void list(const std::string& pattern, const Target& target, const ScriptOptions& o,
          bool with_variables, SourceMap& map, Diagnostics& d) {
  Library library(target, o, map, d);
  const SourceFile& source = map.add("<pattern>", "probe " + pattern + " {}");
  auto tree = stp::parse(source, preprocessor_context(target, o, {}), library.macros(), map, d);
  if (d.failed()) return;
  auto sources = debuginfo_sources(target, o.debuginfo);
  for (const ast::ProbePoint* point : points_of(*tree))
    for (const auto& listed :
         list_points(*point, library.files(), target, *sources, with_variables, d))
      print_point(listed);
}

}  // namespace

int list_command(const Words& words) {
  ScriptOptions o;
  std::string pattern;
  CLI::App app{"Print the probe points that a pattern stands for, one per line.", "stp list"};
  set_usage(app, "stp list [options] PATTERN");
  app.add_option("pattern", pattern, "a probe point, with * and ? where there is a choice")
      ->type_name("PATTERN")
      ->required();
  add_kernel_option(app, o.kernel);
  add_debuginfo_option(app, o);
  app.add_flag("-v,--verbose", o.verbose, "each point's variables, with their types, as well");
  app.footer(
      "Exit status: 0 when there is such a point, 1 when there is none, 2 for a wrong command\n"
      "line.\n"
      "\nExample: stp list -v 'kernel.function(\"vfs_*\")'");
  int status;
  if (!parse(app, words, status)) return status;
  SourceMap map;
  Diagnostics d;
  auto target = find_target(kernel_or_default(o.kernel, app.get_name()), d, o.sysroot);
  if (target) list(pattern, *target, o, o.verbose, map, d);
  Reporter().print(d);
  return d.failed() ? status_failed : status_good;
}

}  // namespace stp::cli
