// An object of a module, made by hand: code, the unwinder's table, and tables of places in the code.
#pragma once

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "build/code_places.h"
#include "build/object_file.h"

namespace stp {

// Rows of .orc_unwind: at an entry, behind a push of the frame pointer, with it set up, without one but
// 32 bytes of stack, and where nothing is known.
inline const std::string entry("\x08\0\0\0\x05\x02", 6), pushed("\x10\0\xf0\xff\x15\x02", 6),
    framed("\x10\0\xf0\xff\x14\x02", 6), deep("\x28\0\0\0\x05\x02", 6), unknown(6, '\0');

struct UnwindRow {
  uint32_t at;
  std::string says;
  bool operator==(const UnwindRow&) const = default;
};

class FakeCode : public testing::Test {
 protected:
  // Sections, those of code and the tables; and symbols: the two sections of code, and what the kernel has.
  enum : uint32_t { hot = 1, cold, unwind_places, unwind_rows, returns, retpolines, calls, alternatives };
  enum : uint32_t { start_of_hot = 1, start_of_cold, return_thunk, rax_thunk, kvfree, kfree, static_call };

  FakeCode() {
    auto section = [&](const char* name, uint64_t flags, size_t size) {
      object.sections.push_back({.name = name, .type = SHT_PROGBITS, .flags = SHF_ALLOC | flags,
                                 .bytes = std::string(size, '\x90'), .relocations = {}});
    };
    object.sections.resize(1);
    section(".text", SHF_EXECINSTR, 200), section(".text.unlikely", SHF_EXECINSTR, 200);
    for (const char* name : {".orc_unwind_ip", ".orc_unwind", ".return_sites", ".retpoline_sites", ".call_sites",
                             ".altinstructions"})
      section(name, 0, 0);
    object.symbols = {{},
                      {"", STB_LOCAL, STT_SECTION, STV_DEFAULT, hot, 0, 0},
                      {"", STB_LOCAL, STT_SECTION, STV_DEFAULT, cold, 0, 0}};
    for (const char* name : {"__x86_return_thunk", "__x86_indirect_thunk_rax", "kvfree", "kfree", "__SCT__cond_resched"})
      object.symbols.push_back({name, STB_GLOBAL, STT_NOTYPE, STV_DEFAULT, 0, 0, 0});
  }

  void function(const char* name, uint64_t begin, uint64_t size, uint32_t section = hot) {
    object.symbols.push_back({name, STB_GLOBAL, STT_FUNC, STV_DEFAULT, section, begin, size});
  }
  void row(int64_t at, const std::string& says, uint32_t section = hot) {
    site(unwind_places, at, section);
    object.sections[unwind_rows].bytes += says;
  }
  // A row of a table that tells places alone.
  void site(uint32_t table, int64_t at, uint32_t section = hot) {
    ObjectSection& sites = object.sections[table];
    sites.relocations.push_back({sites.bytes.size(), R_X86_64_PC32, section, at});
    sites.bytes += std::string(4, '\0');
  }
  // 5 bytes that call (e8) or jump (e9).
  void branch(int64_t at, char operation, uint32_t symbol, uint32_t section = hot) {
    ObjectSection& code = object.sections[section];
    code.bytes[at] = operation;
    code.relocations.push_back({static_cast<uint64_t>(at) + 1, R_X86_64_PLT32, symbol, -4});
  }
  // A jump to the thunk, known to the kernel.
  void return_at(int64_t at, uint32_t section = hot) {
    branch(at, '\xe9', return_thunk, section);
    site(returns, at, section);
  }
  std::vector<UnwindRow> rows(uint32_t section = hot) const {
    std::vector<UnwindRow> all;
    const ObjectSection &places = object.sections[unwind_places], &table = object.sections[unwind_rows];
    EXPECT_EQ(places.bytes.size() / 4, places.relocations.size());
    EXPECT_EQ(places.bytes.size() / 4 * 6, table.bytes.size());
    for (const Relocation& r : places.relocations)
      if (target(object, r).section == section)
        all.push_back({static_cast<uint32_t>(r.addend), table.bytes.substr(r.offset / 4 * 6, 6)});
    return all;
  }
  std::vector<Place> sites(uint32_t table) const {
    std::vector<Place> all;
    EXPECT_EQ(object.sections[table].bytes.size(), object.sections[table].relocations.size() * 4);
    for (const Relocation& r : object.sections[table].relocations) {
      EXPECT_EQ(r.offset, all.size() * 4);
      all.push_back(target(object, r));
    }
    return all;
  }
  // Where a call or a jump goes: the name of what the kernel has, or a place in .text.
  std::string goes_to(int64_t at, uint32_t section = hot) const {
    for (const Relocation& r : object.sections[section].relocations)
      if (r.offset == static_cast<uint64_t>(at) + 1)
        return r.symbol == start_of_hot ? std::to_string(r.addend + 4) : object.symbols[r.symbol].name;
    return "nowhere";
  }

  // Two with a frame pointer, one without, one more with one.
  void four_functions() {
    function("first", 0, 40);
    row(0, entry), row(1, pushed), row(4, framed), row(30, entry), row(35, framed), row(40, unknown);
    function("second", 48, 30);
    row(48, entry), row(49, pushed), row(52, framed), row(76, entry), row(78, unknown);
    function("quick", 80, 40);
    row(80, entry), row(84, deep), row(110, entry), row(115, deep), row(120, unknown);
    function("last", 128, 40);
    row(128, entry), row(129, pushed), row(132, framed), row(160, entry), row(168, unknown);
  }

  Object object;
};

}  // namespace stp
