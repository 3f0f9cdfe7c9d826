// The command line of `stap`: every option of stap(1), and what it asks of this program.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/launch.h"
#include "cli/options.h"

namespace stp::cli {

constexpr int stap_passes = 5;

struct StapOptions {
  enum class Mode {
    script,
    help,
    version,
    list,
    dump_probe_types,
    dump_probe_aliases,
    dump_functions,
    clean_cache,
  } mode = Mode::script;

  ScriptOptions script;
  Launch launch;
  int last_pass = stap_passes;                // -p
  std::array<int, stap_passes> verbosity{};   // -v --vp
  std::vector<std::string> additional;        // -E: more scripts
  std::string pattern;                        // -l -L
  bool with_variables = false;                // -L
  bool every_address = false;                 // -L -v: also what the address alone tells apart
  std::vector<std::string> defines;           // -D that is no limit: NAME=VALUE
  std::vector<std::string> module_info;       // --modinfo
  std::string temporary;                      // --tmpdir
  bool keep_temporary = false;                // -k
  bool warnings_are_errors = false;           // -W
  bool unoptimized = false;                   // -u
  bool use_cache = true;                      // --disable-cache --poison-cache
  bool no_time_limits = false;                // --suppress-time-limits
  bool suppress_handler_errors = false;
  Color color = Color::automatic;

  bool tells(int pass) const { return verbosity[static_cast<size_t>(pass - 1)] > 0; }
};

struct StapRow {
  enum class Argument { none, required, optional } argument;
  enum class Effect { done, none, refused } effect;
  char letter;                // 0: has none
  const char* name;           // long; null: has none
  const char* argument_name;  // for people
  const char* text;           // what it does, why it needs no effect, or why it is refused
  // Effect::done. Returns what is wrong with the value; empty when nothing is.
  std::string (*set)(StapOptions&, const std::string& value);
};

// In the order of --help.
std::span<const StapRow> stap_rows();

// The words behind the program's name; those of $SYSTEMTAP_DIR/rc come first. Without options
// `status` is what to exit with, and what is wrong was said.
std::optional<StapOptions> parse_stap_line(const Words&, int& status);

std::string stap_version();
std::string stap_help();

}  // namespace stp::cli
