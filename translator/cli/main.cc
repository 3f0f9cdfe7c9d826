// stp traces a running kernel with scripts in SystemTap's language. A run is these passes, each in
// a folder of its own; cli/compile.cc calls them in this order:
//
//   target/     which kernel: its files, configuration, exports, build-id
//   syntax/     the text of the script and of the tapsets -> syntax trees
//   sema/       syntax trees -> program: names, types, aliases; probes/ resolves probe points by
//               asking debuginfo/ (DWARF or BTF, in the model of types/)
//   optimize/   program -> program: which handler needs which locks
//   emit/       program -> C
//   build/      C -> kernel module, linked with the objects of runtime/
//   stp-load    (runtime/loader/) loads it, prints what it sends, unloads it; here or, with --vm,
//               in a virtual machine (vm/)
//
// This file only finds the subcommand. Called `stap`, the program is another: it takes the command
// line of SystemTap (cli/stap.cc), and goes through the same passes.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/functions.h"
#include "cli/kinds_of_probes.h"
#include "cli/options.h"
#include "support/diagnostics.h"
#include "target/cache_room.h"

namespace stp::cli {
namespace {

struct Subcommand {
  const char* name;
  const char* summary;
  int (*function)(const Words&);
};
constexpr Subcommand subcommands[] = {
    {"run", "run a script, here or in a virtual machine", run_command},
    {"build", "compile a script to a module", build_command},
    {"load", "run a module that `stp build` made", load_command},
    {"attach", "print what a session has recorded that was left running", attach_command},
    {"sessions", "list the sessions that the kernel runs", sessions_command},
    {"unload", "stop and remove a session", unload_command},
    {"merge", "make text of the files that `stp run -b` wrote", merge_command},
    {"check", "parse and resolve scripts, and say what is wrong", check_command},
    {"list", "print the probe points that a pattern stands for", list_command},
    {"doctor", "what this machine lacks for tracing, and what mends it", doctor_command},
    {"cache", "show or remove what is kept for the next run", cache_command},
};

int print_help(FILE* to) {
  fmt::print(to,
             "stp: trace a running Linux kernel with scripts in SystemTap's language.\n\n"
             "Usage: stp COMMAND [options] ...\n\nCommands:\n");
  for (const auto& s : subcommands) fmt::print(to, "  {:<9}{}\n", s.name, s.summary);
  fmt::print(to,
             "  {:<9}{}\n\n"
             "`stp help COMMAND` and `stp COMMAND --help` explain a command; `stp help functions` "
             "lists\nwhat scripts can call, `stp help probes` what they can probe; --version prints the version.\n\n"
             "Example: stp run -e 'probe begin {{ println(\"hello\") exit() }}'\n",
             "help", "explain a command");
  return to == stdout ? status_good : status_usage;
}

int unknown_command(const std::string& name) {
  std::vector<std::string> names = {"help"};
  for (const auto& s : subcommands) names.push_back(s.name);
  fmt::print(stderr, "stp: there is no command '{}'", name);
  if (name.ends_with(".stp"))
    fmt::print(stderr, "; did you mean `stp run {}`?", name);
  else if (auto near = nearest(name, names); !near.empty())
    fmt::print(stderr, "; did you mean '{}'?", near.front());
  fmt::print(stderr, "\n`stp help` lists the commands\n");
  return status_usage;
}

int dispatch(Words words) {
  if (words.empty()) return print_help(stderr);
  std::string name = words.front();
  words.erase(words.begin());
  if (name == "--version") {
    fmt::print("stp {}\n", version);
    return status_good;
  }
  if (name == "help" || name == "--help" || name == "-h") {
    if (words.empty()) return print_help(stdout);
    name = words.front();
    if (name == "functions") return print_functions();
    if (name == "probes") return print_kinds_of_probes();
    words = {"--help"};
  }
  auto found = std::find_if(std::begin(subcommands), std::end(subcommands),
                            [&](const Subcommand& s) { return name == s.name; });
  return found == std::end(subcommands) ? unknown_command(name) : found->function(words);
}

// One that is closed would be the number of the next file that is opened, of the cache say, and what is printed would
// go there. Writing fails, as it should.
void occupy_standard_files() {
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", O_RDONLY);
}

}  // namespace
}  // namespace stp::cli

int main(int argc, char** argv) {
  stp::cli::occupy_standard_files();
  std::string name = argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "stp";
  stp::cli::Words words(argv + std::min(argc, 1), argv + argc);
  try {
    int status = name == "stap" ? stp::cli::stap_command(words) : stp::cli::dispatch(words);
    stp::tidy_cache();
    return status;
  } catch (const std::exception& failure) {
    fmt::print(stderr, "{}: {}\n", name, failure.what());
    return stp::cli::status_failed;
  }
}
