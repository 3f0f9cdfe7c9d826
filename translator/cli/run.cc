// stp run: compile, then launch (cli/launch.h).

#include <fmt/format.h>

#include "build/runtime_objects.h"
#include "cli/command.h"
#include "cli/compile.h"
#include "cli/launch.h"
#include "cli/loadable.h"
#include "cli/options.h"

namespace stp::cli {
namespace {

int compile_and_launch(const Launch& launch_options, const ScriptOptions& o) {
  SourceMap map;
  Diagnostics d;
  Reporter reporter(o.no_warnings);
  Progress progress(o.verbose);

  std::optional<BuiltModule> module;
  const SourceFile* script = read_script(o, map, d);
  std::optional<Target> target;
  RuntimeAhead runtime;
  if (script)
    target = find_target(o.kernel, d, o.sysroot, [&](const Target& located) {
      if (launch_options.vm || located.release == running_release()) runtime.start(located);
    });
  if (target && !launch_options.vm && target->release != running_release()) {
    fmt::print(stderr, "stp run: {} is not the running kernel ({}); --vm boots it\n",
               target->release, running_release());
    return status_failed;
  }
  if (target) progress.end(fmt::format("target: {}", target->release));
  if (target && !d.failed()) module = compile(*script, *target, o, map, d, progress);
  reporter.print(d);
  if (!module || d.failed()) return status_failed;
  bool behind = launch_options.run.detach && !launch_options.run.output.empty();
  return (behind ? launch_behind : launch)(launch_options, *target, module->file);
}

}  // namespace

int run_command(const Words& words) {
  ScriptOptions script;
  Launch line;
  CLI::App app{"Run a script on the running kernel, or on another in a virtual machine.",
               "stp run"};
  set_usage(app, "stp run [options] FILE [args...]\n       stp run [options] -e TEXT [args...]");
  add_run_options(app, line.run);
  add_build_options(app, script);
  add_resolve_options(app, script);
  app.add_flag("--vm", line.vm, "boot a kernel in QEMU and run there (-r chooses which)");
  app.add_option("--share", line.shares, "with --vm: the guest sees this folder of the host")
      ->type_name("DIR")
      ->allow_extra_args(false);
  app.footer(
      "FILE may be - for standard input. Words that are no options are the script's arguments\n"
      "($1, @1, ...); behind -- all are, dashes or not.\n"
      "\nLimits (-D), with their defaults:\n" +
      limits_help() +
      "\nExit status: 0 when the script ran to its end, 1 when it could not run or ended\n"
      "with an error, 2 for a wrong command line. SIGINT and SIGTERM end the run: end probes\n"
      "run, and the module is unloaded.\n"
      "\nExample: stp run -T 10 -e 'global n probe kernel.function(\"vfs_read\") { n[execname()]++ "
      "}'");
  int status;
  if (!parse_script_line(app, script, words, status)) return status;
  if (std::string wrong = contradiction(line); !wrong.empty()) return usage_error(app, wrong);
  Diagnostics d;
  check_assignments(script, d);
  Reporter().print(d);
  if (d.failed()) return status_usage;
  line.verbose = script.verbose;
  status = check_place(line, script.kernel);
  return status == status_good ? compile_and_launch(line, script) : status;
}

}  // namespace stp::cli
