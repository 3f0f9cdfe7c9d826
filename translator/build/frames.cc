// A row says where the caller's stack pointer and frame pointer are, from an address on up to that of the next
// row. That of a frame pointer is valid for all of a function but the few instructions that set it up and undo
// it; which functions have one is told by that row.
#include "build/frames.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace stp {
namespace {

constexpr size_t row_size = 6, place_size = 4;  // struct orc_entry; an address relative to its own place
constexpr int64_t step = 32;  // bytes: of an entry or an exit few parts have more
constexpr const char* return_thunk = "__x86_return_thunk";
constexpr char jump = '\xe9';  // with four bytes of distance

uint32_t section_named(const Object& object, const std::string& name) {
  auto it = std::find_if(object.sections.begin(), object.sections.end(),
                         [&](const ObjectSection& s) { return s.name == name; });
  return it == object.sections.end() ? 0 : it - object.sections.begin();
}

// A place in the code: the section's number and the offset there.
struct Place {
  uint32_t section;
  int64_t at;
  auto operator<=>(const Place&) const = default;
};

Place target(const Object& object, const Relocation& r) {
  const ObjectSymbol& symbol = object.symbols[r.symbol];
  return {symbol.section, static_cast<int64_t>(symbol.value) + r.addend};
}

// Functions by where they begin, with where they end; or the rooms before them, which objtool names so.
std::map<Place, int64_t> functions_of(const Object& object, bool rooms = false) {
  std::map<Place, int64_t> functions;
  for (const ObjectSymbol& s : object.symbols)
    if (s.type == STT_FUNC && s.section && s.size && is_room(s) == rooms) {
      int64_t begin = s.value, end = s.value + s.size;
      int64_t& known = functions[{s.section, begin}];
      known = std::max(known, end);
    }
  return functions;
}

// The beginning of the function that a place is in; where there is none, an offset of -1.
Place function_at(const std::map<Place, int64_t>& functions, Place place) {
  auto next = functions.upper_bound(place);
  if (next == functions.begin()) return {0, -1};
  auto [begin, end] = *std::prev(next);
  return begin.section == place.section && place.at < end ? begin : Place{0, -1};
}

struct Row {
  Place place;
  std::string says;
  Relocation relocation;

  // Nothing is known from here on.
  bool is_end() const { return says == std::string(row_size, '\0'); }
  // The caller's stack begins 16 bytes above the frame pointer, which points to the caller's.
  bool is_frame() const { return says.compare(0, 5, std::string("\x10\0\xf0\xff\x14", 5)) == 0; }
};

// In order of places; none when the table is not as known here.
std::vector<Row> read_rows(const Object& object, const ObjectSection& places,
                           const ObjectSection& table) {
  size_t n = places.bytes.size() / place_size;
  std::vector<Row> rows;
  if (places.relocations.size() != n || table.bytes.size() != n * row_size || !table.relocations.empty())
    return rows;
  for (const Relocation& r : places.relocations) {
    if (r.type != R_X86_64_PC32 || r.offset % place_size || r.offset >= places.bytes.size()) return {};
    rows.push_back({target(object, r), table.bytes.substr(r.offset / place_size * row_size, row_size), r});
  }
  // Where a function ends and the next begins, the end comes first.
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return a.place != b.place ? a.place < b.place : a.is_end() > b.is_end();
  });
  return rows;
}

// Where each function with a frame pointer begins, and its row.
std::map<Place, std::string> framed_functions(const std::map<Place, int64_t>& functions,
                                              const std::vector<Row>& rows) {
  std::map<Place, std::string> framed;
  for (const Row& row : rows)
    if (Place begin = function_at(functions, row.place); begin.section && row.is_frame())
      framed.emplace(begin, row.says);
  return framed;
}

// There is no row where a function begins as the one before it, or the room before itself, ends. Gives it one: the
// other's may change.
void tell_beginnings(const std::map<Place, int64_t>& functions, std::vector<Row>& rows) {
  std::vector<Row> told;
  auto before = [](const Place& place, const Row& row) { return place < row.place; };
  for (const auto& [begin, end] : functions) {
    auto next = std::upper_bound(rows.begin(), rows.end(), begin, before);
    if (next == rows.begin()) continue;
    Row row = *std::prev(next);
    if (row.place.section != begin.section || row.place == begin) continue;
    row.relocation.addend += begin.at - row.place.at;
    row.place = begin;
    told.push_back(row);
  }
  rows.insert(rows.end(), told.begin(), told.end());
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.place < b.place; });
}

std::vector<Row> rows_of(const Object& object) {
  uint32_t places = section_named(object, ".orc_unwind_ip"), table = section_named(object, ".orc_unwind");
  return places && table ? read_rows(object, object.sections[places], object.sections[table])
                         : std::vector<Row>();
}

}  // namespace

bool is_room(const ObjectSymbol& symbol) { return symbol.name.compare(0, 6, "__pfx_") == 0; }

void shorten_unwind_table(Object& object) {
  std::map<Place, int64_t> functions = functions_of(object), rooms = functions_of(object, true);
  std::vector<Row> rows = rows_of(object), kept;
  std::map<Place, std::string> framed = framed_functions(functions, rows);
  if (framed.empty()) return;
  tell_beginnings(functions, rows);
  for (size_t i = 0; i < rows.size(); ++i) {
    Row& row = rows[i];
    Place begin = function_at(functions, row.place);
    bool is_last = i + 1 == rows.size() || rows[i + 1].place.section != row.place.section;
    // Between two functions nothing runs. Where there is no gap the next one's own row stands at the same place, unless
    // nothing is known of that either.
    bool is_idle = row.is_end() && (!begin.section || (!is_last && rows[i + 1].place == row.place));
    bool is_between = !is_last && (is_idle || function_at(rooms, row.place).section);
    int64_t length = begin.section ? functions.at(begin) - row.place.at : 0;
    if (!is_last) length = std::min(length, rows[i + 1].place.at - row.place.at);
    // Part of a function may do without the frame: what is quickly decided.
    if (auto it = framed.find(begin); it != framed.end() && length <= step) row.says = it->second;
    bool is_known = !kept.empty() && kept.back().place.section == row.place.section &&
                    kept.back().says == row.says;
    if (!is_between && !is_known) kept.push_back(row);
  }
  ObjectSection& places = object.sections[section_named(object, ".orc_unwind_ip")];
  ObjectSection& table = object.sections[section_named(object, ".orc_unwind")];
  places.bytes.assign(kept.size() * place_size, '\0');
  places.relocations.clear();
  table.bytes.clear();
  for (Row& row : kept) {
    // What is added counts from the section's or the symbol's start, not from the place in the table.
    row.relocation.offset = places.relocations.size() * place_size;
    places.relocations.push_back(row.relocation);
    table.bytes += row.says;
  }
}

void share_returns(Object& object) {
  std::map<Place, int64_t> functions = functions_of(object);
  std::map<Place, std::string> framed = framed_functions(functions, rows_of(object));
  std::set<Place> dropped;
  for (uint32_t i = 1; i < object.sections.size(); ++i) {
    ObjectSection& section = object.sections[i];
    if (!(section.flags & SHF_EXECINSTR)) continue;
    std::vector<Relocation> left;
    int64_t shared = -1;
    for (const Relocation& r : section.relocations) {
      Place place{i, static_cast<int64_t>(r.offset) - 1};
      bool returns = object.symbols[r.symbol].name == return_thunk && r.offset &&
                     r.offset + sizeof(int32_t) <= section.bytes.size() && section.bytes[place.at] == jump &&
                     framed.count(function_at(functions, place));
      if (!returns || shared < 0) {
        if (returns) shared = place.at;
        left.push_back(r);
        continue;
      }
      auto distance = static_cast<int32_t>(shared - static_cast<int64_t>(r.offset + sizeof(int32_t)));
      std::memcpy(&section.bytes[r.offset], &distance, sizeof distance);
      dropped.insert(place);
    }
    section.relocations = std::move(left);
  }
  ObjectSection& sites = object.sections[section_named(object, ".return_sites")];
  std::vector<Relocation> left;
  for (Relocation r : sites.relocations) {
    if (dropped.count(target(object, r))) continue;
    r.offset = left.size() * place_size;
    left.push_back(r);
  }
  sites.relocations = std::move(left);
  sites.bytes.assign(sites.relocations.size() * place_size, '\0');
}

}  // namespace stp
