// A session is a folder in debugfs. Everything that a reader needs is in it: one that attaches needs
// no module file, which may be gone.
#include "recorder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "kernel_module.h"

namespace stp::load {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// The one session that somebody can attach to.
std::string only_recorder() {
  std::vector<std::string> free;
  for (const auto& name : session_names()) {
    auto state = SessionState::read(sessions_directory() + "/" + name);
    if (state && state->number("recorder") && !state->number("attached")) free.push_back(name);
  }
  if (free.size() == 1) return free.front();
  throw std::runtime_error(free.empty() ? "there is no detached session to attach to"
                                        : fmt::format("which one? {}", join(free)));
}

}  // namespace

std::optional<SessionState> SessionState::read(const std::string& directory) {
  std::istringstream in(read_file(directory + "/state"));
  SessionState state;
  for (std::string line; std::getline(in, line);) {
    size_t space = line.find(' ');
    if (space != line.npos) state.values_[line.substr(0, space)] = line.substr(space + 1);
  }
  if (state.values_.empty()) return std::nullopt;
  return state;
}

std::string SessionState::text(const std::string& key) const {
  auto found = values_.find(key);
  return found == values_.end() ? "" : found->second;
}

uint64_t SessionState::number(const std::string& key) const {
  return std::strtoull(text(key).c_str(), nullptr, 10);
}

std::vector<std::string> session_names() {
  std::vector<std::string> names;
  std::string all = sessions_directory();
  if (access(all.c_str(), F_OK) != 0 && errno == ENOENT) return names;  // none since the boot
  std::error_code failed;
  for (std::filesystem::directory_iterator it(all, failed), end; !failed && it != end;
       it.increment(failed))
    names.push_back(it->path().filename());
  if (failed) throw std::runtime_error(fmt::format("{}: {}", all, failed.message()));
  std::sort(names.begin(), names.end());
  return names;
}

bool is_read(const std::string& name) {
  auto state = SessionState::read(sessions_directory() + "/" + name);
  return state && state->number("attached");
}

std::string describe_sessions() {
  std::string text;
  for (const auto& name : session_names()) {
    auto state = SessionState::read(sessions_directory() + "/" + name);
    if (!state) continue;  // it ended just now
    if (text.empty())
      text = fmt::format("{:<24} {:<9} {:<9} {:>8} {:>7} {:>11} {:>11}  {}\n", "NAME", "STATE",
                         "READER", "SECONDS", "PROBES", "WAITING", "OVERWRITTEN", "SCRIPT");
    text += fmt::format("{:<24} {:<9} {:<9} {:>8} {:>7} {:>11} {:>11}  {}\n", name,
                        state->text("state"), state->number("attached") ? "attached" : "none",
                        state->number("nanoseconds") / 1'000'000'000, state->text("armed"),
                        state->text("waiting"), state->text("overwritten"), state->text("script"));
  }
  return text.empty() ? "no session runs\n" : text;
}

ModuleFile loaded_module(const std::string& wanted) {
  ModuleFile module;
  module.name = wanted.empty() ? only_recorder() : wanted;
  std::string directory = sessions_directory() + "/" + module.name;
  auto state = module.name.find('/') == wanted.npos ? SessionState::read(directory) : std::nullopt;
  if (!state)
    throw std::runtime_error(fmt::format("there is no session {}{}", module.name,
                                         session_names().empty()
                                             ? "; none runs"
                                             : "; there are: " + join(session_names())));
  if (state->number("attached"))
    throw std::runtime_error(fmt::format("{} has a reader already", module.name));
  if (!state->number("recorder"))
    throw std::runtime_error(fmt::format("{} is not detached: it is being removed", module.name));
  module.formats = read_formats(read_file(directory + "/formats"));
  module.info["script"] = state->text("script");
  return module;
}

}  // namespace stp::load
