#include "input.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

namespace stp::load {
namespace {

// A process of the background that changes the terminal is stopped, unless it does not mind the signal.
void set_terminal(const termios& how) {
  sigset_t set, before;
  sigemptyset(&set);
  sigaddset(&set, SIGTTOU);
  sigprocmask(SIG_BLOCK, &set, &before);
  tcsetattr(STDIN_FILENO, TCSANOW, &how);
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

Input::Input(bool characters) {
  if (!characters || !is_ours() || tcgetattr(STDIN_FILENO, &before_) != 0) return;
  termios now = before_;
  now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  now.c_cc[VMIN] = 1;
  now.c_cc[VTIME] = 0;
  set_terminal(now);
  changed_ = true;
}

Input::~Input() {
  if (changed_) set_terminal(before_);
}

// Who reads from a terminal in the background is stopped.
bool Input::is_ours() const {
  pid_t foreground = tcgetpgrp(STDIN_FILENO);
  return foreground < 0 || foreground == getpgrp();
}

int Input::fd() const { return !ended_ && is_ours() ? STDIN_FILENO : -1; }

bool Input::is_ready() const {
  pollfd ready{fd(), POLLIN, 0};
  return ready.fd >= 0 && poll(&ready, 1, 0) > 0;
}

std::optional<std::string> Input::read() {
  // What handlers print of it must fit the smallest ring.
  char some[512];
  ssize_t length = ::read(STDIN_FILENO, some, sizeof some);
  if (length < 0 && (errno == EINTR || errno == EAGAIN)) return std::nullopt;
  ended_ = length <= 0;
  return std::string(some, ended_ ? 0 : static_cast<size_t>(length));
}

}  // namespace stp::load
