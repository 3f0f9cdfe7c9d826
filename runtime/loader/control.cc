#include "control.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

namespace stp::load {
namespace {

// A reader that was killed may still be on its way out when its supervisor takes over.
int open_patiently(const std::string& path) {
  for (int attempt = 0;; ++attempt) {
    int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (fd >= 0 || errno != EBUSY || attempt == 200) return fd;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

// Whoever attaches looked at the session's state a moment ago; another may have come in between.
std::string why_not_open(const std::string& directory, int error) {
  std::string name = directory.substr(directory.rfind('/') + 1);
  if (error == EBUSY) return fmt::format("{} has a reader already", name);
  // ENXIO is debugfs's word for a file whose module is on its way out.
  if (error == ENOENT || error == ENXIO)
    return fmt::format("{} is gone: somebody else has read it to its end, or removed it", name);
  return fmt::format("{}/control: {}", directory, std::strerror(error));
}

}  // namespace

Control::Control(const std::string& directory) {
  fd_ = open_patiently(directory + "/control");
  if (fd_ < 0) throw std::runtime_error(why_not_open(directory, errno));
}

Control::~Control() { close(fd_); }

stp_status Control::status() const {
  stp_status status{};
  if (pread(fd_, &status, sizeof status, 0) != sizeof status)
    throw std::runtime_error("the module does not tell its state");
  return status;
}

int Control::set_global(const std::string& text) {
  return send(STP_MESSAGE_GLOBAL, text.data(), text.size());
}

// The kernel's own choice: it keeps time by the counters where it found that they agree.
stp_u32 Control::clock_of_kernel(const std::string& folder) {
  std::string name;
  std::ifstream(folder + "/clocksource0/current_clocksource") >> name;
  return name == "tsc" ? STP_CLOCK_TSC : STP_CLOCK_MONOTONIC;
}

int Control::start(long target, const std::string& unload_program) {
  stp_start start{};
  start.target = target;
  start.clock = clock_of_kernel();
  if (unload_program.size() < sizeof start.unload)
    std::memcpy(start.unload, unload_program.data(), unload_program.size());
  return send(STP_MESSAGE_START, &start, sizeof start);
}

int Control::reset() { return send(STP_MESSAGE_RESET, nullptr, 0); }

int Control::switch_probe(stp_u32 number, bool on) {
  stp_probe_switch change{number, on};
  return send(STP_MESSAGE_SWITCH, &change, sizeof change);
}

int Control::record() { return send(STP_MESSAGE_RECORD, nullptr, 0); }

int Control::stop() { return send(STP_MESSAGE_STOP, nullptr, 0); }

int Control::give_stdin(const char* text, size_t length) {
  return send(STP_MESSAGE_STDIN, text, length);
}

int Control::send(stp_message_kind kind, const void* payload, size_t length) {
  stp_message head{kind, static_cast<stp_u32>(length)};
  std::string message(reinterpret_cast<const char*>(&head), sizeof head);
  if (length) message.append(static_cast<const char*>(payload), length);
  ssize_t written = write(fd_, message.data(), message.size());
  if (written < 0) return errno;
  return static_cast<size_t>(written) == message.size() ? 0 : EIO;
}

}  // namespace stp::load
