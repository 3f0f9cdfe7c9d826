#include "options.h"

#include <CLI/CLI.hpp>
#include <charconv>

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
    if (good) read = std::from_chars(read.ptr + 1, end, o.files);
    good = good && read.ec == std::errc{} && read.ptr == end && o.files > 0;
  }
  o.file_bytes = size * megabyte;
  return good ? "" : text + ": MB or MB,FILES was expected";
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
      ->type_name("CMD");
  app.add_option("-x", o.target, "process id that target() gives to the script")->type_name("PID");
  app.add_option("-o", o.output, "write the script's output to FILE")->type_name("FILE");
  app.add_option_function<std::string>("-S", [](const std::string&) {},
                                       "with -o: FILE.0, FILE.1 and so on of MB megabytes each, "
                                       "the last N of them")
      ->type_name("MB[,N]")
      ->needs("-o")
      ->check(CLI::Validator([&o](std::string& text) { return read_rotation(text, o); }, ""));
  app.add_option("-T", o.timeout, "stop after so many seconds")
      ->type_name("SECONDS")
      ->check(CLI::PositiveNumber);
  app.add_flag("-v", o.verbose, "say what happens, and account for every probe at the end");
  app.add_option("-G", o.globals, "set a global variable before the script starts")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  auto* unload = app.add_subcommand("unload", "stop and remove a module that was left loaded");
  unload->add_option("name", o.unload, "its name, as lsmod shows it")->required();
  app.footer(
      "Exit status: 0 when the script ran to its end, 1 when it could not run or ended\n"
      "with an error, 2 for a wrong command line.\n"
      "Example: stp-load -c 'make -j8' -o trace.txt opens.ko");
  try {
    app.parse(argc, argv);
    if (o.unload.empty() && o.module_path.empty()) throw CLI::RequiredError("the module to load");
  } catch (const CLI::ParseError& e) {
    int status = app.exit(e);
    return {std::nullopt, status == 0 ? 0 : 2};
  }
  return {std::move(o), 0};
}

}  // namespace stp::load
