// Names in DWARF to the places of their entries: what makes a lookup in 2000 compilation units take
// a millisecond.
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "target/mapped_file.h"

namespace stp::dwarf {

enum class Entry : uint8_t { function, inlined, type, variable };

// One debugging information entry with a name. `address`: a function's entry, the start of an
// inlined copy; else 0. `file` and `line` are those of the declaration.
struct Record {
  uint64_t address;
  uint32_t die;   // offset in .debug_info
  uint32_t name;  // offset of the text in the index
  uint32_t file;
  uint32_t line_and_kind;

  uint32_t line() const { return line_and_kind & 0x0fffffff; }
  Entry kind() const { return static_cast<Entry>(line_and_kind >> 28); }
};

class Index {
 public:
  // The index of the file at `path`, kept under the name `key`; built when there is none. Null, and
  // `why_not` says why, when the file's DWARF cannot be read.
  static std::unique_ptr<Index> open(const std::filesystem::path& path, const std::string& key,
                                     std::string& why_not);

  // Records of a name and kind, in order of address.
  std::vector<Record> find(std::string_view name, Entry kind) const;
  // Every name, once, in alphabetical order.
  size_t names() const { return starts_.empty() ? 0 : starts_.size() - 1; }
  std::string_view name(size_t i) const { return text(records_[starts_[i]].name); }
  std::span<const Record> records(size_t i) const {
    return records_.subspan(starts_[i], starts_[i + 1] - starts_[i]);
  }
  std::string_view text(uint32_t offset) const {
    return offset < texts_.size() ? texts_.data() + offset : std::string_view{};
  }
  // The function (not inlined) with the highest entry at or below an address; null when there is
  // none.
  const Record* function_below(uint64_t address) const;

 private:
  bool attach(std::string_view bytes);

  std::unique_ptr<MappedFile> file_;
  std::string memory_;                    // when it could not be written
  std::span<const Record> records_;       // by name, kind, address
  std::span<const uint32_t> starts_;      // of each name's records, and the end
  std::span<const uint32_t> by_address_;  // functions
  std::string_view texts_;
};

}  // namespace stp::dwarf
