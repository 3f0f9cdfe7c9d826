// The names of a file, in the order in which they are looked up.
//
// Opening the index maps it and checks its sizes; a lookup is a binary search that touches a few
// pages. What an index of a damaged disk says is checked where it is used, not beforehand: that
// would read all of it. The alternative, .debug_names of the compiler, is not made for kernels.
#include "debuginfo/dwarf_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "debuginfo/dwarf_index_build.h"
#include "target/cache.h"
#include "target/cache_room.h"
#include "target/target.h"

namespace stp::dwarf {

bool Index::attach(std::string_view bytes, uint64_t file_size) {
  IndexHeader header;
  if (bytes.size() < sizeof header) return false;
  std::memcpy(&header, bytes.data(), sizeof header);
  // Torn, of another version, or of a file that was replaced: then it is built again.
  constexpr uint64_t sane = 1u << 30;
  if (std::memcmp(header.magic, index_magic, sizeof index_magic) != 0 || header.records > sane ||
      header.names > sane || header.parts > sane || header.texts > sane || header.texts == 0 ||
      header.file_size != file_size)
    return false;
  size_t whole = sizeof header + header.records * sizeof(Record) + header.parts * sizeof(Part) +
                 (header.names + 1) * sizeof(uint32_t) + header.texts;
  if (bytes.size() != whole || bytes.back() != '\0') return false;
  const char* at = bytes.data() + sizeof header;
  records_ = {reinterpret_cast<const Record*>(at), header.records};
  at += header.records * sizeof(Record);
  parts_ = {reinterpret_cast<const Part*>(at), header.parts};
  at += header.parts * sizeof(Part);
  scoped_ = header.scoped;
  starts_ = {reinterpret_cast<const uint32_t*>(at), header.names + 1};
  texts_ = {at + (header.names + 1) * sizeof(uint32_t), header.texts};
  return starts_.back() == header.records;
}

std::unique_ptr<Index> Index::open(const std::filesystem::path& path, const std::string& key,
                                   std::string& why_not) {
  auto index = std::make_unique<Index>();
  std::error_code error;
  uint64_t size = std::filesystem::file_size(path, error);
  std::filesystem::path kept = cache_dir() / "index" / key;
  index->file_ = MappedFile::open(kept);
  if (index->file_ && index->attach(index->file_->bytes(), size)) {
    mark_used(kept);
    return index;
  }
  index->memory_ = build_index(path, size);
  if (index->memory_.empty() || !index->attach(index->memory_, size)) {
    why_not = fmt::format("{} has no DWARF that can be read", path.string());
    return nullptr;
  }
  write_atomically(kept, {index->memory_});
  return index;
}

std::span<const Record> Index::records(size_t i) const {
  size_t first = starts_[i], end = starts_[i + 1];
  if (first >= end || end > records_.size()) return {};
  return records_.subspan(first, end - first);
}

std::string_view Index::name(size_t i) const {
  return starts_[i] < records_.size() ? text(records_[starts_[i]].name) : std::string_view{};
}

size_t Index::lower_bound(std::string_view sought) const {
  size_t low = 0, high = names();
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (name(middle) < sought)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

std::vector<Record> Index::find(std::string_view sought, Entry kind) const {
  std::vector<Record> found;
  size_t i = lower_bound(sought);
  if (i == names() || name(i) != sought) return found;
  for (const Record& r : records(i))
    if (r.kind() == kind) found.push_back(r);
  return found;
}

std::vector<std::string> Index::names_of(Entry kind) const {
  std::vector<std::string> found;
  for (size_t i = 0; i < names(); ++i) {
    auto all = records(i);
    if (std::any_of(all.begin(), all.end(), [&](const Record& r) { return r.kind() == kind; }))
      found.emplace_back(name(i));
  }
  return found;
}

const Record* Index::function_at(uint64_t address) const {
  auto above = std::upper_bound(parts_.begin(), parts_.end(), address,
                                [](uint64_t a, const Part& p) { return a < p.begin; });
  if (above == parts_.begin()) return nullptr;
  const Part& part = *(above - 1);
  return address - part.begin < part.size ? record(part) : nullptr;
}

}  // namespace stp::dwarf
