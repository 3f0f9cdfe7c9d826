// stp run: compile, then become stp-load, here or in a virtual machine.
//
// stp does not stay as a parent: whatever loads the module must be able to unload it when the
// terminal, a pipe or a signal ends the run, and one program that does this is stp-load. In a
// virtual machine everything is the same one step further out, but for -o: the file is the host's,
// so it is opened here and becomes the standard output of the whole machine.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "build/home.h"
#include "cli/command.h"
#include "cli/compile.h"
#include "cli/install.h"
#include "cli/loadable.h"
#include "cli/options.h"

namespace stp::cli {
namespace {

namespace fs = std::filesystem;

struct Line {
  ScriptOptions script;
  RunOptions run;
  bool vm = false;
  std::vector<std::string> shares;
};

int complain(const std::string& text) {
  fmt::print(stderr, "stp run: {}\n", text);
  return status_failed;
}

// One sentence for the case that most newcomers meet in a container.
int cannot_load(const std::string& reason) {
  return complain(
      fmt::format("the running kernel, {}, cannot load modules: {}; with --vm the script runs on a "
                  "kernel in a virtual machine",
                  running_release(), reason));
}

std::vector<std::string> loader_args(const Line& line, const fs::path& module) {
  std::vector<std::string> args = {module};
  auto add = [&](const char* option, const std::string& value) {
    if (value.empty()) return;
    args.push_back(option);
    args.push_back(value);
  };
  add("-c", line.run.command);
  add("-x", line.run.target);
  if (!line.vm) add("-o", line.run.output);
  add("-T", line.run.timeout);
  if (line.script.verbose) args.push_back("-v");
  return args;
}

bool redirect_output(const std::string& path) {
  if (path.empty()) return true;
  int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0) return true;
  complain(fmt::format("{}: {}", path, strerror(errno)));
  return false;
}

int exec_in_vm(const Line& line, const Target& target, const fs::path& loader,
               const fs::path& module) {
  fs::path vm = vm_program();
  if (vm.empty()) return complain("--vm: vm/run-in-vm is not beside this program");
  std::vector<std::string> args = {"--kernel", target.release};
  std::vector<std::string> shares = {module.parent_path(), loader.parent_path()};
  shares.insert(shares.end(), line.shares.begin(), line.shares.end());
  // A command is looked for from the folder that the user is in.
  if (!line.run.command.empty() && fs::current_path() != "/") shares.push_back(fs::current_path());
  std::sort(shares.begin(), shares.end());
  shares.erase(std::unique(shares.begin(), shares.end()), shares.end());
  for (const auto& dir : shares) args.insert(args.end(), {"--share", dir});
  args.insert(args.end(), {"--", loader});
  for (const auto& arg : loader_args(line, module)) args.push_back(arg);
  if (!redirect_output(line.run.output)) return status_failed;
  return exec_program(vm, args);
}

// What can be said before anything is read.
int check_place(Line& line) {
  if (line.vm) {
    if (line.script.kernel.empty()) line.script.kernel = kernel_for_vm();
    if (!line.script.kernel.empty()) return status_good;
    return complain(
        "--vm: no kernel was found that has an image and headers; `vm/fetch-kernel 6.1` fetches "
        "one");
  }
  std::string reason = why_not_loadable();
  return reason.empty() ? status_good : cannot_load(reason);
}

int compile_and_load(const Line& line) {
  SourceMap map;
  Diagnostics d;
  Reporter reporter(line.script.no_warnings);
  Progress progress(line.script.verbose);

  std::optional<BuiltModule> module;
  const SourceFile* script = read_script(line.script, map, d);
  std::optional<Target> target;
  if (script) target = find_target(line.script.kernel, d);
  if (target && !line.vm && target->release != running_release())
    return complain(fmt::format("{} is not the running kernel ({}); --vm boots it", target->release,
                                running_release()));
  if (target) progress.end(fmt::format("target: {}", target->release));
  if (target && !d.failed()) module = compile(*script, *target, line.script, map, d, progress);
  reporter.print(d);
  if (!module || d.failed()) return status_failed;

  fs::path loader = loader_program();
  if (loader.empty()) return complain("stp-load is not beside this program; `make` builds it");
  return line.vm ? exec_in_vm(line, *target, loader, module->file)
                 : exec_program(loader, loader_args(line, module->file));
}

}  // namespace

int run_command(const Words& words) {
  Line line;
  CLI::App app{"Run a script on the running kernel, or on another in a virtual machine.",
               "stp run"};
  set_usage(app, "stp run [options] FILE [args...]\n       stp run [options] -e TEXT [args...]");
  add_run_options(app, line.run);
  add_build_options(app, line.script);
  add_resolve_options(app, line.script);
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
  if (!parse_script_line(app, line.script, words, status)) return status;
  if (!line.shares.empty() && !line.vm) return usage_error(app, "--share is for --vm only");
  Diagnostics d;
  check_assignments(line.script, d);
  Reporter().print(d);
  if (d.failed()) return status_usage;
  status = check_place(line);
  return status == status_good ? compile_and_load(line) : status;
}

}  // namespace stp::cli
