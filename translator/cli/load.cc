// stp load: what stp-load does, under the name that people who have stp look for. The words are
// handed on as they are; stp-load knows its own options.

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

}  // namespace

int load_command(const Words& words) {
  std::filesystem::path loader = loader_program();
  if (loader.empty()) {
    fmt::print(stderr, "stp load: stp-load is not beside this program; `make` builds it\n");
    return status_failed;
  }
  std::string reason = asks_for_help(words) ? "" : why_not_loadable();
  if (reason.empty()) return exec_program(loader, words);
  fmt::print(stderr, "stp load: the running kernel, {}, cannot load modules: {}\n",
             running_release(), reason);
  return status_failed;
}

}  // namespace stp::cli
