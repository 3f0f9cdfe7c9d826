// stp list: what a probe point stands for on a kernel.
//
// The pattern is parsed as the script `probe PATTERN {}`, so that whatever may be written in a
// script may be listed, and errors show their place in it. An alias is what it stands for; of aliases that a wildcard
// finds the names are told, and with -v both. Once more -v asks for more: the types of
// variables, where they are, what they are made of.

#include <fmt/format.h>

#include <set>

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

class Printer {
 public:
  explicit Printer(int detail) : detail_(detail) {}

  void print(const ListedPoint& listed) {
    const prog::Point& point = listed.point;
    // Several functions serve one system call.
    if (point.call && detail_ < 2 && !calls_.insert(point.name).second) return;
    if (!listed.alias.empty() && !detail_) {
      if (aliases_.insert(listed.alias).second) fmt::print("{}\n", listed.alias);
      return;
    }
    if (!listed.alias.empty()) fmt::print("{} = ", listed.alias);
    fmt::print("{}", point.name);
    if (size_t colon = point.symbol.find(':');
        point.kind == prog::PointKind::tracepoint && colon != point.symbol.npos)
      fmt::print(" in module \"{}\"", point.symbol.substr(0, colon));
    if (detail_ > 1 && point.address) fmt::print(" at {:#x}", point.address);
    for (const auto& variable : listed.variables)
      if (detail_ < 2)
        fmt::print(" {}", variable.text());
      else
        fmt::print("\n  {}", variable.text_with_place());
    fmt::print("\n");
    if (detail_ > 2)
      for (const auto& variable : listed.variables) structure(variable.type);
  }

 private:
  // What a variable is, or leads to.
  void structure(const types::Type* type) {
    type = types::strip(type);
    for (int steps = 0; type && steps < 8; ++steps) {
      if (type->kind != types::Kind::pointer && type->kind != types::Kind::array) break;
      type = types::strip(type->of);
    }
    if (!type || !type->home) return;
    std::string text = members(*type, 0, 0);
    // The same type comes from many compilation units.
    if (!text.empty() && shown_.insert(types::spell(type) + text).second)
      fmt::print("  {}, {} bytes\n{}", types::spell(type), type->size, text);
  }

  // Members of anonymous structures belong to the structure around them, as a script sees it.
  std::string members(const types::Type& type, uint64_t start, int depth) {
    std::string text;
    for (const auto& member : type.home->members(type)) {
      const types::Type* bare = types::strip(member.type);
      uint64_t at = start + member.offset, bytes = bare ? bare->size : 0;
      if (!member.through.empty())
        text += fmt::format("    virtual {}\n", types::spell(member.type));
      else if (member.name.empty() && bare && depth < 16)
        text += members(*bare, at, depth + 1);
      else if (member.bit_size)
        text += fmt::format("    +{}:{} {}: {}, {} bits\n", at, member.bit_offset, member.name,
                            types::spell(member.type), member.bit_size);
      else
        text += fmt::format("    +{} {}: {}, {} bytes\n", at, member.name,
                            types::spell(member.type), bytes);
    }
    return text;
  }

  int detail_;
  std::set<std::string> shown_, calls_, aliases_;
};

void list(const std::vector<std::string>& patterns, const Target& target, const ScriptOptions& o,
          int detail, SourceMap& map, Diagnostics& d) {
  Library library(target, o, map, d);
  auto sources = debuginfo_sources(target, o.debuginfo);
  Printer printer(detail);
  for (const std::string& pattern : patterns) {
    const SourceFile& source = map.add("<pattern>", "probe " + pattern + " {}");
    size_t before = d.errors();
    auto tree = stp::parse(source, preprocessor_context(target, o, {}), library.macros(), map, d);
    if (d.errors() != before) continue;
    auto each = [&](const ast::ProbePoint& point) {
      auto found = list_points(point, library.files(), target, *sources, detail > 0, d);
      for (const auto& listed : found) printer.print(listed);
      return !found.empty();
    };
    // What is optional may be missing, but not all of a pattern.
    const ast::ProbePoint* missing = nullptr;
    bool any = false;
    for (const ast::ProbePoint* point : points_of(*tree)) {
      size_t mark = d.mark();
      bool found = each(*point), optional = point->optional || point->sufficient;
      any |= found;
      if (optional) d.rewind(mark);
      if (optional && !found) missing = point;
      if (point->sufficient && found) break;
    }
    if (!any && missing && d.errors() == before) each(*missing);
  }
}

}  // namespace

int list_command(const Words& words) {
  ScriptOptions o;
  std::vector<std::string> patterns;
  int detail = 0;
  CLI::App app{"Print the probe points that a pattern stands for, one per line.", "stp list"};
  set_usage(app, "stp list [options] PATTERN...");
  app.add_option("pattern", patterns, "a probe point, with * and ? where there is a choice")
      ->type_name("PATTERN")
      ->required();
  add_kernel_option(app, o.kernel);
  add_debuginfo_option(app, o);
  app.add_flag("-v,--verbose", detail,
               "each point's variables, with their types, as well; -vv: where they are as well;\n"
               "-vvv: the members of their structures as well");
  app.footer(
      "Exit status: 0 when there is such a point, 1 when there is none, 2 for a wrong command\n"
      "line.\n"
      "\nExample: stp list -v 'kernel.function(\"vfs_*\")'");
  int status;
  if (!parse(app, words, status)) return status;
  SourceMap map;
  Diagnostics d;
  auto target = find_target(kernel_or_default(o.kernel, app.get_name()), d, o.sysroot);
  if (target) list(patterns, *target, o, detail, map, d);
  Reporter().print(d);
  return d.failed() ? status_failed : status_good;
}

}  // namespace stp::cli
