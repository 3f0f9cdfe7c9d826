// The passes in their order. Each is a function of what is passed to it; the driver asks after
// each whether it failed, so that a pass never sees what another gave up on.
//
// Of the library only those files are parsed that the script may use (library.h), and analyze()
// brings in only what it does use. Debug information is opened when something asks for it: a script
// of timers does not.

#include "cli/compile.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

#include "cli/install.h"
#include "debuginfo/sources.h"
#include "emit/emit.h"
#include "optimize/optimize.h"

namespace stp::cli {
namespace {

namespace fs = std::filesystem;

void check_arguments(const SourceFile& script, const ScriptOptions& o, size_t used,
                     Diagnostics& d) {
  if (used >= o.args.size()) return;
  Span start{&script, 0, 0, nullptr};
  size_t surplus = o.args.size() - used;
  std::string text =
      surplus == 1 ? fmt::format("the script does not use its argument '{}'", o.args[used])
                   : fmt::format("the script does not use its last {} arguments, from '{}' on",
                                 surplus, o.args[used]);
  if (o.args[used].starts_with("-"))
    d.error(Code::usage, start, text).note("options of stp stand before the script");
  else
    d.warning(Code::usage, start, text);
}

// Each point with its handler's name, for -v. Many points of one probe are a count and a few.
void print_points(const prog::Program& program) {
  constexpr size_t shown = 10;
  for (const auto& probe : program.probes) {
    fmt::print(stderr, "  {}: {} point{}\n", probe.name, probe.points.size(),
               probe.points.size() == 1 ? "" : "s");
    for (size_t i = 0; i < probe.points.size() && i < shown; ++i)
      fmt::print(stderr, "    {}\n", probe.points[i].name);
    if (probe.points.size() > shown)
      fmt::print(stderr, "    ... and {} more\n", probe.points.size() - shown);
  }
}

}  // namespace

void Progress::end(const std::string& what) {
  auto now = std::chrono::steady_clock::now();
  auto ms = std::chrono::duration<double, std::milli>(now - start_).count();
  if (wanted_) fmt::print(stderr, "stp: {} in {:.0f} ms\n", what, ms);
  start_ = now;
}

SemaOptions sema_options(const ScriptOptions& o, Diagnostics& d) {
  SemaOptions options;
  options.guru = o.guru;
  options.suppress_warnings = o.no_warnings;
  options.display_globals = o.display_globals;
  options.modules = o.modules;
  options.globals = globals_of(o.globals, d);
  apply_limits(o.limits, o.buffer_mb, options.limits, d);
  return options;
}

void check_globals(const SemaOptions& options, const ast::File& script, Diagnostics& d) {
  std::vector<std::string> names;
  for (const auto& declaration : script.declarations)
    if (auto* global = std::get_if<ast::Global*>(&declaration))
      names.push_back((*global)->name.text);
  for (const auto& [name, value] : options.globals) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    auto& error = d.error(Code::bad_option, {},
                          fmt::format("-G {}: the script has no global of this name", name));
    for (const auto& near : nearest(name, names))
      error.note(fmt::format("did you mean '{}'?", near));
  }
}

namespace {

std::unique_ptr<prog::Program> resolve_with(const Library& library, const SourceFile& script,
                                            const Target& target, const ScriptOptions& o,
                                            SourceMap& map, Diagnostics& d, Progress& progress) {
  SemaOptions options = sema_options(o, d);
  progress.end(fmt::format("library: {} files", library.parsed()));

  // Text to syntax tree.
  size_t used_args = 0;
  auto context = preprocessor_context(target, o, o.args);
  auto tree = stp::parse(script, context, library.macros(), map, d, &used_args);
  check_globals(options, *tree, d);
  if (!d.failed()) check_arguments(script, o, used_args, d);
  if (d.failed()) return nullptr;
  progress.end(fmt::format("parse: {} declarations", tree->declarations.size()));

  // Syntax tree to program: names, types, tapsets, probe points, debug information.
  auto sources = debuginfo_sources(target, o.debuginfo);
  auto program = analyze(*tree, library.files(), target, *sources, options, d);
  if (d.failed() || !program) return nullptr;
  program->timing = o.timing;
  progress.end(fmt::format("resolve: {} probes, {} functions, {} globals", program->probes.size(),
                           program->functions.size(), program->globals.size()));
  return program;
}

}  // namespace

std::unique_ptr<prog::Program> resolve(const SourceFile& script, const Target& target,
                                       const ScriptOptions& o, SourceMap& map, Diagnostics& d,
                                       Progress& progress) {
  // What the script needs of the library; if there is anything to be said of it, all of the library,
  // which knows the names that were meant.
  size_t before = d.mark();
  Library needed(script, target, o, map, d);
  auto program = resolve_with(needed, script, target, o, map, d, progress);
  if (!needed.is_whole() && (!program || d.mark() != before)) {
    d.rewind(before);
    program = resolve_with(Library(target, o, map, d), script, target, o, map, d, progress);
  }
  if (program && progress.wanted()) print_points(*program);
  return program;
}

std::vector<Span> embedded_spans(const prog::Program& program) {
  std::vector<Span> spans;
  for (const auto& c : program.embedded_top) spans.push_back(c.span);
  for (const auto* c : program.embedded) spans.push_back(c->span);
  return spans;
}

std::string emit_program(const prog::Program& program, const Target& target, Diagnostics& d) try {
  for (const auto& probe : program.probes)
    for (const auto& point : probe.points)
      if (!point.program.empty()) {
        d.error(Code::unsupported, probe.span, "process probes are not run by this version")
            .note("`stp list` and `stp check` resolve them");
        return "";
      }
  return emit(program, {.release = target.release, .build_id = target.build_id});
} catch (const RegexTooLarge& large) {
  d.error(Code::bad_regex, program.regexes[large.index].span,
          "this regular expression needs too many states");
  return "";
}

std::optional<BuiltModule> compile(const SourceFile& script, const Target& target,
                                   const ScriptOptions& o, SourceMap& map, Diagnostics& d,
                                   Progress& progress) {
  auto program = resolve(script, target, o, map, d, progress);
  if (!program) return std::nullopt;

  // What handlers read and write; their locks.
  optimize(*program);
  progress.end("optimize");

  // Program to C.
  std::string source = emit_program(*program, target, d);
  if (d.failed()) return std::nullopt;
  progress.end(fmt::format("emit: {} bytes of C", source.size()));

  // C to a module, from the cache if it was built before.
  BuildOptions build{.verbose = o.verbose,
                     .keep = o.keep,
                     .plain_kbuild = o.plain_kbuild,
                     .make_variables = o.make_variables,
                     .embedded = embedded_spans(*program)};
  auto module = build_module(target, source, o.module_name, build, d);
  if (module)
    progress.end(fmt::format("build: {}{}", module->file.string(),
                             module->from_cache ? " (from the cache)" : ""));
  return module;
}

}  // namespace stp::cli
