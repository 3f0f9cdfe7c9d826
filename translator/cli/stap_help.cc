// `stap --version`, and `stap --help` from the table of the options.
#include <elfutils/libdwfl.h>
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/stap_options.h"
#include "syntax/parser.h"

namespace stp::cli {
namespace {

constexpr size_t text_column = 28;

std::string form(const StapRow& row) {
  std::string text = row.letter ? fmt::format("-{}", row.letter) : "";
  if (row.name) text += fmt::format("{}--{}", row.letter ? ", " : "", row.name);
  if (!row.argument_name) return text;
  bool attached = row.argument == StapRow::Argument::optional;
  return text + (attached  ? fmt::format("[={}]", row.argument_name)
                 : row.name ? fmt::format("={}", row.argument_name)
                            : fmt::format(" {}", row.argument_name));
}

std::string lines_of(StapRow::Effect effect) {
  std::string text;
  for (const auto& row : stap_rows())
    if (row.effect == effect)
      text += fmt::format("  {:<{}} {}\n", form(row), text_column - 3, row.text);
  return text;
}

}  // namespace

// Programs look for "version NUMBER/" and for names of features; both lines have SystemTap's form. Its
// number is that of the language, so that what they conclude from it is true.
std::string stap_version() {
  return fmt::format(
      "Systemtap translator/driver (version {}/{}, stp {})\n"
      "stp: an implementation of SystemTap's language of its own, with SystemTap's command line.\n"
      "This is free software (GPL-2.0); see the file LICENSE.\n"
      "tested kernel versions: 6.1 ... 6.12\n"
      "enabled features: DEBUGINFOD BTF\n",
      PreprocessorContext{}.stap_version, dwfl_version(nullptr), version);
}

std::string stap_help() {
  return stap_version() +
         "\nUsage: stap [options] FILE [args...]\n"
         "       stap [options] - [args...]            the script is on standard input\n"
         "       stap [options] -e SCRIPT [args...]\n"
         "       stap [options] -l PROBE | -L PROBE\n"
         "       stap --dump-probe-types | --dump-probe-aliases | --dump-functions\n\n"
         "Options may stand before and behind the script; behind -- all words are its arguments.\n"
         "Those in $SYSTEMTAP_DIR/rc (~/.systemtap/rc) come first.\n\n" +
         lines_of(StapRow::Effect::done) + "\nAccepted, and true without it:\n" +
         lines_of(StapRow::Effect::none) + "\nRefused:\n" + lines_of(StapRow::Effect::refused) +
         "\nLimits (-D), with their defaults:\n" + limits_help() +
         "\nExit status: 0 when the passes that were asked for went well, else 1; with -l and -L, 0\n"
         "when there is such a point. `stp --help` shows this program's own command line.\n";
}

}  // namespace stp::cli
