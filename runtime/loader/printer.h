// Records to text: the script's output and its messages.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backlog.h"
#include "module_file.h"
#include "rings.h"
#include "rotation.h"
#include "stp/format.h"

namespace stp::load {

// Collects text for one file descriptor. Whole, or an error: a partial write is continued.
class Output {
 public:
  // With a rotation, `fd` is its.
  explicit Output(int fd, Rotation* rotation = nullptr) : fd_(fd), rotation_(rotation) {}
  void append(std::string_view text) { buffer_.append(text); }
  // Room to format into: makes the buffer `size` longer and returns its start.
  std::string& buffer() { return buffer_; }
  // Writes what was collected. Returns 0 or errno (ENOSPC, EPIPE ...); what could not be written
  // is kept.
  int flush();
  // From here on text that a pipe has no room for waits in memory, and flush() tells of errors later.
  // For how long, `patience` says.
  void keep_waiting(Backlog::Patience patience) {
    backlog_ = std::make_unique<Backlog>(fd_, Backlog::fair_limit(), std::move(patience));
  }
  // Waits until all of it is written. As flush().
  int drain() { return backlog_ ? backlog_->drain() : 0; }
  // Bytes that wait.
  size_t left() const { return backlog_ ? backlog_->left() : 0; }

 private:
  std::unique_ptr<Backlog> backlog_;
  int fd_;
  Rotation* rotation_;
  std::string buffer_;
};

class Printer {
 public:
  Printer(const std::vector<Format>& formats, Output& out, Output& messages)
      : formats_(formats), out_(out), messages_(messages) {}
  void print(const Record&);

 private:
  void print_format(const Record&);
  const std::vector<Format>& formats_;
  Output& out_;
  Output& messages_;
  std::vector<stp_format_arg> args_;  // of the record that is printed
};

}  // namespace stp::load
