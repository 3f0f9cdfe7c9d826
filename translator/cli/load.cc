// stp load, attach, sessions, unload: what stp-load does, under the names that people who have stp
// look for. The words are handed on as they are; stp-load knows its own options.

#include <fmt/format.h>

#include "build/home.h"
#include "cli/command.h"
#include "cli/install.h"
#include "cli/loadable.h"
#include "cli/options.h"

namespace stp::cli {
namespace {

bool asks_for_help(const Words& words) {
  for (const auto& word : words)
    if (word == "--help" || word == "-h") return true;
  return words.empty();
}

int hand_over(const std::string& name, const Words& words) {
  std::filesystem::path loader = loader_program();
  if (loader.empty()) {
    fmt::print(stderr, "stp {}: stp-load is not beside this program; `make` builds it\n", name);
    return status_failed;
  }
  std::string reason = asks_for_help(words) ? "" : why_not_loadable();
  if (reason.empty()) return exec_program(loader, words);
  fmt::print(stderr, "stp {}: {}\n", name, cannot_load(reason));
  return status_failed;
}

// stp-load's command of that name.
int hand_over_command(const std::string& name, Words words) {
  words.insert(words.begin(), name);
  return hand_over(name, words);
}

}  // namespace

int load_command(const Words& words) { return hand_over("load", words); }
int attach_command(const Words& words) { return hand_over_command("attach", words); }
int sessions_command(const Words& words) { return hand_over_command("sessions", words); }
int unload_command(const Words& words) { return hand_over_command("unload", words); }

// Looks at files alone: any machine will do.
int merge_command(const Words& words) {
  std::filesystem::path loader = loader_program();
  Words line = words;
  line.insert(line.begin(), "merge");
  if (!loader.empty()) return exec_program(loader, line);
  return hand_over("merge", line);
}

}  // namespace stp::cli
