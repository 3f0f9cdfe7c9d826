// Two threads walk every second unit, as for the index. A unit's ranges come in any order: its
// functions may lie anywhere. They are put in order, and neighbours of one value are joined, which leaves a
// fifth of the line table's rows: of each unit, so that no more is kept, and of all in the end. Where a unit's
// code ends its table has a range that says so: nothing of another unit lies between what is joined.
#include "debuginfo/places.h"

#include <dwarf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <thread>

#include "debuginfo/dwarf_entry.h"
#include "debuginfo/dwarf_file.h"
#include "debuginfo/dwarf_units.h"
#include "stp/places.h"
#include "target/cache.h"
#include "target/cache_room.h"
#include "target/mapped_file.h"
#include "target/target.h"

namespace stp::dwarf {
namespace {

constexpr uint64_t line_mask = (uint64_t{1} << STP_PLACE_LINE_BITS) - 1;

template <typename T>
void append(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_unsigned(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

void put_signed(std::string& out, int64_t value) {
  for (; value < -64 || value > 63; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value & 0x7f));
}

// Rows of a unit's line table.
void lines_of(Dwarf_Die& unit, PlacesTable& table) {
  Dwarf_Lines* lines = nullptr;
  size_t count = 0;
  if (dwarf_getsrclines(&unit, &lines, &count) != 0) return;
  std::string_view dir = compile_dir(unit);
  std::map<const char*, uint32_t> files;  // elfutils gives one text for one file
  for (size_t i = 0; i < count; ++i) {
    Dwarf_Line* line = dwarf_onesrcline(lines, i);
    Dwarf_Addr address = 0;
    bool end = false;
    int number = 0;
    if (dwarf_lineaddr(line, &address) != 0 || dwarf_lineendsequence(line, &end) != 0) continue;
    const char* name = end ? nullptr : dwarf_linesrc(line, nullptr, nullptr);
    if (!name || dwarf_lineno(line, &number) != 0 || number <= 0) {
      table.from(address, 0);
      continue;
    }
    auto [file, fresh] = files.try_emplace(name, 0);
    if (fresh) file->second = table.name(shown_path(name, dir));
    table.from(address, uint64_t{file->second} << STP_PLACE_LINE_BITS |
                            (static_cast<uint64_t>(number) & line_mask));
  }
}

uint64_t renumbered_line(uint64_t value, const std::vector<uint32_t>& numbers) {
  return uint64_t{numbers[value >> STP_PLACE_LINE_BITS]} << STP_PLACE_LINE_BITS | (value & line_mask);
}

uint64_t renumbered_copy(uint64_t value, const std::vector<uint32_t>& numbers) {
  return numbers[value];
}

// What a function's code belongs to: copies are laid over what they are in.
class Layers {
 public:
  void lay(const Range& r, uint32_t value) {
    if (r.begin >= r.end) return;
    auto behind = values_.upper_bound(r.end);
    uint32_t goes_on = behind == values_.begin() ? 0 : std::prev(behind)->second;
    values_.erase(values_.lower_bound(r.begin), behind);
    values_[r.begin] = value;
    values_[r.end] = goes_on;
  }
  void put_into(PlacesTable& table) const {
    for (auto [address, value] : values_) table.from(address, value);
  }

 private:
  std::map<uint64_t, uint32_t> values_;  // from an address up to the next
};

void copies_in(Dwarf_Die& parent, uint32_t around, PlacesTable& table, Layers& layers, int depth) {
  if (depth > 200) return;
  each_child(parent, [&](Dwarf_Die& child) {
    int tag = dwarf_tag(&child);
    if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block) return;
    uint32_t inner = around;
    if (tag == DW_TAG_inlined_subroutine) {
      std::string_view name = name_of(child);
      if (!name.empty()) inner = table.name(name, around);
      // Compilers may have moved all of its first line away: the instruction is where it is entered.
      if (Dwarf_Addr entry = entry_of(child)) layers.lay({entry, entry + 1}, inner);
      for (const Range& r : ranges_of(child)) layers.lay(r, inner);
    }
    copies_in(child, inner, table, layers, depth + 1);
  });
}

void copies_of(Dwarf_Die& parent, PlacesTable& table, int depth) {
  if (depth > 64) return;
  each_child(parent, [&](Dwarf_Die& child) {
    int tag = dwarf_tag(&child);
    if (tag == DW_TAG_namespace || tag == DW_TAG_structure_type || tag == DW_TAG_class_type)
      return copies_of(child, table, depth + 1);
    if (tag != DW_TAG_subprogram || ranges_of(child).empty()) return;
    Layers layers;
    copies_in(child, 0, table, layers, 0);
    layers.put_into(table);
  });
}

std::string build(const std::filesystem::path& path, types::PlaceKind kind) {
  constexpr size_t workers = 2;
  std::array<PlacesTable, workers> tables;
  std::vector<std::thread> threads;
  bool lines = kind == types::PlaceKind::lines;
  for (size_t worker = 0; worker < workers; ++worker)
    threads.emplace_back([&, worker] {
      constexpr size_t opened_for = 128;  // libdw keeps whole line tables
      each_unit_of(path, worker, workers, opened_for, [&](const File&, size_t, Dwarf_Die& unit) {
        if (lines)
          lines_of(unit, tables[worker]);
        else
          copies_of(unit, tables[worker], 0);
        tables[worker].end_unit();
      });
    });
  for (auto& thread : threads) thread.join();
  tables[0].add(tables[1], lines ? renumbered_line : renumbered_copy);
  tables[1] = {};
  return tables[0].packed();
}

// Whether a file is a table, whole: another version's, or a torn one, is made again.
bool is_table(const std::filesystem::path& path) {
  auto file = MappedFile::open(path);
  stp_places_header header;
  if (!file || file->bytes().size() < sizeof header) return false;
  std::memcpy(&header, file->bytes().data(), sizeof header);
  uint64_t blocks = (uint64_t{header.n_ranges} + STP_PLACES_OF_BLOCK - 1) / STP_PLACES_OF_BLOCK;
  return header.magic == STP_PLACES_MAGIC &&
         file->bytes().size() == sizeof header + blocks * sizeof(stp_places_block) +
                                     uint64_t{header.n_names} * sizeof(stp_places_name) +
                                     header.packed_size + header.texts_size;
}

}  // namespace

uint32_t PlacesTable::name(std::string_view text, uint32_t around) {
  auto [at, new_text] =
      text_at_.try_emplace(std::string(text), static_cast<uint32_t>(texts_.size()));
  if (new_text) texts_.append(text).push_back('\0');
  auto [known, fresh] = known_.try_emplace(uint64_t{around} << 32 | at->second, 0);
  if (fresh) {
    names_.push_back({at->second, around});
    known->second = static_cast<uint32_t>(names_.size());
  }
  return known->second;
}

void PlacesTable::from(uint64_t address, uint64_t value) {
  if (ranges_.size() > ended_ && ranges_.back().address == address)
    ranges_.back().value = value;
  else
    ranges_.push_back({address, value});
}

void PlacesTable::add(const PlacesTable& other,
                      uint64_t (*renumbered)(uint64_t, const std::vector<uint32_t>&)) {
  std::vector<uint32_t> numbers = {0};
  // What is around a name has a smaller number.
  for (const Name& n : other.names_)
    numbers.push_back(name(other.texts_.c_str() + n.text, numbers[n.around]));
  for (const Range& r : other.ranges_)
    ranges_.push_back({r.address, renumbered(r.value, numbers)});
}

void PlacesTable::put_in_order(size_t first) {
  std::stable_sort(ranges_.begin() + static_cast<ptrdiff_t>(first), ranges_.end(),
                   [](const Range& a, const Range& b) { return a.address < b.address; });
  size_t kept = first;
  for (size_t i = first; i < ranges_.size();) {
    Range here = ranges_[i];
    for (++i; i < ranges_.size() && ranges_[i].address == here.address; ++i)
      if (ranges_[i].value) here.value = ranges_[i].value;
    uint64_t before = kept > first ? ranges_[kept - 1].value : 0;
    if (here.value != before) ranges_[kept++] = here;
  }
  ranges_.resize(kept);
}

void PlacesTable::end_unit() {
  put_in_order(ended_);
  ended_ = ranges_.size();
}

std::string PlacesTable::packed() {
  put_in_order(0);
  if (ranges_.empty() || ranges_.back().address - ranges_[0].address > UINT32_MAX) return {};
  uint64_t base = ranges_[0].address;
  std::string blocks, names, packed;
  Range before{};
  for (size_t i = 0; i < ranges_.size(); ++i) {
    const Range& r = ranges_[i];
    if (i % STP_PLACES_OF_BLOCK == 0) {
      append(blocks, stp_places_block{static_cast<uint32_t>(r.address - base),
                                      static_cast<uint32_t>(packed.size())});
      before = {r.address, 0};
    }
    put_unsigned(packed, r.address - before.address);
    put_signed(packed, static_cast<int64_t>(r.value - before.value));
    before = r;
  }
  for (const Name& n : names_) append(names, stp_places_name{n.text, n.around});
  stp_places_header header{STP_PLACES_MAGIC,
                           static_cast<uint32_t>(ranges_.size()),
                           static_cast<uint32_t>(names_.size()),
                           static_cast<uint32_t>(packed.size()),
                           static_cast<uint32_t>(texts_.size()),
                           0,
                           base};
  std::string out;
  append(out, header);
  return out.append(blocks).append(names).append(packed).append(texts_);
}

std::filesystem::path places_file(const std::filesystem::path& debuginfo, const std::string& key,
                                  types::PlaceKind kind) {
  // The number goes up with what is written: modules are told apart by the names of their tables.
  const char* what = kind == types::PlaceKind::lines ? "lines2-" : "inlined2-";
  std::filesystem::path kept = cache_dir() / "index" / (what + key);
  if (is_table(kept)) {
    mark_used(kept);
    return kept;
  }
  std::string bytes = build(debuginfo, kind);
  if (bytes.empty() || !write_atomically(kept, {bytes})) return {};
  return kept;
}

}  // namespace stp::dwarf
