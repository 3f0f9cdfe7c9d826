// A stripped kernel image still names its symbols: kallsyms.
//
// scripts/kallsyms.c of Linux writes these tables into .rodata, each aligned to 8 bytes:
//
//   num_syms      u32
//   names         per symbol a length (one byte, or two as ULEB128) and so many token numbers
//   markers       u32 per 256 symbols: where that symbol starts in names
//   token_table   256 strings, NUL-terminated
//   token_index   256 u16: where each string starts
//   offsets       u32 per symbol
//   relative_base u64
//
// Nothing points at them in a stripped image, so they are found by what must hold between them.
// token_index is the only run of 256 rising u16 that indexes exactly the strings before it;
// num_syms is the number after which so many names end where markers say they do. Both hold for
// every order the tables have had: 6.1 puts offsets and relative_base in front of num_syms, 6.4 and
// later behind token_index (404bad70fcf7); 6.2 added seqs_of_names (60443c88f3a8).
//
// What offsets mean also changed. All readings are tried and the exports decide: the image's
// __ksymtab gives the address of thousands of names, and the reading is taken that
// agrees. So a new layout is refused rather than read wrongly.

#include "debuginfo/kallsyms.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <vector>

namespace stp {
namespace {

constexpr size_t tokens = 256;
constexpr size_t no_place = ~size_t{0};
// Fewer symbols than this is no kernel; more, no kernel yet.
constexpr uint32_t fewest = 1000, most = 4'000'000;
// CONFIG_KALLSYMS: KSYM_NAME_LEN is 512 with the type letter.
constexpr size_t longest_name = 512;

constexpr size_t align8(size_t n) { return (n + 7) & ~size_t{7}; }

template <typename T>
T load(std::string_view data, size_t at) {
  T value{};
  if (at <= data.size() && data.size() - at >= sizeof value)
    memcpy(&value, data.data() + at, sizeof value);
  return value;
}

struct Tables {
  std::string_view data;  // of the section
  std::array<std::string_view, tokens> token;
  size_t token_table = no_place, token_index = no_place;
  size_t num_syms = no_place, names = no_place;
  size_t after_names = no_place;
  uint32_t count = 0;
};

// Whether the 256 strings that `index` describes end at `index` itself, in a table that begins
// where the last string's end, aligned, says. Strings may be empty but not absent.
bool tokens_before(std::string_view data, size_t index, Tables& tables) {
  std::array<uint16_t, tokens> starts;
  memcpy(starts.data(), data.data() + index, sizeof starts);
  if (starts[0] != 0) return false;
  for (size_t i = 1; i < tokens; ++i)
    if (starts[i] <= starts[i - 1] || starts[i] - starts[i - 1] > int{longest_name}) return false;
  // The last string's length is not in the index: try the padding that can follow it.
  for (size_t size = align8(starts[tokens - 1] + 1); size <= starts[tokens - 1] + longest_name;
       size += 8) {
    if (size > index) return false;
    auto table = data.substr(index - size, size);
    bool good = true;
    for (size_t i = 1; i < tokens && good; ++i) good = table[starts[i] - 1] == '\0';
    size_t last_end = table.find('\0', starts[tokens - 1]);
    if (!good || last_end == table.npos || align8(last_end + 1) != size) continue;
    for (size_t i = 0; i < tokens; ++i)
      tables.token[i] = std::string_view(table.data() + starts[i]);
    tables.token_table = index - size;
    tables.token_index = index;
    return true;
  }
  return false;
}

bool find_tokens(std::string_view data, Tables& tables) {
  constexpr size_t index_size = tokens * sizeof(uint16_t);
  for (size_t at = 0; at + index_size <= data.size(); at += 8) {
    // Most places fail here: the second string starts close behind the first, at 0.
    if (load<uint16_t>(data, at) != 0) continue;
    auto second = load<uint16_t>(data, at + 2), third = load<uint16_t>(data, at + 4);
    if (second == 0 || third <= second || third > 2 * longest_name) continue;
    if (tokens_before(data, at, tables)) return true;
  }
  return false;
}

// Walks names. A cursor at a bad length stops (`good` false).
struct NameCursor {
  std::string_view data;
  size_t at;
  bool good = true;

  // The token numbers of the next name.
  std::string_view next() {
    size_t length = load<uint8_t>(data, at++);
    if (length & 0x80) length = (length & 0x7f) | size_t{load<uint8_t>(data, at++)} << 7;
    good = length > 0 && length <= longest_name && at + length <= data.size();
    if (!good) return {};
    auto name = data.substr(at, length);
    at += length;
    return name;
  }
};

bool is_type_letter(char c) {
  return std::string_view("AaBbCcDdGgIiNnPpRrSsTtUuVvWw-?").find(c) != std::string_view::npos;
}

bool names_look_right(const Tables& tables, size_t names) {
  NameCursor cursor{tables.data, names};
  for (int i = 0; i < 32; ++i) {
    auto name = cursor.next();
    if (!cursor.good) return false;
    auto first = tables.token[static_cast<uint8_t>(name[0])];
    if (first.empty() || !is_type_letter(first[0])) return false;
  }
  return true;
}

// Whether `count` names from `names` end where their markers begin, and the markers are right.
bool names_end_in_markers(Tables& tables, size_t names, uint32_t count) {
  std::vector<uint32_t> markers;
  NameCursor cursor{tables.data, names};
  for (uint32_t i = 0; i < count; ++i) {
    if (i % 256 == 0) markers.push_back(static_cast<uint32_t>(cursor.at - names));
    cursor.next();
    if (!cursor.good) return false;
  }
  size_t at = align8(cursor.at);
  if (at + markers.size() * 4 > tables.data.size() ||
      memcmp(tables.data.data() + at, markers.data(), markers.size() * 4) != 0)
    return false;
  tables.after_names = at;
  return true;
}

// Names are near the tokens and before them in every order so far.
bool find_names(Tables& tables) {
  for (size_t at = tables.token_table; at >= 8;) {
    at -= 8;
    auto count = load<uint32_t>(tables.data, at);
    if (count < fewest || count > most || load<uint32_t>(tables.data, at + 4) != 0) continue;
    if (!names_look_right(tables, at + 8)) continue;
    if (!names_end_in_markers(tables, at + 8, count)) continue;
    tables.num_syms = at;
    tables.names = at + 8;
    tables.count = count;
    return true;
  }
  return false;
}

using AddressOf = uint64_t (*)(uint32_t offset, uint64_t base, uint64_t place);

// How an address is kept; kernel/kallsyms.c, kallsyms_sym_address().
struct Reading {
  bool before_count;  // the tables lie in front of num_syms, else behind token_index
  bool has_base;      // else each offset counts from its own place
  AddressOf address;
};

uint64_t from_base(uint32_t offset, uint64_t base, uint64_t) { return base + offset; }
// CONFIG_KALLSYMS_ABSOLUTE_PERCPU: what is not negative is an absolute address.
uint64_t percpu_or_base(uint32_t offset, uint64_t base, uint64_t) {
  auto value = static_cast<int32_t>(offset);
  return value >= 0 ? static_cast<uint64_t>(value)
                    : base - 1 - static_cast<uint64_t>(static_cast<int64_t>(value));
}
uint64_t from_place(uint32_t offset, uint64_t, uint64_t place) {
  return place + static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(offset)));
}

constexpr Reading readings[] = {
    {true, true, percpu_or_base}, {false, true, percpu_or_base}, {true, true, from_base},
    {false, true, from_base},     {true, false, from_place},     {false, false, from_place},
};

std::optional<std::vector<uint64_t>> read_addresses(const Tables& tables, uint64_t section_address,
                                                    const Reading& reading) {
  size_t size = align8(size_t{tables.count} * 4);
  size_t offsets, base_at = 0;
  if (reading.before_count) {
    size_t base_size = reading.has_base ? 8 : 0;
    if (tables.num_syms < size + base_size) return std::nullopt;
    base_at = tables.num_syms - base_size;
    offsets = base_at - size;
  } else {
    offsets = tables.token_index + tokens * sizeof(uint16_t);
    base_at = offsets + size;
  }
  if (base_at + 8 > tables.data.size()) return std::nullopt;
  auto base = load<uint64_t>(tables.data, base_at);
  std::vector<uint64_t> addresses(tables.count);
  for (size_t i = 0; i < addresses.size(); ++i)
    addresses[i] = reading.address(load<uint32_t>(tables.data, offsets + i * 4), base,
                                   section_address + offsets + i * 4);
  if (!std::is_sorted(addresses.begin(), addresses.end())) return std::nullopt;
  return addresses;
}

// Exported names and their addresses: struct kernel_symbol with CONFIG_HAVE_ARCH_PREL32_RELOCATIONS
// is three s32, each counted from its own place: value, name, namespace.
std::unordered_map<std::string_view, uint64_t> exports_of(const Image& image) {
  std::unordered_map<std::string_view, uint64_t> exports;
  for (const auto& section : image.sections()) {
    if (section.name != "__ksymtab" && section.name != "__ksymtab_gpl") continue;
    for (size_t at = 0; at + 12 <= section.data.size(); at += 12) {
      auto self = section.address + at;
      auto value = self + static_cast<int64_t>(load<int32_t>(section.data, at));
      auto name =
          image.string_at(self + 4 + static_cast<int64_t>(load<int32_t>(section.data, at + 4)));
      if (!name.empty()) exports.emplace(name, value);
    }
  }
  return exports;
}

class Expander {
 public:
  explicit Expander(const Tables& tables) : tables_(tables) {}
  // Type letter and name; valid until the next call.
  std::string_view operator()(std::string_view codes) {
    text_.clear();
    for (char code : codes) text_ += tables_.token[static_cast<uint8_t>(code)];
    return text_;
  }

 private:
  const Tables& tables_;
  std::string text_;
};

// Exports that kallsyms has at their address, and those that it has only elsewhere. (A static
// function may bear an exported name too: one symbol at the right place is enough.)
struct Agreement {
  size_t same = 0, different = 0;
};

Agreement compare(const Tables& tables, const std::vector<uint64_t>& addresses,
                  const std::unordered_map<std::string_view, uint64_t>& exports) {
  std::unordered_map<std::string_view, bool> seen;
  Expander expand(tables);
  NameCursor cursor{tables.data, tables.names};
  for (uint64_t address : addresses) {
    auto text = expand(cursor.next());
    if (text.size() < 2) continue;
    auto found = exports.find(text.substr(1));
    if (found != exports.end()) seen[found->first] |= found->second == address;
  }
  Agreement agreement;
  for (const auto& [name, same] : seen) ++(same ? agreement.same : agreement.different);
  return agreement;
}

}  // namespace

bool read_kallsyms(
    const Image& image,
    const std::function<void(uint64_t address, char type, std::string_view name)>& use,
    std::string& why_not) {
  const Image::Section* rodata = image.section(".rodata");
  Tables tables;
  if (rodata) tables.data = rodata->data;
  if (!rodata || !find_tokens(tables.data, tables) || !find_names(tables)) {
    why_not = "the image has no kallsyms tables of a known form";
    return false;
  }
  auto exports = exports_of(image);
  for (const auto& reading : readings) {
    auto addresses = read_addresses(tables, rodata->address, reading);
    if (!addresses) continue;
    // One wrong address in a thousand would already be a wrong reading; none is expected.
    auto agreement = compare(tables, *addresses, exports);
    if (agreement.same < 100 || agreement.different > agreement.same / 1000) continue;
    Expander expand(tables);
    NameCursor cursor{tables.data, tables.names};
    for (uint64_t address : *addresses) {
      auto text = expand(cursor.next());
      if (text.size() >= 2) use(address, text[0], text.substr(1));
    }
    return true;
  }
  why_not = "the image's kallsyms tables contradict its exports";
  return false;
}

}  // namespace stp
