// A block is written in one piece and has a checksum, so that whatever ends the reader (a kill, a full
// disk) costs the last block and is seen by who merges.
#include "bulk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "stp/bulk.h"

namespace stp::load {
namespace {

// Blocks are cut here, between two records.
constexpr size_t block_bytes = 1 << 20;

void pad(std::string& bytes) { bytes.resize((bytes.size() + 7) & ~size_t{7}); }

template <typename Structure>
void put_checksum(std::string& bytes) {
  uint32_t sum = static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
  std::memcpy(bytes.data() + offsetof(Structure, checksum), &sum, sizeof sum);
}

template <typename Structure>
std::string bytes_of(const Structure& s) {
  return {reinterpret_cast<const char*>(&s), sizeof s};
}

}  // namespace

std::string bulk_name(const std::string& base, unsigned cpu) {
  return fmt::format("{}_cpu{}", base, cpu);
}

Bulk::Bulk(std::string base, const std::vector<Format>& formats) : base_(std::move(base)) {
  for (const Format& f : formats) {
    formats_ += f.letters + '\0';
    formats_ += f.text + '\0';
  }
  auto now = std::chrono::system_clock::now().time_since_epoch();
  run_ = static_cast<uint64_t>(std::chrono::nanoseconds(now).count());
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  for (unsigned cpu = 0; cpu < static_cast<unsigned>(online); ++cpu) file(cpu);
  if (error_)
    throw std::runtime_error(fmt::format("{}: {}", bulk_name(base_, 0), std::strerror(error_)));
}

Bulk::~Bulk() {
  for (auto& [cpu, file] : files_)
    if (file.fd >= 0) close(file.fd);
}

Bulk::File& Bulk::file(unsigned cpu) {
  auto [at, is_new] = files_.try_emplace(cpu);
  File& f = at->second;
  if (!is_new) return f;
  f.fd = open(bulk_name(base_, cpu).c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (f.fd < 0 && !error_) error_ = errno;
  write_head(cpu, f);
  return f;
}

void Bulk::write_all(File& f, const std::string& bytes) {
  for (size_t done = 0; done < bytes.size() && !error_;) {
    ssize_t written = write(f.fd, bytes.data() + done, bytes.size() - done);
    if (written > 0) done += static_cast<size_t>(written);
    else if (errno != EINTR) error_ = errno;
  }
}

void Bulk::write_head(unsigned cpu, File& f) {
  stp_bulk_head head{};
  std::memcpy(head.magic, STP_BULK_MAGIC, sizeof head.magic);
  head.abi = STP_ABI;
  head.cpu = cpu;
  head.run = run_;
  head.formats = static_cast<uint32_t>(formats_.size());
  std::string bytes = bytes_of(head) + formats_;
  pad(bytes);
  put_checksum<stp_bulk_head>(bytes);
  write_all(f, bytes);
}

void Bulk::write_block(File& f, uint32_t flags, const char* data, size_t size) {
  stp_bulk_block block{STP_BULK_BLOCK, flags, f.sequence++, static_cast<uint32_t>(size), 0};
  std::string bytes = bytes_of(block);
  bytes.append(data, size);
  put_checksum<stp_bulk_block>(bytes);
  write_all(f, bytes);
}

void Bulk::add(const Record& record) {
  file(record.cpu).pending.append(reinterpret_cast<const char*>(record.head), record.head->length);
}

int Bulk::flush() {
  for (auto& [cpu, f] : files_) {
    size_t from = 0, at = 0;
    while (at < f.pending.size()) {
      stp_record head;
      std::memcpy(&head, f.pending.data() + at, sizeof head);
      at += head.length;
      if (at - from < block_bytes && at < f.pending.size()) continue;
      write_block(f, 0, f.pending.data() + from, at - from);
      from = at;
    }
    f.pending.clear();
  }
  return error_;
}

int Bulk::end(const std::map<unsigned, uint64_t>& lost) {
  flush();
  for (auto& [cpu, f] : files_) {
    auto of_cpu = lost.find(cpu);
    stp_bulk_end end{of_cpu == lost.end() ? 0 : of_cpu->second, files_.size()};
    write_block(f, STP_BULK_END, reinterpret_cast<const char*>(&end), sizeof end);
  }
  return error_;
}

int Bulk::follow() {
  for (auto& [cpu, f] : files_) {
    off_t at = static_cast<off_t>((sizeof(stp_bulk_head) + formats_.size() + 7) & ~size_t{7});
    off_t size = lseek(f.fd, 0, SEEK_END);
    stp_bulk_block block;
    f.sequence = 0;
    while (pread(f.fd, &block, sizeof block, at) == sizeof block && block.magic == STP_BULK_BLOCK &&
           at + static_cast<off_t>(sizeof block + block.bytes) <= size) {
      at += static_cast<off_t>(sizeof block + block.bytes);
      ++f.sequence;
    }
    if (ftruncate(f.fd, at) != 0 || lseek(f.fd, at, SEEK_SET) != at) return errno;
  }
  return 0;
}

}  // namespace stp::load
