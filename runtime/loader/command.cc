#include "command.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace stp::load {
namespace {

[[noreturn]] void become(const std::string& shell_text, bool with_input, int gate) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  char go = 0;
  if (read(gate, &go, 1) != 1) _exit(127);
  close(gate);
  int nothing = with_input ? -1 : open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing >= 0) dup2(nothing, STDIN_FILENO);
  execl("/bin/sh", "sh", "-c", shell_text.c_str(), nullptr);
  _exit(127);
}

}  // namespace

Command::Command(const std::string& shell_text, bool with_input) {
  int gate[2];
  if (pipe2(gate, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  pid_ = fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) {
    close(gate[1]);
    become(shell_text, with_input, gate[0]);
  }
  close(gate[0]);
  gate_ = gate[1];
  pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
}

Command::~Command() {
  if (gate_ >= 0) close(gate_);
  if (pidfd_ >= 0) close(pidfd_);
}

void Command::let_go() {
  if (gate_ < 0) return;
  char go = 1;
  // The child can only be gone if somebody killed it; then ended() tells.
  [[maybe_unused]] ssize_t written = write(gate_, &go, 1);
  close(gate_);
  gate_ = -1;
}

std::optional<int> Command::ended() {
  int status = 0;
  if (!status_ && waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  return status_;
}

void Command::terminate() {
  if (!ended()) kill(pid_, SIGTERM);
}

}  // namespace stp::load
