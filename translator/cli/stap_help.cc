// `stap --help`, from the table of the options.
#include <fmt/format.h>

#include "cli/stap_options.h"

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

std::string stap_help() {
  return "stp under the name stap: trace the kernel, with the command line of SystemTap.\n\n"
         "Usage: stap [options] FILE [args...]\n"
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
