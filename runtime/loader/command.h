// The command of -c: made ready before the probes start, let go once they are armed.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace stp::load {

class Command {
 public:
  // Forks; the child waits. Throws std::system_error.
  // Without input: its standard input is empty.
  Command(const std::string& shell_text, bool with_input);
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  pid_t pid() const { return pid_; }
  void let_go();
  // Readable when the command has ended; for poll().
  int fd() const { return pidfd_; }
  // The status of waitpid() once it has ended.
  std::optional<int> ended();
  // The session is over before it: SIGTERM, as a terminal that closes would.
  void terminate();

 private:
  pid_t pid_;
  int gate_;  // the child starts when something is written here, dies when it closes
  int pidfd_;
  std::optional<int> status_;
};

}  // namespace stp::load
