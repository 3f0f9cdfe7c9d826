// The options of stap(1), one row each.
//
// An option is done, or accepted because what it asks for holds anyway, or refused with the reason.
// Nothing is accepted that would have changed what the user sees: a script that asks for a compile
// server and runs without one is worse off than one that is told.
#include <string.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <regex>

#include "cli/stap_options.h"
#include "syntax/parser.h"

namespace stp::cli {
namespace {

using Options = StapOptions;
using enum StapRow::Argument;
using Effect = StapRow::Effect;
using Text = const std::string&;

std::optional<uint64_t> number(Text text, uint64_t least, uint64_t most) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc{} || read.ptr != end || value < least || value > most) return {};
  return value;
}

constexpr uint64_t any = std::numeric_limits<int64_t>::max();

std::string wanted_number(Text text, uint64_t least, uint64_t most) {
  if (number(text, least, most)) return {};
  return "a number from " + std::to_string(least) +
         (most == any ? " on" : " to " + std::to_string(most)) + " was expected";
}

// Empty when `text` is one of `words`.
std::string wanted_word(Text text, std::initializer_list<const char*> words) {
  std::string list;
  for (const char* word : words) {
    if (text == word) return {};
    list += (list.empty() ? "" : ", ") + std::string(word);
  }
  return "one of these was expected: " + list;
}

std::string set_pass(Options& o, Text text) {
  std::string wrong = wanted_number(text, 1, stap_passes);
  if (wrong.empty()) o.last_pass = text[0] - '0';
  return wrong;
}

std::string add_verbosity(Options& o, Text text) {
  if (text.empty() || text.size() > stap_passes ||
      text.find_first_not_of("0123456789") != text.npos)
    return "one to five digits were expected, one for each pass";
  for (size_t i = 0; i < text.size(); ++i) o.verbosity[i] += text[i] - '0';
  return {};
}

std::string set_script(Options& o, Text text) {
  if (o.script.has_text) return "there can be one script; -E adds others to it";
  o.script.has_text = true;
  o.script.text = text;
  return {};
}

std::string set_pattern(Options& o, Text text, bool with_variables) {
  if (o.mode == Options::Mode::list) return "there can be one list";
  o.mode = Options::Mode::list;
  o.pattern = text;
  o.with_variables = with_variables;
  return {};
}

// NAME=VALUE or NAME, which is 1 as in C.
std::string add_define(Options& o, Text text) {
  if (!std::regex_match(text, std::regex("[A-Za-z_][A-Za-z0-9_]*(=[^\n]*)?")))
    return "NAME or NAME=VALUE was expected";
  size_t equals = text.find('=');
  std::string whole = equals == text.npos ? text + "=1" : text;
  bool limit = is_limit(whole.substr(0, whole.find('=')));
  (limit ? o.script.limits : o.defines).push_back(whole);
  return {};
}

std::string add_module_info(Options& o, Text text) {
  if (!std::regex_match(text, std::regex("[a-z_][a-z0-9_]*=[^\n]+")))
    return "NAME=VALUE was expected";
  o.module_info.push_back(text);
  return {};
}

std::string set_module(Options& o, Text text) {
  o.script.module_name = text.ends_with(".ko") ? text.substr(0, text.size() - 3) : text;
  if (std::regex_match(o.script.module_name, std::regex("[A-Za-z0-9_]+"))) return {};
  return "letters, digits and underscores were expected";
}

std::string set_buffer(Options& o, Text text) {
  std::string wrong = wanted_number(text, 1, 1024);
  if (wrong.empty()) o.script.buffer_mb = static_cast<unsigned>(*number(text, 1, 1024));
  return wrong;
}

std::string set_rotation(Options& o, Text text) {
  if (!std::regex_match(text, std::regex("[1-9][0-9]{0,6}(,[1-9][0-9]{0,6})?")))
    return "SIZE or SIZE,FILES was expected, in megabytes and files";
  o.launch.run.rotate = text;
  return {};
}

std::string set_target_id(Options& o, Text text) {
  // target() of no process is 0, so -x 0 asks for none.
  o.launch.run.target = number(text, 1, any) ? text : "";
  return wanted_number(text, 0, any);
}

std::string set_timeout(Options& o, Text text) {
  o.launch.run.timeout = text;
  return wanted_number(text, 1, any);
}

// Times of probes are on the screen, so they are measured.
std::string set_monitor(Options& o, Text text) {
  o.launch.run.monitor = text.empty() ? "1" : text;
  o.script.timing = true;
  return text.empty() ? "" : wanted_number(text, 1, 86400);
}

std::string set_color(Options& o, Text text) {
  std::string when = text.empty() ? "always" : text;
  o.color = when == "always"  ? Color::always
            : when == "never" ? Color::never
                              : Color::automatic;
  return wanted_word(when, {"always", "never", "auto"});
}

// Digits with dots between them; nothing that is newer than the language that is accepted here.
std::string set_language(Options& o, Text text) {
  if (!std::regex_match(text, std::regex("[0-9]+(\\.[0-9]+)*"))) return "a version was expected";
  std::string newest = PreprocessorContext{}.stap_version;
  if (strverscmp(text.c_str(), newest.c_str()) > 0)
    return "the newest version of the language here is " + newest;
  o.script.language = text;
  return {};
}

std::string limit_resource(decltype(RLIMIT_AS) resource, Text text) {
  auto value = number(text, 0, any);
  if (!value) return wanted_number(text, 0, any);
  rlimit limit{*value, *value};
  return setrlimit(resource, &limit) == 0 ? "" : "the limit could not be set";
}

std::string set_mode(Options& o, Options::Mode mode) {
  o.mode = mode;
  return {};
}

// clang-format off
const StapRow rows[] = {
    // ---- the script
    {required, Effect::done, 'e', nullptr, "SCRIPT", "the script itself", set_script},
    {required, Effect::done, 'E', nullptr, "SCRIPT", "one more script, beside the main one",
     [](Options& o, Text v) { o.additional.push_back(v); return std::string(); }},
    {none, Effect::done, 'g', nullptr, nullptr, "guru mode: embedded C, writes to the kernel",
     [](Options& o, Text) { o.script.guru = true; return std::string(); }},
    {required, Effect::done, 'I', nullptr, "DIR", "tapset files are here as well",
     [](Options& o, Text v) { o.script.library.push_back(v); return std::string(); }},
    {required, Effect::done, 'D', nullptr, "NAME=VALUE", "change a limit; another name is defined for embedded C",
     add_define},
    {required, Effect::done, 'G', nullptr, "NAME=VALUE", "another first value of a global variable",
     [](Options& o, Text v) { o.script.globals.push_back(v); return std::string(); }},
    {required, Effect::done, 0, "compatible", "VERSION", "what systemtap_v is for the script", set_language},
    {none, Effect::done, 0, "suppress-handler-errors", nullptr, "errors of handlers do not end the run",
     [](Options& o, Text) { o.suppress_handler_errors = true; return std::string(); }},
    {none, Effect::done, 0, "suppress-time-limits", nullptr, "no limits of statements and of tries to lock; needs -g",
     [](Options& o, Text) { o.no_time_limits = true; return std::string(); }},

    {required, Effect::done, 'B', nullptr, "NAME=VALUE", "a variable of the make that builds the module; slower, as Kbuild then builds all of it",
     [](Options& o, Text v) {
       size_t equals = v.find('=');
       if (equals == v.npos || equals == 0 || v[0] == '-')
         return std::string("NAME=VALUE was expected");
       o.script.make_variables.emplace_back(v);
       return std::string();
     }},

    // ---- what is done with it
    {required, Effect::done, 'p', nullptr, "NUM", "stop behind pass NUM: 1 parse, 2 analyze, 3 to C, 4 to a module, 5 run",
     set_pass},
    {required, Effect::done, 'l', nullptr, "PROBE", "list the points that a probe point stands for",
     [](Options& o, Text v) { return set_pattern(o, v, false); }},
    {required, Effect::done, 'L', nullptr, "PROBE", "list them with their variables",
     [](Options& o, Text v) { return set_pattern(o, v, true); }},
    {none, Effect::done, 0, "dump-probe-types", nullptr, "list the kinds of probe points",
     [](Options& o, Text) { return set_mode(o, Options::Mode::dump_probe_types); }},
    {none, Effect::done, 0, "dump-probe-aliases", nullptr, "list the aliases of the library",
     [](Options& o, Text) { return set_mode(o, Options::Mode::dump_probe_aliases); }},
    {none, Effect::done, 0, "dump-functions", nullptr, "list the functions that scripts can call",
     [](Options& o, Text) { return set_mode(o, Options::Mode::dump_functions); }},
    {none, Effect::done, 0, "clean-cache", nullptr, "remove the oldest modules of a cache above 256 MB",
     [](Options& o, Text) { return set_mode(o, Options::Mode::clean_cache); }},
    {none, Effect::done, 'h', "help", nullptr, "print this",
     [](Options& o, Text) { return set_mode(o, Options::Mode::help); }},
    {none, Effect::done, 'V', "version", nullptr, "print the version",
     [](Options& o, Text) { return set_mode(o, Options::Mode::version); }},

    // ---- what is said
    {none, Effect::done, 'v', nullptr, nullptr, "say what each pass did; repeat it to hear more",
     [](Options& o, Text) { for (int& v : o.verbosity) ++v; return std::string(); }},
    {required, Effect::done, 0, "vp", "DIGITS", "add to -v for pass 1, 2 and so on", add_verbosity},
    {none, Effect::done, 'w', nullptr, nullptr, "print no warnings",
     [](Options& o, Text) { o.script.no_warnings = true; return std::string(); }},
    {none, Effect::done, 0, "no-global-var-display", nullptr, "do not print at the end the globals that nothing reads",
     [](Options& o, Text) { o.script.display_globals = false; return std::string(); }},
    {none, Effect::done, 'W', nullptr, nullptr, "a warning ends the pass as an error does",
     [](Options& o, Text) { o.warnings_are_errors = true; return std::string(); }},
    {none, Effect::done, 'u', nullptr, nullptr, "no warnings about what has no effect, which is kept in any case",
     [](Options& o, Text) { o.unoptimized = true; return std::string(); }},
    {none, Effect::done, 't', nullptr, nullptr, "at the end, hits of each point and the cycles of its handler",
     [](Options& o, Text) { o.script.timing = true; return std::string(); }},
    {optional, Effect::done, 0, "color", "WHEN", "colours: always, never or auto", set_color},
    {optional, Effect::done, 0, "colour", "WHEN", "the same", set_color},

    // ---- the kernel and the module
    {required, Effect::done, 'r', nullptr, "KERNEL", "a release or a build directory; $SYSTEMTAP_RELEASE as well",
     [](Options& o, Text v) { o.script.kernel = v; return std::string(); }},
    {required, Effect::done, 'a', nullptr, "ARCH", "x86_64 is the one there is",
     [](Options&, Text v) { return v == "x86" ? "" : wanted_word(v, {"x86_64"}); }},
    {required, Effect::done, 'm', nullptr, "NAME", "name of the module, which is copied to the current folder",
     set_module},
    {required, Effect::done, 0, "modinfo", "NAME=VALUE", "one more entry in the module's information", add_module_info},
    {none, Effect::done, 'k', nullptr, nullptr, "keep the temporary folder, with the C and the module",
     [](Options& o, Text) { o.keep_temporary = true; return std::string(); }},
    {required, Effect::done, 0, "tmpdir", "DIR", "the temporary folder is this one",
     [](Options& o, Text v) { o.temporary = v; return std::string(); }},
    {none, Effect::done, 0, "disable-cache", nullptr, "build the module, whether it is in the cache or not",
     [](Options& o, Text) { o.use_cache = false; return std::string(); }},
    {none, Effect::done, 0, "poison-cache", nullptr, "the same",
     [](Options& o, Text) { o.use_cache = false; return std::string(); }},
    {required, Effect::done, 's', nullptr, "MB", "buffer of each CPU, 1 to 1024 megabytes", set_buffer},

    // ---- the run
    {required, Effect::done, 'c', nullptr, "CMD", "run this command, and stop when it ends",
     [](Options& o, Text v) { o.launch.run.command = v; return std::string(); }},
    {required, Effect::done, 'x', nullptr, "PID", "what target() is", set_target_id},
    {required, Effect::done, 'o', nullptr, "FILE", "write the output to FILE; %Y and its kin as in strftime(3)",
     [](Options& o, Text v) { o.launch.run.output = v; return std::string(); }},
    {required, Effect::done, 'S', nullptr, "MB[,N]", "with -o: FILE.0, FILE.1 and so on of this size, the last N of them",
     set_rotation},
    {required, Effect::done, 'T', nullptr, "SECONDS", "stop after so many seconds", set_timeout},
    {optional, Effect::done, 0, "monitor", "SECONDS", "show what the script does, on a terminal with keys to control it", set_monitor},
    {none, Effect::done, 'b', nullptr, nullptr, "what each CPU printed goes to a file of its own, FILE_cpuN, for `stp merge`",
     [](Options& o, Text) { o.launch.run.bulk = true; return std::string(); }},
    {none, Effect::done, 'F', nullptr, nullptr, "leave it recording in the kernel, for `stp attach`; with -o: run in the background",
     [](Options& o, Text) { o.launch.run.detach = true; return std::string(); }},
    {none, Effect::done, 0, "vm", nullptr, "not of SystemTap: run in a virtual machine",
     [](Options& o, Text) { o.launch.vm = true; return std::string(); }},
    {required, Effect::done, 0, "share", "DIR", "with --vm: the guest sees this folder",
     [](Options& o, Text v) { o.launch.shares.push_back(v); return std::string(); }},
    {required, Effect::done, 0, "rlimit-as", "BYTES", "limit of address space, as setrlimit(2) has it",
     [](Options&, Text v) { return limit_resource(RLIMIT_AS, v); }},
    {required, Effect::done, 0, "rlimit-cpu", "SECONDS", "limit of processor time",
     [](Options&, Text v) { return limit_resource(RLIMIT_CPU, v); }},
    {required, Effect::done, 0, "rlimit-nproc", "NUM", "limit of processes",
     [](Options&, Text v) { return limit_resource(RLIMIT_NPROC, v); }},
    {required, Effect::done, 0, "rlimit-stack", "BYTES", "limit of the stack",
     [](Options&, Text v) { return limit_resource(RLIMIT_STACK, v); }},
    {required, Effect::done, 0, "rlimit-fsize", "BYTES", "limit of a file's size",
     [](Options&, Text v) { return limit_resource(RLIMIT_FSIZE, v); }},
    {required, Effect::done, 0, "runtime", "kernel", "the kernel's is the one there is",
     [](Options&, Text v) { return wanted_word(v, {"kernel"}); }},
    {optional, Effect::done, 0, "privilege", "stapdev", "the one level there is: scripts of root",
     [](Options&, Text v) { return v.empty() ? "" : wanted_word(v, {"stapdev"}); }},
    {optional, Effect::done, 0, "use-server-on-error", "no", "there are no servers: no is the one choice",
     [](Options&, Text v) { return wanted_word(v, {"no"}); }},
    {optional, Effect::done, 0, "prologue-searching", "WHEN", "no effect: values are looked up where they are at the entry",
     [](Options&, Text v) { return v.empty() ? "" : wanted_word(v, {"never", "always", "auto"}); }},

    {required, Effect::done, 'd', nullptr, "MODULE", "lines and inlined functions of this module too; others have symbols without it",
     [](Options& o, Text v) {
       // Programs, and the kernel, need nothing.
       if (v != "kernel" && (v.find('/') == v.npos || v.find(".ko") != v.npos)) o.script.modules.push_back(v);
       return std::string();
     }},

    // ---- what holds without it
    {none, Effect::none, 0, "ldd", nullptr, "the kernel itself is asked for its symbols during the run", nullptr},
    {none, Effect::none, 0, "all-modules", nullptr, "as --ldd", nullptr},
    {none, Effect::none, 'P', nullptr, nullptr, "as --prologue-searching", nullptr},
    {none, Effect::none, 'q', nullptr, nullptr, "files about the coverage of tapsets are not written", nullptr},
    {none, Effect::none, 0, "save-uprobes", nullptr, "every kernel from 3.5 on has uprobes", nullptr},
    {none, Effect::none, 0, "check-version", nullptr, "there is nothing here that a version changed", nullptr},
    {optional, Effect::none, 0, "download-debuginfo", "OPTION", "nothing is downloaded; an error names the package", nullptr},

    // ---- what cannot be had
    {required, Effect::refused, 'R', nullptr, "DIR", "this program's runtime is not SystemTap's", nullptr},
    {none, Effect::refused, 'i', "interactive", nullptr, "there is no interactive mode; -e takes a script from the command line", nullptr},
    {none, Effect::refused, 0, "skip-badvars", nullptr, "a variable that is not there is an error; @defined($x) asks for it", nullptr},
    {none, Effect::refused, 0, "unprivileged", nullptr, "scripts are run by root alone", nullptr},
    {optional, Effect::refused, 0, "use-server", "SERVER", "there are no compile servers; `stp build` makes a module for another host", nullptr},
    {optional, Effect::refused, 0, "list-servers", "LIST", "there are no compile servers", nullptr},
    {optional, Effect::refused, 0, "trust-servers", "LIST", "there are no compile servers", nullptr},
    {none, Effect::refused, 0, "sign-module", nullptr, "modules are not signed", nullptr},
    {required, Effect::refused, 0, "remote", "URL", "there are no remote runs; `stp build` and the small program stp-load do it in two steps", nullptr},
    {none, Effect::refused, 0, "remote-prefix", nullptr, "there are no remote runs", nullptr},
    {required, Effect::done, 0, "sysroot", "DIR", "the folder with the files of the traced machine",
     [](Options& o, Text v) { o.script.sysroot = v; return std::string(); }},
    {required, Effect::refused, 0, "sysenv", "NAME=VALUE", "programs are looked for in this machine's $PATH", nullptr},
    {none, Effect::refused, 0, "dyninst", nullptr, "handlers run in the kernel alone", nullptr},
    {none, Effect::refused, 0, "bpf", nullptr, "handlers are kernel modules, not BPF", nullptr},
    {required, Effect::refused, 0, "target-namespaces", "PID", "there are no functions of namespaces", nullptr},
    {none, Effect::refused, 0, "example", nullptr, "SystemTap's examples are not part of this program", nullptr},
};
// clang-format on

}  // namespace

std::span<const StapRow> stap_rows() { return rows; }

}  // namespace stp::cli
