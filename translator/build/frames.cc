// A row says where the caller's stack pointer and frame pointer are, from an address on up to that of the next
// row. That of a frame pointer is valid for all of a function but the few instructions that set it up and undo
// it; which functions have one is told by that row.
#include "build/frames.h"

#include <elf.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "build/code_places.h"

namespace stp {
namespace {

constexpr size_t row_size = 6, place_size = 4;  // struct orc_entry; an address relative to its own place
constexpr int64_t step = 32;  // bytes: of an entry or an exit few parts have more
constexpr int64_t quick = 64;  // bytes of a whole function

struct Row {
  Place place;
  std::string says;
  Relocation relocation;

  // Nothing is known from here on.
  bool is_end() const { return says == std::string(row_size, '\0'); }
  // As where a function begins: the caller's stack begins behind the address that it returns to.
  bool is_entry() const { return says.compare(0, 5, std::string("\x08\0\0\0\x05", 5)) == 0; }
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
    // Part of a function may do without the frame: what is quickly decided. Or all of one that does no more.
    bool is_quick = row.is_entry() && is_seldom_run(object.sections[begin.section]) &&
                    functions.at(begin) - begin.at <= quick;
    auto it = is_quick ? framed.begin() : framed.find(begin);
    if (it != framed.end() && (is_quick || length <= step)) row.says = it->second;
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

std::set<Place> functions_with_frame(const Object& object) {
  std::set<Place> functions;
  for (const auto& [begin, says] : framed_functions(functions_of(object), rows_of(object))) functions.insert(begin);
  return functions;
}

bool add_entry_rows(Object& object, uint32_t section, int64_t begin, int64_t end) {
  std::vector<Row> rows = rows_of(object);
  auto entry = std::find_if(rows.begin(), rows.end(), [](const Row& row) { return row.is_entry(); });
  if (entry == rows.end()) return false;
  ObjectSection& places = object.sections[section_named(object, ".orc_unwind_ip")];
  ObjectSection& table = object.sections[section_named(object, ".orc_unwind")];
  uint32_t start = section_symbol(object, section);
  for (bool is_end : {false, true}) {
    places.relocations.push_back(
        {places.bytes.size(), R_X86_64_PC32, start, is_end ? end : begin});
    places.bytes.append(place_size, '\0');
    table.bytes += is_end ? std::string(row_size, '\0') : entry->says;
  }
  return true;
}

}  // namespace stp
