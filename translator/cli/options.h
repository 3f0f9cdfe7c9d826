// What the subcommands' command lines have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "debuginfo/open.h"
#include "sema/program.h"
#include "support/diagnostics.h"
#include "support/source.h"

namespace stp::cli {

// Exit statuses, the same for every subcommand.
constexpr int status_good = 0;
constexpr int status_failed = 1;  // the script, the build or the run
constexpr int status_usage = 2;   // the command line

// How a script becomes a module, as the command line says it.
struct ScriptOptions {
  std::string file;  // "-": standard input; empty with `text`
  std::string text;  // -e
  bool has_text = false;
  std::vector<std::string> args;  // $1 @1 ...

  std::string kernel;  // -r: a release, a build directory, or empty
  std::string sysroot;  // --sysroot: where all files of the traced machine are; or empty
  DebuginfoChoice debuginfo = DebuginfoChoice::automatic;
  std::vector<std::string> globals;  // -G name=value
  std::vector<std::string> limits;   // -D NAME=value
  std::vector<std::string> modules;  // -d: of the kernel, whose lines and inlined functions are told
  unsigned buffer_mb = 0;            // -s
  std::vector<std::string> library;  // -I: folders
  std::string module_name;           // -m
  bool guru = false;                 // -g
  bool no_warnings = false;          // -w
  bool display_globals = true;
  bool verbose = false;              // -v
  bool timing = false;               // -t
  bool keep = false;                 // -k
  bool plain_kbuild = false;
  std::vector<std::string> make_variables;  // -B of stap: NAME=VALUE
  std::string language;  // what systemtap_v is; empty: the newest that is accepted
};

// What stp-load does with a module.
struct RunOptions {
  std::string command;  // -c
  std::string target;   // -x
  std::string output;   // -o
  std::string timeout;  // -T, seconds
  std::string rotate;   // -S, SIZE[,FILES]: the output in files of so many megabytes
  bool bulk = false;    // -b: files of each CPU, for `stp merge`
  std::string monitor;  // --monitor, seconds between two looks; empty: none
  bool detach = false;  // -F: nobody waits; what is printed stays in the kernel, or goes to -o
};

// The lines of --help that show the form of the command line.
void set_usage(CLI::App&, std::string lines);

// The parts of the command lines above; each binds its options to `o`, which must outlive `app`.
void add_kernel_option(CLI::App&, std::string& kernel);
void add_debuginfo_option(CLI::App&, ScriptOptions& o);
void add_resolve_options(CLI::App&, ScriptOptions& o);  // -r --debuginfo -I -g -w -v
void add_build_options(CLI::App&, ScriptOptions& o);    // -G -D -s -k --plain-kbuild
void add_run_options(CLI::App&, RunOptions& o);

// Parses `args`. True when the subcommand goes on; else `status` is what to exit with: --help was
// printed, or what is wrong was.
bool parse(CLI::App&, const std::vector<std::string>& args, int& status);

// As parse(), for `COMMAND [options] FILE [args…]` and `COMMAND [options] -e TEXT [args…]`: the
// words that are no options are the script and its arguments; behind "--" all words are.
bool parse_script_line(CLI::App&, ScriptOptions& o, const std::vector<std::string>& args,
                       int& status);

// -D NAME=value … into `limits`. Reports bad_option.
void apply_limits(const std::vector<std::string>& assignments, unsigned buffer_mb,
                  prog::Limits& limits, Diagnostics&);
// Whether -D has a row of this name.
bool is_limit(const std::string& name);
// What is wrong with -D, -G and -m can be said before anything else is looked at.
void check_assignments(const ScriptOptions&, Diagnostics&);
// The table of -D, for --help: "MAXACTION           1000  statements …".
std::string limits_help();

// -G name=value … as pairs. Reports bad_option.
std::map<std::string, std::string> globals_of(const std::vector<std::string>& assignments,
                                              Diagnostics&);

// The script's text. Null, with the reason reported, when it cannot be read or is no text.
const SourceFile* read_script(const ScriptOptions&, SourceMap&, Diagnostics&);
const SourceFile* read_text_file(const std::string& path, SourceFile::Role, SourceMap&,
                                 Diagnostics&);

enum class Color { automatic, always, never };  // automatic: on a terminal

struct ReportStyle {
  bool no_warnings = false;
  bool no_unused = false;  // no warnings about what has no effect
  Color color = Color::automatic;
};

// Prints what was reported and not printed yet to stderr.
class Reporter {
 public:
  explicit Reporter(bool no_warnings = false) : style_{.no_warnings = no_warnings} {}
  explicit Reporter(const ReportStyle& style) : style_(style) {}
  void print(const Diagnostics&);
  bool hides(const Diagnostic&) const;

 private:

  ReportStyle style_;
  size_t printed_ = 0;
};

// One line to stderr, "stp COMMAND: text", and status_usage.
int usage_error(const CLI::App&, const std::string& text);

}  // namespace stp::cli
