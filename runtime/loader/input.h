// The standard input, for scripts that read it.
#pragma once

#include <termios.h>

#include <optional>
#include <string>

namespace stp::load {

class Input {
 public:
  // With `characters` a terminal hands over each as it is typed, and does not show it, until this
  // object goes.
  explicit Input(bool characters);
  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  // For poll(): -1 when it has ended, or while the terminal is somebody else's.
  int fd() const;
  bool is_ready() const;
  // Some of it, an empty text at its end; nothing when there is none after all.
  std::optional<std::string> read();

 private:
  bool is_ours() const;
  bool ended_ = false;
  bool changed_ = false;  // the terminal
  termios before_{};
};

}  // namespace stp::load
