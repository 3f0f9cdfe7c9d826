// Sessions that run in this kernel, with a reader or without: what their files in debugfs tell.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "module_file.h"

namespace stp::load {

// The file `state` of a session: its keys and values (include/stp/abi.h).
class SessionState {
 public:
  // `directory` is the session's. Nothing when it is not there (any more).
  static std::optional<SessionState> read(const std::string& directory);
  std::string text(const std::string& key) const;
  uint64_t number(const std::string& key) const;

 private:
  std::map<std::string, std::string> values_;
};

// Names of all sessions, sorted. Throws std::runtime_error when debugfs cannot be read.
std::vector<std::string> session_names();

// Whether a session of that name has a reader.
bool is_read(const std::string& name);

// The table of `stp-load sessions`.
std::string describe_sessions();

// The session to attach to, from what is loaded: `name`, or the only one that has no reader. Throws
// std::runtime_error with a text that says what there is.
ModuleFile loaded_module(const std::string& name);

}  // namespace stp::load
