// stp build: compile for any known kernel and put the module where the user wants it.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "build/runtime_objects.h"
#include "cli/command.h"
#include "cli/compile.h"
#include "cli/options.h"

namespace stp::cli {
namespace {

namespace fs = std::filesystem;

// "trace-opens.ko" -> "trace_opens"
std::string module_name_of(const fs::path& file) {
  std::string name = file.stem();
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return !isalnum(c); }, '_');
  return name;
}

int build(ScriptOptions& o, fs::path output) {
  SourceMap map;
  Diagnostics d;
  Reporter reporter(o.no_warnings);
  Progress progress(o.verbose);
  const SourceFile* script = read_script(o, map, d);
  std::optional<Target> target;
  RuntimeAhead runtime;
  if (script)
    target = find_target(o.kernel, d, o.sysroot, [&](const Target& located) { runtime.start(located); });
  if (target) progress.end(fmt::format("target: {}", target->release));
  std::optional<BuiltModule> module;
  if (target && !d.failed()) module = compile(*script, *target, o, map, d, progress);
  reporter.print(d);
  if (!module || d.failed()) return status_failed;

  std::error_code failed;
  fs::copy_file(module->file, output, fs::copy_options::overwrite_existing, failed);
  if (!failed) return status_good;
  fmt::print(stderr, "stp build: {}: {}\n", output.string(), failed.message());
  return status_failed;
}

}  // namespace

int build_command(const Words& words) {
  ScriptOptions o;
  std::string output;
  CLI::App app{"Compile a script to a module, to be loaded here or on another host.", "stp build"};
  set_usage(app,
            "stp build [options] FILE [args...]\n       stp build [options] -e TEXT [args...]");
  app.add_option("-o", output, "the module to write; its name in the kernel is made from this")
      ->type_name("FILE.ko")
      ->required();
  add_build_options(app, o);
  add_resolve_options(app, o);
  app.footer(
      "FILE may be - for standard input. Words that are no options are the script's arguments;\n"
      "behind -- all are. `stp load` or the static program stp-load runs the module.\n"
      "\nLimits (-D), with their defaults:\n" +
      limits_help() +
      "\nExit status: 0 when the module was written, 1 on an error in the script or the build,\n"
      "2 for a wrong command line.\n"
      "\nExample: stp build -r 6.1.0-56-amd64 -o opens.ko opens.stp");
  int status;
  if (!parse_script_line(app, o, words, status)) return status;
  if (!output.ends_with(".ko"))
    return usage_error(app, fmt::format("-o {}: a module's name ends with .ko", output));
  if (o.module_name.empty()) o.module_name = module_name_of(output);
  Diagnostics d;
  check_assignments(o, d);
  Reporter().print(d);
  return d.failed() ? status_usage : build(o, output);
}

}  // namespace stp::cli
