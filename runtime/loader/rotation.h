// -S: the output in files of a limited size, FILE.0, FILE.1 and so on, the last few of which stay.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace stp::load {

class Rotation {
 public:
  // `bytes` of one file; `files` that stay, 0: all. Opens FILE.0; throws std::runtime_error.
  Rotation(std::string base, uint64_t bytes, unsigned files);
  ~Rotation();
  Rotation(const Rotation&) = delete;
  Rotation& operator=(const Rotation&) = delete;

  // The same number for all the files.
  int fd() const { return fd_; }
  // How much of `text`, which is not empty, goes into the file that is open behind fd() now: whole
  // lines, as long as they fit, and at least one line; before that the rest of a line that it has the
  // beginning of. Opens the next file when none fits. 0, with errno, when that is not possible.
  size_t make_room(std::string_view text);
  // That much of it; not empty.
  void wrote(std::string_view text) {
    written_ += text.size();
    in_line_ = text.back() != '\n';
  }
  // Another process of ours went on writing (it shares the number of the file): open what it had.
  // Returns false, with errno, when that is not possible.
  bool follow();

 private:
  std::string name(uint32_t number) const;
  bool open_file(uint32_t number, int flags);

  std::string base_;
  uint64_t limit_;
  unsigned files_;
  uint32_t* number_;  // of the file; in memory that children share
  uint64_t written_ = 0;
  bool in_line_ = false;  // the file ends in the middle of a line
  int fd_ = -1;
};

}  // namespace stp::load
