// The module's control file.
#pragma once

#include <string>

#include "stp/abi.h"

namespace stp::load {

class Control {
 public:
  // Throws std::runtime_error when the file cannot be opened (or is somebody else's).
  explicit Control(const std::string& directory);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  int fd() const { return fd_; }
  stp_status status() const;  // throws std::runtime_error

  // Each returns 0 or errno.
  int set_global(const std::string& name_equals_value);
  int start(long target, const std::string& unload_program);
  // Where the times of records best come from; `folder` has the kernel's clock sources.
  static stp_u32 clock_of_kernel(
      const std::string& folder = "/sys/devices/system/clocksource");
  int stop();
  int give_stdin(const char* text, size_t length);  // length 0: it has ended
  int reset();   // of globals
  int switch_probe(stp_u32 number, bool on);
  int record();  // the session is to go on when this file is closed

 private:
  int send(stp_message_kind kind, const void* payload, size_t length);
  int fd_;
};

}  // namespace stp::load
