// stp under the name `stap`: SystemTap's command line, its five passes, its words around them.
//
// The passes are the same functions that `stp run` calls (cli/compile.h). They are not called
// through compile(), since here each is somebody's goal: -p1 wants the tree, -p2 the program, -p3
// the C, -p4 the module, and each fails in words that programs look for.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "build/module.h"
#include "cli/command.h"
#include "cli/compile.h"
#include "cli/install.h"
#include "cli/launch.h"
#include "cli/loadable.h"
#include "cli/stap_dump.h"
#include "cli/stap_folders.h"
#include "cli/stap_list.h"
#include "cli/stap_options.h"
#include "cli/stap_pass.h"
#include "debuginfo/sources.h"
#include "emit/emit.h"
#include "optimize/optimize.h"
#include "sema/form.h"
#include "target/cache_room.h"

namespace stp::cli {
namespace {

// What --clean-cache leaves.
constexpr uintmax_t most_modules = uintmax_t{256} << 20;

namespace fs = std::filesystem;
using Mode = StapOptions::Mode;

// What the passes hand to each other.
struct Work {
  explicit Work(const StapOptions& options)
      : o(options),
        reporter({.no_warnings = o.script.no_warnings,
                  .no_unused = o.unoptimized,
                  .color = o.color}),
        clock(options) {}

  const StapOptions& o;
  SourceMap map;
  Diagnostics d;
  Reporter reporter;
  PassClock clock;
  std::optional<Target> target;
  std::unique_ptr<Library> library;
  std::vector<std::unique_ptr<ast::File>> trees;  // the script, then those of -E
  std::unique_ptr<prog::Program> program;
  std::unique_ptr<TemporaryFolder> folder;
  std::string c;
  std::optional<BuiltModule> module;

  // Prints what was reported; true when that ends the passes.
  bool wrong() {
    reporter.print(d);
    return d.failed() ||
           (o.warnings_are_errors &&
            std::any_of(d.all().begin(), d.all().end(),
                        [&](const Diagnostic& one) { return !reporter.hides(one); }));
  }
};

// Pass 1: the texts to trees.
bool parse_scripts(Work& w) {
  const ScriptOptions& script = w.o.script;
  w.library = std::make_unique<Library>(*w.target, script, w.map, w.d);
  std::vector<const SourceFile*> sources = {read_script(script, w.map, w.d)};
  for (const auto& text : w.o.additional) sources.push_back(&w.map.add("<input>", text));
  auto context = preprocessor_context(*w.target, script, script.args);
  size_t used_args = 0;
  for (const SourceFile* source : sources) {
    if (!source) continue;
    size_t used = 0;
    w.trees.push_back(stp::parse(*source, context, w.library->macros(), w.map, w.d, &used));
    used_args = std::max(used_args, used);
  }
  if (!w.d.failed() && !script.no_warnings)
    for (size_t i = used_args + 1; i <= script.args.size(); ++i)
      fmt::print(stderr, "WARNING: unused command line option ${0}/@{0}\n", i);
  if (w.o.last_pass == 1 && !w.d.failed()) sema::check_form(w.trees, w.d);
  bool failed = w.wrong();
  w.clock.end(1, fmt::format("parsed user script and {}",
                             counted(w.library->files().size(), "library script")));
  return !failed;
}

void print_trees(const Work& w) {
  std::vector<const ast::File*> files;
  for (const auto& tree : w.trees) files.push_back(tree.get());
  if (w.o.tells(1))
    files.insert(files.end(), w.library->files().begin(), w.library->files().end());
  fmt::print("{}", dump_trees(files));
}

// Pass 2: trees to a program. Scripts of -E share the main one's names.
bool analyze_scripts(Work& w) {
  SemaOptions options = sema_options(w.o.script, w.d);
  options.unoptimized = w.o.unoptimized;
  ast::File& main = *w.trees.front();
  for (size_t i = 1; i < w.trees.size(); ++i)
    main.declarations.insert(main.declarations.end(), w.trees[i]->declarations.begin(),
                             w.trees[i]->declarations.end());
  check_globals(options, main, w.d);
  auto sources = debuginfo_sources(*w.target, w.o.script.debuginfo);
  w.program = analyze(main, w.library->files(), *w.target, *sources, options, w.d);
  bool failed = w.wrong() || !w.program;
  if (failed) w.program = std::make_unique<prog::Program>();  // counts as nothing below
  w.program->suppress_handler_errors = w.o.suppress_handler_errors;
  w.program->timing = w.o.script.timing;
  size_t points = 0;
  for (const auto& probe : w.program->probes) points += probe.points.size();
  w.clock.end(2, fmt::format("analyzed script: {}, {}, {}, {}", counted(points, "probe"),
                             counted(w.program->functions.size(), "function"),
                             counted(w.program->embedded_top.size(), "embed"),
                             counted(w.program->globals.size(), "global")));
  return !failed;
}

// What MODULE_INFO() makes; the C of a script is written without the kernel's headers.
std::string module_info(size_t number, const std::string& text) {
  std::string literal;
  for (char c : text) {
    if (c == '"' || c == '\\') literal += '\\';
    literal += c;
  }
  return fmt::format(
      "static const char modinfo_{}[]\n\t__attribute__((used, section(\".modinfo\"), aligned(1))) = "
      "\"{}\";\n",
      number, literal);
}

// Pass 3: the program to C. -D of other names than limits and --modinfo are for the C.
bool translate(Work& w) {
  optimize(*w.program);
  for (const auto& define : w.o.defines) {
    size_t equals = define.find('=');
    w.c += fmt::format("#define {} {}\n", define.substr(0, equals), define.substr(equals + 1));
  }
  w.c += emit_program(*w.program, *w.target, w.d);
  if (w.wrong()) return false;
  for (size_t i = 0; i < w.o.module_info.size(); ++i)
    w.c += module_info(i, w.o.module_info[i]);
  if (!w.o.keep_temporary && w.o.temporary.empty() && !w.o.tells(3)) return true;
  w.folder = std::make_unique<TemporaryFolder>(w.o.temporary, w.o.keep_temporary);
  fs::path file = w.folder->path() / "script.c";
  std::ofstream(file) << w.c;
  w.clock.end(3, fmt::format("translated to C into \"{}\"", file.string()));
  return true;
}

bool copy_module(const Work& w, const fs::path& to) {
  std::error_code failed;
  fs::copy_file(w.module->file, to, fs::copy_options::overwrite_existing, failed);
  if (failed) fmt::print(stderr, "stap: {}: {}\n", to.string(), failed.message());
  return !failed;
}

// Pass 4: C to a module.
bool compile_module(Work& w) {
  BuildOptions build;
  build.make_variables = w.o.script.make_variables;
  build.verbose = w.o.verbosity[3] > 1;
  build.keep = w.o.script.keep;
  build.embedded = embedded_spans(*w.program);
  w.module = build_module(*w.target, w.c, w.o.script.module_name, build, w.d);
  if (!w.o.use_cache && w.module) remove_own_builds(cache_dir() / "modules");
  bool failed = w.wrong() || !w.module;
  std::string file = w.module ? w.module->file.filename().string() : "";
  if (w.module && w.module->from_cache) {
    if (w.o.tells(4)) fmt::print(stderr, "Pass 4: using cached {}\n", w.module->file.string());
    w.clock.begin();
  } else {
    w.clock.end(4, fmt::format("compiled C into \"{}\"", file));
  }
  if (failed) return false;
  if (w.folder && !copy_module(w, w.folder->path() / file)) return false;
  return w.o.script.module_name.empty() || copy_module(w, file);
}

void print_module(const Work& w) {
  fs::path file = w.module->file;
  fmt::print("{}\n", w.o.script.module_name.empty() ? file.string() : file.filename().string());
}

// Pass 5. True when the script ran to its end.
bool run(Work& w) {
  if (w.o.launch.run.detach && !w.o.launch.run.output.empty())
    return launch_behind(w.o.launch, *w.target, w.module->file) == status_good;
  if (w.o.tells(5)) fmt::print(stderr, "Pass 5: starting run.\n");
  int status = launch_and_wait(w.o.launch, *w.target, w.module->file);
  if (w.o.tells(5)) fmt::print(stderr, "Pass 5: run completed {}\n", w.clock.time());
  return status == status_good;
}

struct Pass {
  bool (*make)(Work&);
  void (*print)(const Work&);  // when it is the last
};
constexpr Pass passes[stap_passes] = {
    {parse_scripts, print_trees},
    {analyze_scripts,
     [](const Work& w) { fmt::print("{}", dump_program(*w.program, w.o.tells(2))); }},
    {translate, [](const Work& w) { fmt::print("{}", w.c); }},
    {compile_module, print_module},
    {run, [](const Work&) {}},
};

// The kernel, and how far the passes can go for it. Empty, with the reason said, when there is none.
std::optional<Target> choose_target(StapOptions& o, Diagnostics& d) {
  bool runs = o.mode == Mode::script && o.last_pass == stap_passes;
  bool chosen = !o.script.kernel.empty();
  if (runs && (o.launch.vm || !chosen) && check_place(o.launch, o.script.kernel) != status_good)
    return std::nullopt;
  if (!runs) o.script.kernel = kernel_or_default(o.script.kernel, "stap");
  auto target = find_target(o.script.kernel, d, o.script.sysroot);
  if (!target || !runs || o.launch.vm) return target;
  if (target->release != running_release()) {
    if (!o.script.no_warnings)
      fmt::print(stderr, "WARNING: {} is not the running kernel: stopping behind pass 4\n",
                 target->release);
    o.last_pass = 4;
  } else if (chosen && check_place(o.launch, o.script.kernel) != status_good) {
    return std::nullopt;
  }
  return target;
}

int run_passes(Work& w) {
  int status = status_good;
  for (int pass = 1; pass <= w.o.last_pass && status == status_good; ++pass) {
    const Pass& row = passes[pass - 1];
    if (!row.make(w))
      status = w.clock.failed(pass);
    else if (pass == w.o.last_pass)
      row.print(w);
  }
  if (w.folder && w.o.keep_temporary)
    fmt::print("Keeping temporary directory \"{}\"\n", w.folder->path().string());
  return status;
}

// Why nothing matches a pattern is said only to who asks (-v); what is no pattern is an error.
int list(Work& w) {
  Listed listed = list_pattern(w.o, *w.target, w.map, w.d);
  if (listed == Listed::malformed || (listed == Listed::none && w.o.tells(2))) w.reporter.print(w.d);
  return listed == Listed::some ? status_good : status_failed;
}

int with_target(StapOptions& o) {
  Diagnostics d;
  auto target = choose_target(o, d);
  Work w(o);
  w.reporter.print(d);
  if (!target) return status_failed;
  w.reporter = Reporter(ReportStyle{o.script.no_warnings, o.unoptimized, o.color});
  w.target = std::move(target);
  if (o.mode == Mode::list) return list(w);
  if (o.mode == Mode::script) return run_passes(w);
  dump_library(o, *w.target, w.map, w.d);
  return w.wrong() ? status_failed : status_good;
}

}  // namespace

int stap_command(const Words& words) {
  int status;
  auto options = parse_stap_line(words, status);
  if (!options) return status;
  switch (options->mode) {
    case Mode::help:
      fmt::print("{}", stap_help());
      return status_good;
    case Mode::version:
      fmt::print("{}", stap_version());
      return status_good;
    case Mode::clean_cache:
      trim_cache({"modules"}, most_modules, std::chrono::seconds(0));
      return status_good;
    default:
      return with_target(*options);
  }
}

}  // namespace stp::cli
