// stp check: the passes that need no compiler.

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/compile.h"
#include "cli/install.h"
#include "cli/options.h"

namespace stp::cli {
namespace {

// True when nothing is wrong with it. Each script has a map and diagnostics of its own: what one
// defines says nothing about the next.
bool check_one(const ScriptOptions& o, const Target& target) {
  SourceMap map;
  Diagnostics d;
  Progress progress(o.verbose);
  const SourceFile* script = read_script(o, map, d);
  if (script) resolve(*script, target, o, map, d, progress);
  Reporter(o.no_warnings).print(d);
  if (!d.failed() && o.verbose) fmt::print("{}: ok\n", o.has_text ? "<input>" : o.file);
  return !d.failed();
}

}  // namespace

int check_command(const Words& words) {
  ScriptOptions o;
  std::vector<std::string> files;
  CLI::App app{"Parse scripts and resolve all their names and probe points; build nothing.",
               "stp check"};
  set_usage(app, "stp check [options] FILE...\n       stp check [options] -e TEXT");
  app.add_option("files", files, "the scripts; - is standard input")->type_name("FILE");
  auto* text = app.add_option("-e", o.text, "the script itself")->type_name("TEXT");
  app.add_option("-a,--arg", o.args, "an argument of the script: $1, @1 and so on")
      ->type_name("ARG")
      ->allow_extra_args(false);
  app.add_option("-G", o.globals, "give a global variable another initial value")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  add_resolve_options(app, o);
  app.footer(
      "Prints errors and nothing else; with -v a line for each script that is right as well.\n"
      "Exit status: 0 when all scripts are right, 1 when one is not, 2 for a wrong command line.\n"
      "\nExample: stp check -r 6.12 *.stp");
  int status;
  if (!parse(app, words, status)) return status;
  o.has_text = text->count() > 0;
  if (!o.has_text && files.empty())
    return usage_error(app, "a script is needed: FILE, - or -e TEXT");
  if (o.has_text && !files.empty()) return usage_error(app, "FILE and -e TEXT exclude each other");
  if (o.has_text) files = {""};

  Diagnostics d;
  check_assignments(o, d);
  Reporter().print(d);
  if (d.failed()) return status_usage;
  auto target = find_target(kernel_or_default(o.kernel, app.get_name()), d, o.sysroot);
  Reporter(o.no_warnings).print(d);
  if (!target) return status_failed;
  bool good = true;
  for (const auto& file : files) {
    o.file = file;
    good = check_one(o, *target) && good;
  }
  return good ? status_good : status_failed;
}

}  // namespace stp::cli
