// A line is never divided between two files, so a file is smaller than the limit, or it is one line. Where
// a line comes in parts, with some time between them, its end goes where its beginning is, and the file
// may be larger by that.
//
// The reader writes, and its parent takes over when it is killed (main.cc): the number of the file
// is in memory of both, since looking for the newest file would find those of an earlier run.
#include "rotation.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace stp::load {

Rotation::Rotation(std::string base, uint64_t bytes, unsigned files)
    : base_(std::move(base)), limit_(bytes), files_(files) {
  void* shared = mmap(nullptr, sizeof *number_, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) throw std::runtime_error(fmt::format("mmap: {}", strerror(errno)));
  number_ = static_cast<uint32_t*>(shared);
  if (open_file(0, O_TRUNC)) return;
  int error = errno;
  munmap(number_, sizeof *number_);
  throw std::runtime_error(fmt::format("{}: {}", name(0), strerror(error)));
}

Rotation::~Rotation() {
  if (fd_ >= 0) close(fd_);
  munmap(number_, sizeof *number_);
}

std::string Rotation::name(uint32_t number) const { return fmt::format("{}.{}", base_, number); }

bool Rotation::open_file(uint32_t number, int flags) {
  int fd = open(name(number).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | flags, 0644);
  if (fd < 0) return false;
  if (fd_ < 0) {
    fd_ = fd;
    return true;
  }
  bool good = dup3(fd, fd_, O_CLOEXEC) >= 0;
  close(fd);
  return good;
}

size_t Rotation::make_room(std::string_view text) {
  uint64_t room = written_ < limit_ ? limit_ - written_ : 0;
  if (text.size() <= room) return text.size();
  size_t last = text.substr(0, room).rfind('\n');
  if (last != text.npos) return last + 1;
  if (written_ > 0 && !in_line_) {
    if (!open_file(*number_ + 1, O_TRUNC)) return 0;
    ++*number_;
    written_ = 0;
    if (files_ && *number_ >= files_) unlink(name(*number_ - files_).c_str());
    return make_room(text);
  }
  size_t first = text.find('\n');
  return first == text.npos ? text.size() : first + 1;
}

bool Rotation::follow() {
  if (!open_file(*number_, O_APPEND)) return false;
  off_t end = lseek(fd_, 0, SEEK_END);
  written_ = end > 0 ? static_cast<uint64_t>(end) : 0;
  char newest = '\n';
  in_line_ = end > 0 && pread(fd_, &newest, 1, end - 1) == 1 && newest != '\n';
  return true;
}

}  // namespace stp::load
