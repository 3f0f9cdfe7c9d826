#include "backlog.h"

#include <pthread.h>
#include <signal.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

namespace stp::load {
namespace {

// Sent to a thread that is to come back from write(); it does nothing else.
constexpr int wake_up = SIGUSR1;

void allow_to_wake_up() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  sigaction(wake_up, &action, nullptr);
}

}  // namespace

Backlog::Backlog(int fd, size_t limit, Patience patience)
    : fd_(fd), limit_(limit), patience_(std::move(patience)) {
  allow_to_wake_up();
  thread_ = std::thread([this] { write_out(); });
}

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
  wait_for(lock, [&] { return !is_full(text.size()); });
  if (!error_ && !text.empty()) {
    bytes_ += text.size();
    waiting_.push_back(std::exchange(text, {}));
  }
  changed_.notify_all();
  return error_;
}

int Backlog::drain() {
  std::unique_lock lock(mutex_);
  wait_for(lock, [&] { return waiting_.empty() && !writing_; });
  return error_;
}

size_t Backlog::left() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

// Until `done`, an error, or the end of patience. Which is asked without the lock.
template <typename Done>
void Backlog::wait_for(std::unique_lock<std::mutex>& lock, Done done) {
  constexpr std::chrono::milliseconds between{50};
  while (!changed_.wait_for(lock, between, [&] { return error_ || done(); })) {
    lock.unlock();
    bool go_on = patience_();
    lock.lock();
    if (!go_on) return give_up(lock);
  }
}

void Backlog::give_up(std::unique_lock<std::mutex>& lock) {
  if (error_) return;
  error_ = ECANCELED;
  waiting_.clear();
  changed_.notify_all();
  // Before write() began, a signal does nothing: until it is back.
  while (writing_) {
    pthread_kill(thread_.native_handle(), wake_up);
    changed_.wait_for(lock, std::chrono::milliseconds(5));
  }
}

size_t Backlog::fair_limit() {
  struct sysinfo info {};
  constexpr size_t most = 256u << 20;
  if (sysinfo(&info) != 0) return most / 8;
  return std::min<size_t>(most, size_t{info.totalram} * info.mem_unit / 8);
}

int Backlog::write_all(const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    ssize_t written = write(fd_, text.data() + done, text.size() - done);
    if (written < 0 && errno != EINTR) return errno;
    if (written > 0) done += static_cast<size_t>(written);
    std::lock_guard lock(mutex_);
    if (written > 0) bytes_ -= static_cast<size_t>(written);
    if (error_) return error_;
  }
  return 0;
}

void Backlog::write_out() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ending_ || error_ || !waiting_.empty(); });
    if (error_ || waiting_.empty()) return;
    std::string text = std::move(waiting_.front());
    waiting_.pop_front();
    writing_ = true;
    lock.unlock();
    int error = write_all(text);
    lock.lock();
    writing_ = false;
    if (!error_) error_ = error;
    changed_.notify_all();
  }
}

}  // namespace stp::load
