#include "build/code_places.h"

#include <elf.h>

#include <algorithm>
#include <iterator>

namespace stp {

Place target(const Object& object, const Relocation& r) {
  const ObjectSymbol& symbol = object.symbols[r.symbol];
  return {symbol.section, static_cast<int64_t>(symbol.value) + r.addend};
}

uint32_t section_named(const Object& object, const std::string& name) {
  auto it = std::find_if(object.sections.begin(), object.sections.end(),
                         [&](const ObjectSection& s) { return s.name == name; });
  return it == object.sections.end() ? 0 : it - object.sections.begin();
}

uint32_t section_symbol(Object& object, uint32_t section) {
  for (uint32_t i = 1; i < object.symbols.size(); ++i)
    if (object.symbols[i].type == STT_SECTION && object.symbols[i].section == section) return i;
  object.symbols.push_back({"", STB_LOCAL, STT_SECTION, STV_DEFAULT, section, 0, 0});
  return object.symbols.size() - 1;
}

bool is_seldom_run(const ObjectSection& section) {
  if (!(section.flags & SHF_EXECINSTR)) return false;
  return section.name == ".text.unlikely" || section.name == ".init.text" || section.name == ".exit.text";
}

bool is_room(const ObjectSymbol& symbol) { return symbol.name.compare(0, 6, "__pfx_") == 0; }

std::map<Place, int64_t> functions_of(const Object& object, bool rooms) {
  std::map<Place, int64_t> functions;
  for (const ObjectSymbol& s : object.symbols)
    if (s.type == STT_FUNC && s.section && s.size && is_room(s) == rooms) {
      int64_t begin = s.value, end = s.value + s.size;
      int64_t& known = functions[{s.section, begin}];
      known = std::max(known, end);
    }
  return functions;
}

Place function_at(const std::map<Place, int64_t>& functions, Place place) {
  auto next = functions.upper_bound(place);
  if (next == functions.begin()) return {0, -1};
  auto [begin, end] = *std::prev(next);
  return begin.section == place.section && place.at < end ? begin : Place{0, -1};
}

}  // namespace stp
