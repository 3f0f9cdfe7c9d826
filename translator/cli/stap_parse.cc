// A command line of stap to options.
//
// getopt_long(3) gives what stap(1) promises: `-p1`, `-vp4`, options on both sides of the script
// and "--". CLI11, which reads this program's own command lines, has no letters with attached
// values in one word.
//
// The kernel hands the rest of a `#!` line over as one word, so "#!/usr/bin/stap -g -w" arrives as
// the option "-g -w". It is taken apart when it is the first word, the second is a file, and that
// file's first line ends with the very word: nothing else looks like it.
#include <fmt/format.h>
#include <getopt.h>
#include <wordexp.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/stap_options.h"

namespace stp::cli {
namespace {

namespace fs = std::filesystem;
using Argument = StapRow::Argument;
using Mode = StapOptions::Mode;

std::string spelling(const StapRow& row) {
  return row.letter ? fmt::format("-{}", row.letter) : fmt::format("--{}", row.name);
}

Words split(const std::string& text) {
  std::istringstream in(text);
  Words words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

// The words of a `#!` line one by one.
Words without_shebang_word(Words words) {
  if (words.size() < 2 || !words[0].starts_with("-") || words[0].find(' ') == std::string::npos)
    return words;
  std::string line;
  std::ifstream script(words[1]);
  if (!std::getline(script, line) || !line.starts_with("#!") || !line.ends_with(words[0]))
    return words;
  Words apart = split(words[0]);
  apart.insert(apart.end(), words.begin() + 1, words.end());
  return apart;
}

// $SYSTEMTAP_DIR/rc: words as a shell would read them, but without commands; # begins a comment.
Words words_of_rc() {
  const char* dir = getenv("SYSTEMTAP_DIR");
  const char* home = getenv("HOME");
  fs::path folder = dir ? dir : home ? fs::path(home) / ".systemtap" : fs::path{};
  Words words;
  if (folder.empty()) return words;
  std::ifstream rc(folder / "rc");
  for (std::string line; std::getline(rc, line);) {
    if (line.starts_with("#")) continue;
    wordexp_t parts;
    if (wordexp(line.c_str(), &parts, WRDE_NOCMD) != 0) continue;
    words.insert(words.end(), parts.we_wordv, parts.we_wordv + parts.we_wordc);
    wordfree(&parts);
  }
  return words;
}

// What getopt_long() wants to know, made from the table. An option's value is its row + 256.
struct Grammar {
  std::string letters = ":";  // a missing argument is told apart
  std::vector<option> names;

  Grammar() {
    auto rows = stap_rows();
    for (size_t i = 0; i < rows.size(); ++i) {
      int kind = static_cast<int>(rows[i].argument);  // none, required, optional as getopt counts
      if (rows[i].letter) letters += rows[i].letter;
      if (rows[i].letter && rows[i].argument == Argument::required) letters += ':';
      if (rows[i].name) names.push_back({rows[i].name, kind, nullptr, static_cast<int>(i) + 256});
    }
    names.push_back({nullptr, 0, nullptr, 0});
  }
};

const StapRow& row_of(int value) {
  auto rows = stap_rows();
  if (value >= 256) return rows[static_cast<size_t>(value - 256)];
  return *std::find_if(rows.begin(), rows.end(),
                       [&](const StapRow& r) { return r.letter && r.letter == value; });
}

// What getopt_long() did not know: a letter (optopt), a long name in `word` (optopt is 0), or a long
// name that is known and got a value.
std::string unknown(const std::string& word) {
  if (optopt >= 256) return fmt::format("--{} takes no value", row_of(optopt).name);
  if (optopt) return fmt::format("there is no option -{}", char(optopt));
  std::string name = word.substr(0, word.find('='));
  Words names;
  for (const auto& row : stap_rows())
    if (row.name) names.push_back("--" + std::string(row.name));
  auto near = nearest(name, names);
  return fmt::format("there is no option {}{}", name,
                     near.empty() ? "" : fmt::format("; did you mean {}?", near.front()));
}

// What is wrong, or nothing. The words that are no options go to `rest`.
std::string take_options(const Words& words, StapOptions& o, Words& rest) {
  static const Grammar grammar;
  std::vector<char*> argv = {const_cast<char*>("stap")};
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  int argc = static_cast<int>(argv.size()) - 1;
  optind = 0;
  opterr = 0;
  for (int value; (value = getopt_long(argc, argv.data(), grammar.letters.c_str(),
                                       grammar.names.data(), nullptr)) != -1;) {
    if (value == '?') return unknown(argv[static_cast<size_t>(optind - 1)]);
    if (value == ':') return fmt::format("{} needs a value", spelling(row_of(optopt)));
    const StapRow& row = row_of(value);
    if (row.effect == StapRow::Effect::refused)
      return fmt::format("{} is not possible: {}", spelling(row), row.text);
    if (row.effect == StapRow::Effect::none) continue;
    std::string text = optarg ? optarg : "";
    if (std::string wrong = row.set(o, text); !wrong.empty())
      return optarg ? fmt::format("{} {}: {}", spelling(row), text, wrong)
                    : fmt::format("{}: {}", spelling(row), wrong);
  }
  rest.assign(argv.begin() + optind, argv.begin() + argc);
  return {};
}

std::string in_time(const std::string& format) {
  if (format.find('%') == format.npos) return format;
  char text[4096];
  time_t now = time(nullptr);
  size_t length = strftime(text, sizeof text, format.c_str(), localtime(&now));
  return length ? std::string(text, length) : format;
}

// SystemTap passes over -I of a folder that is not there; here it is at least said.
void drop_missing_folders(ScriptOptions& script) {
  std::erase_if(script.library, [&](const std::string& folder) {
    bool missing = !std::filesystem::is_directory(folder);
    if (missing && !script.no_warnings)
      fmt::print(stderr, "WARNING: -I {}: there is no such folder\n", folder);
    return missing;
  });
}

// What the options say together.
std::string settle(StapOptions& o, Words rest) {
  auto& run = o.launch.run;
  if (o.mode == Mode::script && !o.script.has_text) {
    if (rest.empty()) return "a script is needed: FILE, - or -e SCRIPT";
    o.script.file = rest.front();
    rest.erase(rest.begin());
  }
  o.script.args = std::move(rest);
  if (o.mode != Mode::script && o.script.has_text) return "a list takes no script (-e)";
  drop_missing_folders(o.script);
  if (!run.command.empty() && !run.target.empty()) return "-c and -x exclude each other";
  bool runs = o.mode == Mode::script && o.last_pass == stap_passes;
  if (std::string wrong = contradiction(o.launch); runs && !wrong.empty()) return wrong;
  if (o.no_time_limits && !o.script.guru) return "--suppress-time-limits needs guru mode (-g)";
  if (o.no_time_limits)
    for (const char* limit : {"MAXACTION", "MAXACTION_INTERRUPTIBLE", "MAXTRYLOCK"})
      o.script.limits.push_back(fmt::format("{}=4294967295", limit));
  run.output = in_time(run.output);
  o.every_address = o.tells(2);
  o.launch.verbose = o.verbosity[stap_passes - 1] > 1;
  o.script.keep = !o.use_cache;
  const char* release = getenv("SYSTEMTAP_RELEASE");
  if (o.script.kernel.empty() && release) o.script.kernel = release;
  return {};
}

}  // namespace

std::optional<StapOptions> parse_stap_line(const Words& given, int& status) {
  Words words = words_of_rc(), line = without_shebang_word(given), rest;
  words.insert(words.end(), line.begin(), line.end());
  StapOptions o;
  o.launch.command = "stap";
  std::string wrong = take_options(words, o, rest);
  if (wrong.empty()) wrong = settle(o, std::move(rest));
  status = wrong.empty() ? status_good : status_failed;
  if (!wrong.empty()) {
    fmt::print(stderr, "stap: {}\n`stap --help` lists the options\n", wrong);
    return std::nullopt;
  }
  Diagnostics d;
  check_assignments(o.script, d);
  Reporter().print(d);
  if (!d.failed()) return o;
  status = status_failed;
  return std::nullopt;
}

}  // namespace stp::cli
