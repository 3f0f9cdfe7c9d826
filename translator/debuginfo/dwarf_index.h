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

enum class Entry : uint8_t {
  function,    // with code of its own
  inlined,     // a copy of a function inside another
  type,        // struct, union, enum, typedef or base type
  variable,    // with a location
  declared,    // a variable that is only declared: jiffies, which the linker makes
  enumerator,  // `address` is the value, `die` the enumeration
};

// One debugging information entry with a name. `file` and `line` are those of the declaration.
struct Record {
  uint64_t address;  // the first instruction of a function or inlined copy
  uint32_t die;      // offset in .debug_info
  uint32_t name;     // offset of the text in the index
  uint32_t file;
  uint32_t bits;    // line, external, kind
  uint32_t size;    // of the code from `address` on, without parts that lie elsewhere
  uint32_t detail;  // of an inlined copy: offset of the function that it is in; of a type: its tag

  static uint32_t pack(uint32_t line, bool external, Entry kind) {
    return (line & 0xffffff) | static_cast<uint32_t>(external) << 24 |
           static_cast<uint32_t>(kind) << 28;
  }
  uint32_t line() const { return bits & 0xffffff; }
  bool external() const { return bits >> 24 & 1; }
  Entry kind() const { return static_cast<Entry>(bits >> 28); }
};

// A part of a function's code.
struct Part {
  uint64_t begin;
  uint32_t size;
  uint32_t record;
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
  std::string_view name(size_t i) const;
  std::span<const Record> records(size_t i) const;
  // Whether some names are of C++ or Rust: "ns::Class::method".
  bool scoped() const { return scoped_ > 0; }
  // The first name that is not before `text`.
  size_t lower_bound(std::string_view text) const;
  // Names that have a record of this kind.
  std::vector<std::string> names_of(Entry kind) const;
  std::string_view text(uint32_t offset) const {
    return offset < texts_.size() ? texts_.data() + offset : std::string_view{};
  }
  // Parts of functions (not inlined copies), by address.
  std::span<const Part> parts() const { return parts_; }
  const Record* record(const Part& part) const {
    return part.record < records_.size() ? &records_[part.record] : nullptr;
  }
  // The function whose code holds an address; null when none does.
  const Record* function_at(uint64_t address) const;

 private:
  bool attach(std::string_view bytes, uint64_t file_size);

  std::unique_ptr<MappedFile> file_;
  std::string memory_;                // when it could not be written
  std::span<const Record> records_;   // by name, kind, address
  std::span<const uint32_t> starts_;  // of each name's records, and the end
  std::span<const Part> parts_;
  std::string_view texts_;
  uint64_t scoped_ = 0;
};

}  // namespace stp::dwarf
