// Command lines, and what they say turned into the options of the passes.
//
// Each subcommand has an App of its own instead of being a CLI11 subcommand of one big App: then
// the rule that a script's arguments belong to the script needs no exceptions. CLI11's
// prefix_command() does the rest: the first word that is neither an option nor an option's value
// ends the options.
//
// -D has a table with one row per limit. A name that is not in it is an error and not, as with a
// C compiler, ignored: MAXACTOIN=5000 that does nothing costs an afternoon.

#include "cli/options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <limits>
#include <optional>

namespace stp::cli {
namespace {

using prog::Limits;

struct LimitRow {
  const char* name;
  const char* initial;  // for people
  const char* meaning;
  uint32_t least, most;
  void (*set)(Limits&, uint32_t);
};

// A check whose rule the text of the option gives already.
CLI::Validator unsaid(CLI::Validator check) { return check.description(""); }

// Of what is handed on as text.
template <typename Number>
std::string not_above_0(const std::string& text) {
  Number number = 0;
  auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  bool good = read.ec == std::errc{} && read.ptr == text.data() + text.size() && number > 0 &&
              number <= std::numeric_limits<Number>::max();
  return good ? "" : text + ": a number above 0 was expected";
}

constexpr uint32_t any = 0xffffffff;

// The ranges keep what the runtime reserves in advance within what a kernel can give; the defaults
// are those of prog::Limits.
constexpr LimitRow limit_rows[] = {
    {"MAXACTION", "1000", "statements one hit may run with interrupts off", 1, any,
     [](Limits& l, uint32_t v) { l.actions = v; }},
    {"MAXACTION_INTERRUPTIBLE", "10 * MAXACTION", "the same, in begin, end and error probes", 1,
     any, [](Limits& l, uint32_t v) { l.actions_interruptible = v; }},
    {"MAXNESTING", "by the script", "nested calls of functions; + 10 with recursion", 1, 1000,
     [](Limits& l, uint32_t v) { l.nesting = v; }},
    {"MAXSTRINGLEN", "512", "bytes of a string, its end included", 16, 65536,
     [](Limits& l, uint32_t v) { l.string_size = v; }},
    {"MAXMAPENTRIES", "2048, and it grows", "elements of an array that declares no size", 1, 1u << 24,
     [](Limits& l, uint32_t v) { l.map_entries = v; }},
    {"MAXMAPMEMORY", "an eighth of all", "megabytes that arrays may grow to, together", 1, 1u << 24,
     [](Limits& l, uint32_t v) { l.map_megabytes = v; }},
    {"MAXTRYLOCK", "1000", "tries to lock a global before a hit is skipped", 0, any,
     [](Limits& l, uint32_t v) { l.trylock = v; }},
    {"TRYLOCKDELAY", "10", "microseconds between two tries", 0, 1000,
     [](Limits& l, uint32_t v) { l.trylock_delay_us = v; }},
    {"MAXERRORS", "0", "script errors that do not end the run yet", 0, any,
     [](Limits& l, uint32_t v) { l.max_errors = v; }},
    {"MAXSKIPPED", "100", "skipped hits that do not end the run yet", 0, any,
     [](Limits& l, uint32_t v) { l.max_skipped = v; }},
    {"KRETACTIVE", "by the kernel", "concurrent calls of a function with a return probe", 1, 65536,
     [](Limits& l, uint32_t v) { l.return_slots = v; }},
    {"STP_PROCFS_BUFSIZE", "MAXSTRINGLEN - 1", "bytes that a procfs read probe without .maxsize gives", 1,
     1u << 24, [](Limits& l, uint32_t v) { l.procfs_size = v; }},
};

// The relay buffer of one CPU is a power of two.
constexpr unsigned most_buffer_mb = 1024;

// MODULE_NAME_LEN of the kernel: 64 minus the size of a pointer.
constexpr size_t longest_module_name = 56;

struct Assignment {
  std::string name, value;
};

std::optional<Assignment> split(const std::string& text, const char* option, Diagnostics& d) {
  size_t equals = text.find('=');
  if (equals != text.npos && equals > 0)
    return Assignment{text.substr(0, equals), text.substr(equals + 1)};
  d.error(Code::bad_option, {}, fmt::format("{} {}: NAME=VALUE was expected", option, text));
  return std::nullopt;
}

void set_limit(const Assignment& a, Limits& limits, Diagnostics& d) {
  auto row = std::find_if(std::begin(limit_rows), std::end(limit_rows),
                          [&](const LimitRow& r) { return a.name == r.name; });
  if (row == std::end(limit_rows)) {
    std::vector<std::string> names;
    for (const auto& r : limit_rows) names.push_back(r.name);
    auto& error =
        d.error(Code::bad_option, {}, fmt::format("-D {}: there is no such limit", a.name));
    for (const auto& name : nearest(a.name, names))
      error.note(fmt::format("did you mean '{}'?", name));
    error.note("`stp help run` lists the limits");
    return;
  }
  uint64_t value = 0;
  const char* end = a.value.data() + a.value.size();
  auto read = std::from_chars(a.value.data(), end, value);
  if (read.ec != std::errc{} || read.ptr != end || value < row->least || value > row->most) {
    d.error(Code::bad_option, {},
            fmt::format("-D {}={}: a number from {} to {} was expected", a.name, a.value,
                        row->least, row->most));
    return;
  }
  row->set(limits, static_cast<uint32_t>(value));
}

const std::map<std::string, DebuginfoChoice> debuginfo_names = {
    {"auto", DebuginfoChoice::automatic},
    {"dwarf", DebuginfoChoice::dwarf},
    {"btf", DebuginfoChoice::btf},
    {"none", DebuginfoChoice::none},
};

// "-unknown" among the words that CLI11 left over. A negative number is an argument.
bool is_option(const std::string& word) {
  return word.size() > 1 && word[0] == '-' && !isdigit(static_cast<unsigned char>(word[1]));
}

std::string unknown_option(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    for (const auto& name : option->get_snames()) names.push_back("-" + name);
  }
  auto near = nearest(word.substr(0, word.find('=')), names);
  return fmt::format("there is no option {}{}", word,
                     near.empty() ? "" : fmt::format("; did you mean {}?", near.front()));
}

std::string all_of(std::istream& in) {
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Text has no NUL; an ELF file or a module given by mistake has many, and does not start as text does.
const SourceFile* add_text(std::string name, std::string text, SourceFile::Role role,
                           SourceMap& map, Diagnostics& d) {
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    d.error(Code::bad_option, {}, fmt::format("{} is UTF-16 text; scripts are UTF-8", name));
    return nullptr;
  }
  if (const size_t nul = text.find('\0'); nul != text.npos) {
    const auto before = std::string_view(text).substr(0, nul);
    const bool starts_as_text = std::none_of(before.begin(), before.end(), [](unsigned char c) {
      return std::iscntrl(c) && !std::isspace(c);
    });
    if (nul > 0 && starts_as_text) {
      const auto at = static_cast<uint32_t>(nul);
      const SourceFile& file = map.add(std::move(name), std::move(text), role);
      d.error(Code::bad_character, {&file, at, at + 1}, "a byte of value 0 has no place in a script");
      return nullptr;
    }
    d.error(Code::bad_option, {}, fmt::format("{} is not a script: it is a binary file", name));
    return nullptr;
  }
  return &map.add(std::move(name), std::move(text), role);
}

class Form : public CLI::Formatter {
 public:
  explicit Form(std::string usage) : usage_(std::move(usage)) { column_width(30); }
  std::string make_usage(const CLI::App*, std::string) const override {
    return "\nUsage: " + usage_ + "\n\n";
  }

 private:
  std::string usage_;
};

}  // namespace

void set_usage(CLI::App& app, std::string lines) {
  app.formatter(std::make_shared<Form>(std::move(lines)));
}

void add_kernel_option(CLI::App& app, std::string& kernel) {
  app.add_option("-r,--kernel", kernel,
                 "the kernel: a release, the beginning of one (6.12), or its build directory")
      ->type_name("KERNEL");
}

void add_debuginfo_option(CLI::App& app, ScriptOptions& o) {
  app.add_option("--sysroot", o.sysroot,
                 "the folder that holds the files of the machine that is traced: kernel, programs,\n"
                 "debuginfo")
      ->type_name("DIR");
  app.add_option_function<std::string>(
         "--debuginfo", [&o](const std::string& name) { o.debuginfo = debuginfo_names.at(name); },
         "where types come from: auto (the best that is there), dwarf, btf,\n"
         "or none (symbols alone)")
      ->type_name("KIND")
      ->check(unsaid(CLI::IsMember(debuginfo_names)));
}

void add_resolve_options(CLI::App& app, ScriptOptions& o) {
  add_kernel_option(app, o.kernel);
  add_debuginfo_option(app, o);
  app.add_option("-I", o.library, "look for tapset files in this folder as well")
      ->type_name("DIR")
      ->allow_extra_args(false);
  app.add_flag("-g,--guru", o.guru, "guru mode: embedded C and writes to the kernel are allowed");
  app.add_flag("-w,--no-warnings", o.no_warnings, "print no warnings");
  app.add_flag("-v,--verbose", o.verbose, "say what each pass did and how long it took");
}

void add_build_options(CLI::App& app, ScriptOptions& o) {
  app.add_option("-G", o.globals, "give a global variable another initial value")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_option("-D", o.limits, "change a limit (below)")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_option("-d", o.modules,
                 "tell lines and inlined functions of this module too, as of those that are probed")
      ->type_name("MODULE")
      ->allow_extra_args(false);
  app.add_option("-s", o.buffer_mb, "buffer of each CPU, 1 to 1024 megabytes")
      ->type_name("MB")
      ->check(unsaid(CLI::Range(1u, most_buffer_mb)));
  app.add_flag("-t,--timing", o.timing,
               "measure what handlers take; the end shows it with every point's hits");
  app.add_option("-m", o.module_name, "name of the module")->type_name("NAME");
  app.add_flag_callback(
      "--no-global-var-display", [&o] { o.display_globals = false; },
      "do not show at the end what globals hold that are written and never read");
  app.add_flag("-k,--keep", o.keep, "keep the folder that the module was built in");
  app.add_flag("--plain-kbuild", o.plain_kbuild,
               "build with the kernel's own make alone, which is slower");
}

void add_run_options(CLI::App& app, RunOptions& o) {
  app.add_option("-c", o.command, "run this shell command, and stop when it ends")
      ->type_name("CMD");
  app.add_option("-x", o.target, "process id that target() gives to the script")
      ->type_name("PID")
      ->check(CLI::Validator(not_above_0<int32_t>, ""));
  app.add_option("-o", o.output, "write the script's output to FILE")->type_name("FILE");
  app.add_option("-S", o.rotate, "with -o: FILE.0, FILE.1 and so on of MB megabytes, the last N stay")
      ->type_name("MB[,N]");
  app.add_option("-M,--monitor", o.monitor,
                 "show every so many seconds what the session does: on a terminal a screen with keys,\n"
                 "otherwise tables; with -t also what probes cost")
      ->type_name("SECONDS")
      ->check(CLI::Validator(not_above_0<double>, ""));
  app.add_flag("-b,--bulk", o.bulk,
               "write what each CPU printed to a file of its own, FILE_cpuN (stpd_cpuN without -o),\n"
               "for `stp merge`");
  app.add_flag("-F,--detach", o.detach,
               "leave it running: it records in the kernel, the newest over the oldest, for\n"
               "`stp attach`; with -o it is read in the background");
  app.add_option("-T", o.timeout, "stop after so many seconds")
      ->type_name("SECONDS")
      ->check(CLI::Validator(not_above_0<double>, ""));
}

bool parse(CLI::App& app, const std::vector<std::string>& args, int& status) {
  try {
    app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
    return true;
  } catch (const CLI::Success& asked) {  // --help
    status = app.exit(asked);
  } catch (const CLI::ParseError& wrong) {
    status = usage_error(app, wrong.what());
  }
  return false;
}

bool parse_script_line(CLI::App& app, ScriptOptions& o, const std::vector<std::string>& words,
                       int& status) {
  auto* text = app.add_option("-e", o.text, "the script itself")->type_name("TEXT");
  app.allow_extras();
  auto end = std::find(words.begin(), words.end(), "--");
  if (!parse(app, {words.begin(), end}, status)) return false;
  o.has_text = text->count() > 0;
  std::vector<std::string> rest = app.remaining();
  for (const auto& word : rest)
    if (is_option(word)) {
      status = usage_error(app, unknown_option(app, word));
      return false;
    }
  if (end != words.end()) rest.insert(rest.end(), end + 1, words.end());
  if (!o.has_text) {
    if (rest.empty()) {
      status = usage_error(app, "a script is needed: FILE, - or -e TEXT");
      return false;
    }
    o.file = rest.front();
    rest.erase(rest.begin());
  }
  o.args = std::move(rest);
  return true;
}

void apply_limits(const std::vector<std::string>& assignments, unsigned buffer_mb, Limits& limits,
                  Diagnostics& d) {
  for (const auto& text : assignments)
    if (auto a = split(text, "-D", d)) set_limit(*a, limits, d);
  if (buffer_mb == 0) return;
  uint32_t bytes = 1u << 20;
  while (bytes < buffer_mb << 20) bytes <<= 1;
  limits.buffer_bytes = bytes;
}

bool is_limit(const std::string& name) {
  return std::any_of(std::begin(limit_rows), std::end(limit_rows),
                     [&](const LimitRow& row) { return name == row.name; });
}

void check_assignments(const ScriptOptions& o, Diagnostics& d) {
  Limits limits;
  apply_limits(o.limits, o.buffer_mb, limits, d);
  globals_of(o.globals, d);
  bool good = o.module_name.size() < longest_module_name &&
              std::all_of(o.module_name.begin(), o.module_name.end(),
                          [](unsigned char c) { return isalnum(c) || c == '_'; });
  if (!good)
    d.error(Code::bad_option, {},
            fmt::format("-m {}: up to {} letters, digits and underscores were expected",
                        o.module_name, longest_module_name - 1));
}

std::string limits_help() {
  std::string text;
  for (const auto& row : limit_rows)
    text += fmt::format("  {:<24}{:<20}{}\n", row.name, row.initial, row.meaning);
  return text;
}

std::map<std::string, std::string> globals_of(const std::vector<std::string>& assignments,
                                              Diagnostics& d) {
  std::map<std::string, std::string> globals;
  for (const auto& text : assignments)
    if (auto a = split(text, "-G", d)) globals[a->name] = a->value;
  return globals;
}

const SourceFile* read_text_file(const std::string& path, SourceFile::Role role, SourceMap& map,
                                 Diagnostics& d) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    d.error(Code::bad_option, {}, fmt::format("{} is a directory, not a script", path));
    return nullptr;
  }
  std::ifstream in(path, std::ios::binary);
  std::string text;
  if (in) text = all_of(in);
  if (!in) {
    d.error(Code::bad_option, {}, fmt::format("cannot read {}: {}", path, strerror(errno)));
    return nullptr;
  }
  return add_text(path, std::move(text), role, map, d);
}

const SourceFile* read_script(const ScriptOptions& o, SourceMap& map, Diagnostics& d) {
  using Role = SourceFile::Role;
  if (o.has_text) return add_text("<input>", o.text, Role::user, map, d);
  if (o.file == "-") return add_text("<stdin>", all_of(std::cin), Role::user, map, d);
  return read_text_file(o.file, Role::user, map, d);
}

bool Reporter::hides(const Diagnostic& one) const {
  if (one.severity != Diagnostic::Severity::warning) return false;
  return style_.no_warnings || (style_.no_unused && one.code == Code::unused);
}

void Reporter::print(const Diagnostics& d) {
  bool color = style_.color == Color::automatic ? isatty(STDERR_FILENO) && !getenv("NO_COLOR")
                                                : style_.color == Color::always;
  for (; printed_ < d.all().size(); ++printed_) {
    const Diagnostic& one = d.all()[printed_];
    if (hides(one)) continue;
    std::string text = render(one, color);
    if (!text.ends_with('\n')) text += '\n';
    fmt::print(stderr, "{}", text);
  }
}

int usage_error(const CLI::App& app, const std::string& text) {
  fmt::print(stderr, "{}: {}\n`{} --help` lists the options\n", app.get_name(), text,
             app.get_name());
  return status_usage;
}

}  // namespace stp::cli
