#include "backlog.h"

#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace stp::load {
namespace {

int write_all(int fd, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    ssize_t written = write(fd, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    done += static_cast<size_t>(written);
  }
  return 0;
}

}  // namespace

Backlog::Backlog(int fd, size_t limit) : fd_(fd), limit_(limit), thread_([this] { write_out(); }) {}

Backlog::~Backlog() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

int Backlog::put(std::string& text) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return error_ || waiting_.empty() || bytes_ + text.size() <= limit_; });
  if (!error_ && !text.empty()) {
    bytes_ += text.size();
    waiting_.push_back(std::exchange(text, {}));
  }
  changed_.notify_all();
  return error_;
}

int Backlog::drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return error_ || (waiting_.empty() && !writing_); });
  return error_;
}

size_t Backlog::fair_limit() {
  struct sysinfo info {};
  constexpr size_t most = 256u << 20;
  if (sysinfo(&info) != 0) return most / 8;
  return std::min<size_t>(most, size_t{info.totalram} * info.mem_unit / 8);
}

void Backlog::write_out() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ending_ || error_ || !waiting_.empty(); });
    if (error_ || waiting_.empty()) return;
    std::string text = std::move(waiting_.front());
    waiting_.pop_front();
    bytes_ -= text.size();
    writing_ = true;
    lock.unlock();
    int error = write_all(fd_, text);
    lock.lock();
    writing_ = false;
    error_ = error;
    changed_.notify_all();
  }
}

}  // namespace stp::load
