// The sections and the lines of -p2 are SystemTap's: `name:type [keys]`, `name:type (parameters)`,
// `point /* <- as written */`. Bodies are this program's own notation, since SystemTap's shows the
// code after its own optimization.
#include "cli/stap_dump.h"

#include <fmt/format.h>

#include "sema/dump.h"
#include "syntax/printer.h"

namespace stp::cli {
namespace {

const char* word(prog::Type type) {
  switch (type) {
    case prog::Type::number:
      return "long";
    case prog::Type::string:
      return "string";
    case prog::Type::stat:
      return "stats";
    default:
      return "unknown";
  }
}

std::string row(const prog::Global& g) {
  std::string text = g.name;
  if (g.wrap) text += '%';
  if (g.max_entries) text += fmt::format("[{}]", *g.max_entries);
  text += fmt::format(":{}", word(g.value));
  const char* before = " [";
  for (prog::Type key : g.keys) {
    text += fmt::format("{}{}", before, word(key));
    before = ", ";
  }
  return text + (g.keys.empty() ? "\n" : "]\n");
}

std::string row(const prog::Function& f) {
  std::string text = fmt::format("{}:{} (", f.name, word(f.result));
  for (size_t i = 0; i < f.params; ++i)
    text += fmt::format("{}{}:{}", i ? ", " : "", f.locals[i].name, word(f.locals[i].type));
  return text + ")\n";
}

std::string locals(const std::vector<prog::Local>& all) {
  std::string text;
  for (const auto& local : all)
    if (!local.name.empty()) text += fmt::format("  {}:{}\n", local.name, word(local.type));
  return text.empty() ? text : "  # locals\n" + text;
}

// A function's statements are those of a handler with the same locals.
std::string body(const prog::Program& program, const prog::Function& f) {
  prog::Probe as_probe;
  as_probe.locals = f.locals;
  as_probe.body = f.body;
  return sema::dump_handler(program, as_probe);
}

std::string section(const char* title, const std::string& rows) {
  return rows.empty() ? rows : fmt::format("# {}\n{}", title, rows);
}

}  // namespace

std::string dump_trees(const std::vector<const ast::File*>& files) {
  std::string text = "# parse tree dump\n";
  for (const ast::File* file : files)
    text += fmt::format("# file {}\n{}\n", file->source->name(), print_sorted(*file));
  return text;
}

std::string dump_program(const prog::Program& program, bool with_bodies) {
  std::string globals, functions, probes;
  for (const auto& g : program.globals) globals += row(g);
  for (const auto& f : program.functions) {
    functions += row(f);
    if (with_bodies) functions += body(program, f);
  }
  for (const auto& probe : program.probes)
    for (const auto& point : probe.points) {
      probes += fmt::format("{} /* <- {} */\n{}", point.name, probe.name, locals(probe.locals));
      if (with_bodies) probes += sema::dump_handler(program, probe);
    }
  return section("globals", globals) + section("functions", functions) + section("probes", probes);
}

}  // namespace stp::cli
