// -b: the records of each CPU in a file of its own (include/stp/bulk.h), unformatted.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "module_file.h"
#include "rings.h"

namespace stp::load {

// The name of a CPU's file.
std::string bulk_name(const std::string& base, unsigned cpu);

class Bulk {
 public:
  // Makes FILE_cpuN for each CPU that is online; others come when they are needed. Throws
  // std::runtime_error.
  Bulk(std::string base, const std::vector<Format>& formats);
  ~Bulk();
  Bulk(const Bulk&) = delete;
  Bulk& operator=(const Bulk&) = delete;

  // Records of a CPU come in order of time.
  void add(const Record&);
  // Writes what was added. Returns 0 or errno; then nothing is written any more.
  int flush();
  // Writes the last blocks: `lost` by CPU.
  int end(const std::map<unsigned, uint64_t>& lost);
  // Another process of ours wrote so far, and was killed: goes on behind its last whole block.
  // Returns 0 or errno.
  int follow();

 private:
  struct File {
    int fd = -1;
    uint64_t sequence = 0;
    std::string pending;
  };
  File& file(unsigned cpu);
  void write_head(unsigned cpu, File&);
  void write_block(File&, uint32_t flags, const char* data, size_t size);
  void write_all(File&, const std::string& bytes);

  std::string base_, formats_;
  uint64_t run_;
  std::map<unsigned, File> files_;
  int error_ = 0;
};

}  // namespace stp::load
