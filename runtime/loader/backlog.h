// Text for a pipe whose reader may be slow: it waits here, so that the kernel's buffers need not.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace stp::load {

class Backlog {
 public:
  // Asked every 50 ms on the thread that waits in put() or drain(). False: it will wait no longer, and what
  // waits is given up.
  using Patience = std::function<bool()>;

  // Writes to `fd` by a thread of its own. At most about `limit` bytes wait.
  Backlog(int fd, size_t limit, Patience patience = [] { return true; });
  // Writes what waits, if that can be.
  ~Backlog();
  Backlog(const Backlog&) = delete;
  Backlog& operator=(const Backlog&) = delete;

  // Takes all of `text`, and leaves it empty; waits while there is too much. Returns 0, or the errno of
  // a write that failed, or ECANCELED when what waited was given up: then nothing more is written.
  int put(std::string& text);
  // Waits until all is written. Returns as above.
  int drain();
  // Bytes that were put here and are not written; never will be after an error.
  size_t left() const;

  // What may wait on this machine, in bytes: an eighth of its memory, 256 MB at most.
  static size_t fair_limit();

 private:
  void write_out();
  int write_all(const std::string& text);
  bool is_full(size_t size) const { return !waiting_.empty() && bytes_ + size > limit_; }
  template <typename Done>
  void wait_for(std::unique_lock<std::mutex>& lock, Done done);
  void give_up(std::unique_lock<std::mutex>& lock);

  const int fd_;
  const size_t limit_;
  const Patience patience_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> waiting_;
  size_t bytes_ = 0;  // of these, and of what is being written
  bool writing_ = false, ending_ = false;
  int error_ = 0;
  std::thread thread_;
};

}  // namespace stp::load
