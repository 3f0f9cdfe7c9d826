#include "options.h"

#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <charconv>
#include <cmath>

namespace stp::load {
namespace {

constexpr uint64_t megabyte = 1 << 20;
constexpr uint64_t most_megabytes = 1 << 20;

// "SIZE" or "SIZE,FILES" of -S. Returns what is wrong, as CLI11 wants it.
std::string read_rotation(const std::string& text, Options& o) {
  const char* end = text.data() + text.size();
  uint64_t size = 0;
  auto read = std::from_chars(text.data(), end, size);
  bool good = read.ec == std::errc{} && size > 0 && size <= most_megabytes;
  if (good && read.ptr != end) {
    good = *read.ptr == ',';
    if (good) read = std::from_chars(read.ptr + 1, end, o.most_files);
    good = good && read.ec == std::errc{} && read.ptr == end && o.most_files > 0;
  }
  o.file_bytes = size * megabyte;
  return good ? "" : text + ": MB or MB,FILES was expected";
}

// Empty, or what is wrong with it.
std::string not_seconds(const std::string& text) {
  double seconds = 0;
  auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  bool good = read.ec == std::errc{} && read.ptr == text.data() + text.size() && seconds > 0 && std::isfinite(seconds);
  return good ? "" : text + ": a number of seconds above 0 was expected";
}

// Of a thread, too: target() is compared with what a script likes.
std::string no_process(const std::string& text) {
  int id = 0;
  auto read = std::from_chars(text.data(), text.data() + text.size(), id);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || id <= 0)
    return text + ": a number above 0 was expected";
  return kill(id, 0) != 0 && errno == ESRCH ? fmt::format("there is no process {}", id) : "";
}

std::string no_command(const std::string& text) {
  return text.find_first_not_of(" \t\n") == text.npos ? "a command was expected" : "";
}

// What is done with a module that is loaded.
void add_modes(CLI::App& app, Options& o) {
  auto add = [&](const char* word, const char* text, Options::Mode mode) {
    auto* command = app.add_subcommand(word, text);
    command->callback([&o, mode] { o.mode = mode; });
    command->fallthrough();  // -o and its kin behind the word
    return command;
  };
  add("attach", "print what a detached session has recorded, and go on", Options::Mode::attach)
      ->add_option("name", o.name, "its name; may be left out when there is one");
  add("sessions", "list the sessions that this kernel runs", Options::Mode::sessions);
  add("unload", "stop and remove a module that was left loaded", Options::Mode::unload)
      ->add_option("name", o.name, "its name, as `sessions` shows it")
      ->required();
  add("merge", "make text of the files of -b, in order of time; -v labels each record", Options::Mode::merge)
      ->add_option("files", o.files, "the files of all CPUs")
      ->required();
  app.require_subcommand(0, 1);
}

std::string contradiction(const Options& o) {
  using Mode = Options::Mode;
  if (o.mode == Mode::run && o.module_path.empty()) return "the module to load is required";
  if ((o.mode == Mode::sessions || o.mode == Mode::merge) && !o.module_path.empty())
    return o.module_path + ": an argument too many";
  if (o.mode != Mode::run && !o.module_path.empty())
    return o.module_path + ": this module is loaded already; a name was expected";
  bool only_at_start = !o.command.empty() || o.target || !o.globals.empty() || o.detach;
  if (o.mode != Mode::run && only_at_start) return "-c, -x, -G and --detach are for a start";
  if (o.bulk && o.file_bytes) return "-S does not go with -b";
  if (o.bulk && o.mode != Mode::run && o.mode != Mode::attach) return "-b is for run and attach";
  if (o.monitor > 0 && (o.detach || (o.mode != Mode::run && o.mode != Mode::attach)))
    return "--monitor is for who reads a session";
  if (!o.detach) return "";
  if (o.bulk) return "--detach: -b is for who reads: `attach -b`";
  if (!o.output.empty()) return "--detach: the output stays in the kernel, so -o has no effect";
  if (!o.command.empty() || o.timeout > 0)
    return "--detach: nobody stays who could wait for -c or -T";
  return "";
}

}  // namespace

Parsed parse_options(int argc, char** argv) {
  Options o;
  CLI::App app{
      "Load a module that `stp build` made, print what it reports, and unload it.\n"
      "Needs nothing but this program and the module: no compiler, no debug information."};
  app.name("stp-load");
  app.add_option("module", o.module_path, "the module, x.ko");
  app.add_option("-c", o.command, "run this shell command, and stop when it ends")
      ->type_name("CMD")
      ->check(CLI::Validator(no_command, ""));
  app.add_option("-x", o.target, "process id that target() gives to the script")
      ->type_name("PID")
      ->check(CLI::Validator(no_process, ""));
  app.add_option("-o", o.output, "write the script's output to FILE")->type_name("FILE");
  app.add_option_function<std::string>("-S", [](const std::string&) {},
                                       "with -o: FILE.0, FILE.1 and so on of MB megabytes each, "
                                       "the last N of them")
      ->type_name("MB[,N]")
      ->needs("-o")
      ->check(CLI::Validator([&o](std::string& text) { return read_rotation(text, o); }, ""));
  app.add_option("-T", o.timeout, "stop after so many seconds")
      ->type_name("SECONDS")
      ->check(CLI::Validator(not_seconds, ""));
  app.add_flag("-v", o.verbose, "say what happens, and account for every probe at the end");
  app.add_option("-G", o.globals, "set a global variable before the script starts")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_flag("-b,--bulk", o.bulk,
               "write what each CPU printed to a file of its own, FILE_cpuN (stpd_cpuN without -o),\n"
               "for `merge`");
  app.add_option("-M,--monitor", o.monitor,
                 "show what the session does every so many seconds: on a terminal a screen with keys,\n"
                 "otherwise tables")
      ->type_name("SECONDS")
      ->check(CLI::Validator(not_seconds, ""));
  app.add_flag("-L,-F,--detach", o.detach,
               "start it and leave it: it records, the newest over the oldest, until `attach`");
  add_modes(app, o);
  app.footer(
      "Exit status: 0 when the script ran to its end, 1 when it could not run or ended\n"
      "with an error, 2 for a wrong command line.\n"
      "SIGQUIT (Ctrl-\\) detaches from a session, which goes on without a reader.\n"
      "Example: stp-load -c 'make -j8' -o trace.txt opens.ko");
  try {
    app.parse(argc, argv);
    if (std::string wrong = contradiction(o); !wrong.empty())
      throw CLI::ValidationError(wrong);
  } catch (const CLI::ParseError& e) {
    int status = app.exit(e);
    return {std::nullopt, status == 0 ? 0 : 2};
  }
  return {std::move(o), 0};
}

}  // namespace stp::load
