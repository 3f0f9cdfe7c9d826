// A call of one of the kernel's functions costs a module 24 bytes more than its code, the relocation; that of a thunk,
// by which returns and calls through pointers go where the kernel wants mitigation of speculation, a row in a table
// and its relocation, too. So functions that are seldom run call a jump to the kernel's function, which
// all of them share:
//
//     call shared                          shared: jmp kvfree
//
// The function is entered as it would have been, with the same return address. A return is a jump to its thunk, and
// becomes one to such a jump: in functions that are seldom run, and in all that keep a frame pointer.
//
// What the kernel changes in the code is told anew: rows for calls of a thunk become one for the shared jump, which the
// kernel patches as well (arch/x86/kernel/alternative.c, patch_retpoline() and patch_return()). Rows in .call_sites,
// by which a kernel counts how deep calls nest where it is told to refill the return stack buffer in time
// (arch/x86/kernel/callthunks.c), go: a call that is not counted has it refilled earlier than need be.
#include "build/share_calls.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "build/code_places.h"
#include "build/frames.h"

namespace stp {
namespace {

constexpr int64_t jump_size = 5;
constexpr const char* return_thunk = "__x86_return_thunk";
constexpr size_t least = 2;  // calls that share one

// A range of code that an alternative may take the place of.
std::map<Place, int64_t> alternatives_of(const Object& object) {
  const ObjectSection& table = object.sections[section_named(object, ".altinstructions")];
  std::map<Place, int64_t> ranges;
  size_t rows = table.relocations.size() / 2;  // of each the place and its replacement
  if (!rows) return ranges;
  size_t size = table.bytes.size() / rows;
  for (const Relocation& r : table.relocations)
    if (r.offset % size == 0) {
      Place place = target(object, r);
      ranges[place] = place.at + static_cast<uint8_t>(table.bytes[r.offset + size - 2]);
    }
  return ranges;
}

constexpr const char* sites_of_thunks[] = {".return_sites", ".retpoline_sites"};

class Calls {
 public:
  explicit Calls(const Object& object)
      : object_(object), alternatives_(alternatives_of(object)), functions_(functions_of(object)),
        framed_(functions_with_frame(object)) {
    for (const char* table : sites_of_thunks)
      for (const Relocation& r : object.sections[section_named(object, table)].relocations)
        told_.insert(target(object, r));
  }

  // Whether the instruction before a relocation's place calls, or jumps to, what may be reached by a jump more.
  bool may_share(uint32_t number, const Relocation& r) const {
    const ObjectSection& section = object_.sections[number];
    const ObjectSymbol& symbol = object_.symbols[r.symbol];
    bool relative = r.type == R_X86_64_PC32 || r.type == R_X86_64_PLT32;
    if (!relative || r.addend != -4 || symbol.section || symbol.binding == STB_WEAK || !r.offset ||
        r.offset + sizeof(int32_t) > section.bytes.size())
      return false;
    char operation = section.bytes[r.offset - 1];
    if (operation != call_operation && operation != jump_operation) return false;
    // Static calls are patched where they are.
    if (symbol.name.compare(0, 7, "__SCT__") == 0) return false;
    Place place{number, static_cast<int64_t>(r.offset) - 1};
    if (function_at(alternatives_, place).section) return false;
    // There may be a prefix before the instruction that the kernel knows of.
    if (symbol.name.compare(0, 6, "__x86_") == 0 && !told_.count(place)) return false;
    bool returns = operation == jump_operation && symbol.name == return_thunk;
    return is_seldom_run(section) || (returns && framed_.count(function_at(functions_, place)));
  }

 private:
  const Object& object_;
  std::map<Place, int64_t> alternatives_, functions_;
  std::set<Place> framed_, told_;
};

// Rows of a table that are addresses relative to their own places, one after the other.
void lay_out(ObjectSection& sites) {
  constexpr size_t row_size = 4;
  for (size_t i = 0; i < sites.relocations.size(); ++i) sites.relocations[i].offset = i * row_size;
  sites.bytes.assign(sites.relocations.size() * row_size, '\0');
}

// Where a table speaks of calls that were changed, it speaks of what they share.
void retell(Object& object, const char* name, const std::map<Place, uint32_t>& changed,
            const std::map<uint32_t, Relocation>& shared) {
  ObjectSection& sites = object.sections[section_named(object, name)];
  std::vector<Relocation> left;
  std::set<uint32_t> told;
  for (Relocation r : sites.relocations) {
    if (auto it = changed.find(target(object, r)); it != changed.end()) {
      if (!told.insert(it->second).second) continue;
      const Relocation& jump_there = shared.at(it->second);
      r.symbol = jump_there.symbol;
      r.addend = jump_there.addend;
    }
    left.push_back(r);
  }
  sites.relocations = std::move(left);
  lay_out(sites);
}

void drop_call_rows(Object& object) {
  ObjectSection& sites = object.sections[section_named(object, ".call_sites")];
  std::erase_if(sites.relocations, [&](const Relocation& r) {
    return is_seldom_run(object.sections[target(object, r).section]);
  });
  lay_out(sites);
}

}  // namespace

void share_calls(Object& object) {
  uint32_t text = section_named(object, ".text");
  if (!text) return;
  Calls calls(object);
  std::map<uint32_t, size_t> count;  // by symbol
  for (uint32_t i = 1; i < object.sections.size(); ++i)
    for (const Relocation& r : object.sections[i].relocations) count[r.symbol] += calls.may_share(i, r);
  std::erase_if(count, [](const auto& item) { return item.second < least; });

  // The jumps stand behind the functions of .text.
  int64_t begin = object.sections[text].bytes.size(), end = begin;
  if (count.empty() || !add_entry_rows(object, text, begin, begin + jump_size * count.size())) return;
  uint32_t start = section_symbol(object, text);
  std::map<uint32_t, Relocation> shared;
  for (const auto& item : count) {
    shared[item.first] = {0, R_X86_64_PC32, start, end};
    end += jump_size;
  }
  std::map<Place, uint32_t> changed;
  for (uint32_t i = 1; i < object.sections.size(); ++i)
    for (Relocation& r : object.sections[i].relocations) {
      if (!count.count(r.symbol) || !calls.may_share(i, r)) continue;
      uint32_t symbol = r.symbol;
      changed[{i, static_cast<int64_t>(r.offset) - 1}] = symbol;
      r = {r.offset, R_X86_64_PC32, start, shared[symbol].addend - 4};
    }
  ObjectSection& code = object.sections[text];
  for (const auto& [symbol, place] : shared) {
    code.bytes += jump_operation + std::string(sizeof(int32_t), '\0');
    code.relocations.push_back({static_cast<uint64_t>(place.addend) + 1, R_X86_64_PLT32, symbol, -4});
  }
  for (const char* table : sites_of_thunks) retell(object, table, changed, shared);
  drop_call_rows(object);
}

}  // namespace stp
