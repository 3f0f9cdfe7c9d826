// Text for a pipe whose reader may be slow: it waits here, so that the kernel's buffers need not.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

namespace stp::load {

class Backlog {
 public:
  // Writes to `fd` by a thread of its own. At most about `limit` bytes wait.
  Backlog(int fd, size_t limit);
  // Writes what waits, if that can be.
  ~Backlog();
  Backlog(const Backlog&) = delete;
  Backlog& operator=(const Backlog&) = delete;

  // Takes all of `text`, and leaves it empty; waits while there is too much. Returns 0, or the errno of
  // a write that failed: then nothing more is written.
  int put(std::string& text);
  // Waits until all is written. Returns as above.
  int drain();

  // What may wait on this machine, in bytes: an eighth of its memory, 256 MB at most.
  static size_t fair_limit();

 private:
  void write_out();

  const int fd_;
  const size_t limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> waiting_;
  size_t bytes_ = 0;  // of these
  bool writing_ = false, ending_ = false;
  int error_ = 0;
  std::thread thread_;
};

}  // namespace stp::load
