// Each file is in order, so merging keeps one block of each in memory and takes the earliest record
// of all; of equal times the lower CPU's go first, whole, as in a run without -b.
#include "merge.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>

#include "module_file.h"
#include "printer.h"
#include "stp/bulk.h"

namespace stp::load {
namespace {

uint32_t checksum(const void* data, size_t size, uint32_t sum = 0) {
  return static_cast<uint32_t>(crc32_z(sum, static_cast<const unsigned char*>(data), size));
}

// One file, read block by block. What is wrong with it ends it.
class BulkFile {
 public:
  // Throws std::runtime_error when this is no file of bulk mode, or its head is damaged.
  explicit BulkFile(const std::string& path) : path_(path) {
    fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat info {};
    if (fd_ < 0 || fstat(fd_, &info) != 0) fail(std::strerror(errno));
    size_ = S_ISREG(info.st_mode) ? static_cast<uint64_t>(info.st_size) : 0;
    read_head();
  }
  ~BulkFile() { close(fd_); }
  BulkFile(const BulkFile&) = delete;
  BulkFile& operator=(const BulkFile&) = delete;

  const std::string& path() const { return path_; }
  const stp_bulk_head& head() const { return head_; }
  const std::string& formats() const { return formats_; }
  const std::optional<stp_bulk_end>& end() const { return end_; }
  // Of the record that next() found: how many there were before it.
  uint64_t number() const { return records_ - 1; }

  // The next record, valid until the next call; null at the end. `wrong` tells why that came too
  // soon.
  const stp_record* next(std::string& wrong) {
    if (at_ == block_.size() && !read_block(wrong)) return nullptr;
    auto* record = reinterpret_cast<const stp_record*>(block_.data() + at_);
    size_t room = block_.size() - at_;
    if (room < sizeof *record || record->length < sizeof *record || record->length % 8 ||
        record->length > room) {
      wrong = fmt::format("damaged: a record of block {} has a length that cannot be", blocks_ - 1);
      return nullptr;
    }
    at_ += record->length;
    ++records_;
    return record;
  }

 private:
  [[noreturn]] void fail(const std::string& text) {
    if (fd_ >= 0) close(fd_);
    throw std::runtime_error(fmt::format("{}: {}", path_, text));
  }

  bool take(void* to, size_t bytes) {
    if (pread(fd_, to, bytes, static_cast<off_t>(position_)) != static_cast<ssize_t>(bytes))
      return false;
    position_ += bytes;
    return true;
  }

  void read_head() {
    if (!take(&head_, sizeof head_) ||
        std::memcmp(head_.magic, STP_BULK_MAGIC, sizeof head_.magic) != 0)
      fail("not a file that -b made");
    if (head_.abi != STP_ABI)
      fail(fmt::format("made by another version of stp (its records are {}, this one's are {})",
                       head_.abi, STP_ABI));
    size_t padded = (size_t{head_.formats} + 7) & ~size_t{7};
    stp_bulk_head sum_of = head_;
    sum_of.checksum = 0;
    if (padded > size_ - position_) fail("torn: it ends in its head");
    formats_.resize(padded);
    bool good = take(formats_.data(), padded);
    uint32_t sum = checksum(formats_.data(), padded, checksum(&sum_of, sizeof sum_of));
    if (!good || sum != head_.checksum) fail("damaged: its head has a wrong checksum");
    formats_.resize(head_.formats);
  }

  bool read_block(std::string& wrong) {
    if (end_) return false;
    uint64_t start = position_;
    auto failed = [&](const char* text) {
      wrong = fmt::format("{} (block {}, at byte {})", text, blocks_, start);
      return false;
    };
    stp_bulk_block block{};
    if (position_ == size_) return failed("torn: it has no end, the run was cut off");
    if (size_ - position_ < sizeof block || !take(&block, sizeof block))
      return failed("torn: it ends in the middle of a block");
    if (block.magic != STP_BULK_BLOCK || block.sequence != blocks_)
      return failed("damaged: no block begins there");
    if (block.bytes > size_ - position_) return failed("torn: it ends in the middle of a block");
    // Aligned as records are.
    block_.resize(block.bytes);
    at_ = 0;
    stp_bulk_block sum_of = block;
    sum_of.checksum = 0;
    if (!take(block_.data(), block.bytes)) return failed("it cannot be read");
    if (checksum(block_.data(), block.bytes, checksum(&sum_of, sizeof sum_of)) != block.checksum) {
      block_.clear();
      return failed("damaged: a block has a wrong checksum");
    }
    ++blocks_;
    if (!(block.flags & STP_BULK_END)) return block.bytes > 0 || failed("damaged: a block is empty");
    stp_bulk_end end{};
    std::memcpy(&end, block_.data(), std::min(sizeof end, block_.size()));
    end_ = end;
    block_.clear();
    if (position_ != size_) return failed("damaged: something stands behind its end");
    return false;
  }

  std::string path_;
  int fd_ = -1;
  uint64_t size_ = 0, position_ = 0, blocks_ = 0, records_ = 0;
  stp_bulk_head head_{};
  std::string formats_, block_;
  size_t at_ = 0;
  std::optional<stp_bulk_end> end_;
};

using Files = std::vector<std::unique_ptr<BulkFile>>;

// Throws std::runtime_error when the files are not of one run.
void check_together(const Files& files) {
  for (size_t i = 1; i < files.size(); ++i) {
    if (files[i]->head().run != files[0]->head().run)
      throw std::runtime_error(fmt::format("{} and {} are of different runs", files[0]->path(),
                                           files[i]->path()));
    for (size_t k = 0; k < i; ++k)
      if (files[k]->head().cpu == files[i]->head().cpu)
        throw std::runtime_error(fmt::format("{} and {} are both of CPU {}", files[k]->path(),
                                             files[i]->path(), files[i]->head().cpu));
  }
}

// At the end: files that were not given, and what was lost.
void tell_rest(const Files& files) {
  uint64_t lost = 0, made = 0;
  for (const auto& file : files) {
    if (!file->end()) continue;
    lost += file->end()->lost;
    made = std::max<uint64_t>(made, file->end()->files);
  }
  if (made > files.size())
    fmt::print(stderr, "stp: warning: the run made {} files; {} were given\n", made, files.size());
  if (lost)
    fmt::print(stderr, "stp: warning: {} records were lost in the run: the buffers were full\n", lost);
}

class Merger {
 public:
  Merger(const Files& files, int fd, bool labels)
      : files_(files),
        formats_(read_formats(files[0]->formats())),
        out_(fd),
        messages_(STDERR_FILENO),
        printer_(formats_, out_, messages_),
        labels_(labels) {}

  int merge() {
    for (const auto& file : files_) advance(*file);
    while (!heap_.empty() && !failed_output_) {
      std::pop_heap(heap_.begin(), heap_.end(), later);
      Head first = heap_.back();
      heap_.pop_back();
      print(first);
      advance(*first.file);
    }
    flush();
    return damaged_ || failed_output_ ? 1 : 0;
  }

 private:
  struct Head {
    const stp_record* record;
    BulkFile* file;
  };
  static bool later(const Head& a, const Head& b) {
    if (a.record->time != b.record->time) return a.record->time > b.record->time;
    return a.file->head().cpu > b.file->head().cpu;
  }

  void advance(BulkFile& file) {
    std::string wrong;
    if (const stp_record* record = file.next(wrong)) {
      heap_.push_back({record, &file});
      std::push_heap(heap_.begin(), heap_.end(), later);
    } else if (!wrong.empty()) {
      damaged_ = true;
      messages_.append(fmt::format("stp: {}: {}\n", file.path(), wrong));
    }
  }

  void print(const Head& head) {
    std::string_view payload(reinterpret_cast<const char*>(head.record + 1),
                             head.record->length - sizeof *head.record);
    Record record{head.file->head().cpu, head.record, payload};
    size_t start = out_.buffer().size();
    printer_.print(record);
    if (labels_)
      out_.buffer().insert(start, fmt::format("[{},{},{}]", record.cpu, head.file->number(),
                                              out_.buffer().size() - start));
    if (out_.buffer().size() > (1 << 16)) flush();
  }

  void flush() {
    messages_.flush();
    int error = out_.flush();
    if (!error || failed_output_) return;
    failed_output_ = true;
    messages_.append(fmt::format("stp: cannot write the output: {}\n", std::strerror(error)));
    messages_.flush();
  }

  const Files& files_;
  std::vector<Format> formats_;
  Output out_, messages_;
  Printer printer_;
  bool labels_;
  std::vector<Head> heap_;
  bool damaged_ = false, failed_output_ = false;
};

}  // namespace

int merge_files(const std::vector<std::string>& paths, int fd, bool labels) {
  Files files;
  bool unreadable = false;
  for (const auto& path : paths) try {
      files.push_back(std::make_unique<BulkFile>(path));
    } catch (const std::runtime_error& e) {
      fmt::print(stderr, "stp: {}\n", e.what());
      unreadable = true;
    }
  if (files.empty()) return 1;
  check_together(files);
  int status = Merger(files, fd, labels).merge();
  tell_rest(files);
  return unreadable ? 1 : status;
}

}  // namespace stp::load
