// The unwinder's table and the returns of functions that keep a frame pointer, on an object made here.
#include "build/frames.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace stp {
namespace {

// Rows of .orc_unwind: at an entry, behind a push of the frame pointer, with it set up, without one but
// 32 bytes of stack, and where nothing is known.
const std::string entry("\x08\0\0\0\x05\x02", 6), pushed("\x10\0\xf0\xff\x15\x02", 6),
    framed("\x10\0\xf0\xff\x14\x02", 6), deep("\x28\0\0\0\x05\x02", 6), unknown(6, '\0');

struct Place {
  uint32_t at;
  std::string says;
  bool operator==(const Place&) const = default;
};

class FramesTest : public testing::Test {
 protected:
  FramesTest() {
    object.sections = {{},
                       {.name = ".text", .type = SHT_PROGBITS, .flags = SHF_ALLOC | SHF_EXECINSTR,
                        .bytes = std::string(200, '\x90'), .relocations = {}},
                       {.name = ".orc_unwind_ip", .type = SHT_PROGBITS, .flags = SHF_ALLOC, .bytes = {}, .relocations = {}},
                       {.name = ".orc_unwind", .type = SHT_PROGBITS, .flags = SHF_ALLOC, .bytes = {}, .relocations = {}},
                       {.name = ".return_sites", .type = SHT_PROGBITS, .flags = SHF_ALLOC, .bytes = {}, .relocations = {}}};
    object.symbols = {{}, {"", STB_LOCAL, STT_SECTION, STV_DEFAULT, 1, 0, 0},
                      {"__x86_return_thunk", STB_GLOBAL, STT_NOTYPE, STV_DEFAULT, 0, 0, 0}};
  }

  void function(const char* name, uint64_t begin, uint64_t size) {
    object.symbols.push_back({name, STB_GLOBAL, STT_FUNC, STV_DEFAULT, 1, begin, size});
  }
  void row(int64_t at, const std::string& says) {
    ObjectSection &places = object.sections[2], &table = object.sections[3];
    places.relocations.push_back({places.bytes.size(), R_X86_64_PC32, 1, at});
    places.bytes += std::string(4, '\0');
    table.bytes += says;
  }
  // A jump to the thunk, known to the kernel.
  void return_at(int64_t at) {
    ObjectSection &text = object.sections[1], &sites = object.sections[4];
    text.bytes[at] = '\xe9';
    text.relocations.push_back({static_cast<uint64_t>(at) + 1, R_X86_64_PLT32, 2, -4});
    sites.relocations.push_back({sites.bytes.size(), R_X86_64_PC32, 1, at});
    sites.bytes += std::string(4, '\0');
  }
  std::vector<Place> rows() const {
    std::vector<Place> all;
    const ObjectSection &places = object.sections[2], &table = object.sections[3];
    EXPECT_EQ(places.bytes.size() / 4, places.relocations.size());
    EXPECT_EQ(places.bytes.size() / 4 * 6, table.bytes.size());
    for (const Relocation& r : places.relocations)
      all.push_back({static_cast<uint32_t>(r.addend), table.bytes.substr(r.offset / 4 * 6, 6)});
    return all;
  }
  // Where a jump at `at` goes; -1 when that is the linker's business.
  int64_t goes_to(int64_t at) const {
    for (const Relocation& r : object.sections[1].relocations)
      if (r.offset == static_cast<uint64_t>(at) + 1) return -1;
    int32_t distance;
    std::memcpy(&distance, &object.sections[1].bytes[at + 1], sizeof distance);
    return at + 5 + distance;
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

TEST_F(FramesTest, NeighboursWithAFramePointerShareARow) {
  four_functions();
  shorten_unwind_table(object);
  EXPECT_EQ(rows(), (std::vector<Place>{{0, framed}, {80, entry}, {84, deep}, {110, entry}, {115, deep},
                                        {128, framed}, {168, unknown}}));
}

TEST_F(FramesTest, OrderInTheTableDoesNotMatter) {
  four_functions();
  Object sorted = object;
  // The same rows, last one first.
  object.sections[2].bytes.clear(), object.sections[2].relocations.clear(), object.sections[3].bytes.clear();
  for (size_t i = sorted.sections[2].relocations.size(); i-- > 0;)
    row(sorted.sections[2].relocations[i].addend, sorted.sections[3].bytes.substr(i * 6, 6));
  shorten_unwind_table(object);
  EXPECT_EQ(rows().size(), 7u);
  EXPECT_EQ(rows().front(), (Place{0, framed}));
}

TEST_F(FramesTest, WithoutFramePointersAllStays) {
  function("quick", 80, 40);
  row(80, entry), row(84, deep), row(110, entry), row(115, deep), row(120, unknown);
  auto before = rows();
  shorten_unwind_table(object);
  EXPECT_EQ(rows(), before);
}

TEST_F(FramesTest, WhatIsUnknownWithinAFunctionStays) {
  function("quick", 80, 40);
  row(80, entry), row(90, unknown), row(100, deep);
  function("framed", 128, 40);
  row(128, entry), row(132, framed), row(168, unknown);
  shorten_unwind_table(object);
  EXPECT_EQ(rows(), (std::vector<Place>{
                        {80, entry}, {90, unknown}, {100, deep}, {128, framed}, {168, unknown}}));
}

TEST_F(FramesTest, AFunctionOfWhichNothingIsKnownStaysSo) {
  function("framed", 0, 40);
  row(0, entry), row(1, pushed), row(4, framed), row(40, unknown);
  function("behind a gap", 48, 16);
  row(48, unknown);
  function("framed as well", 64, 16);
  row(64, entry), row(68, framed), row(80, unknown);
  function("next to it", 80, 16);
  row(80, unknown);
  function("quick", 96, 16);
  row(96, unknown), row(96, entry), row(112, unknown);
  shorten_unwind_table(object);
  EXPECT_EQ(rows(), (std::vector<Place>{{0, framed}, {48, unknown}, {64, framed}, {80, unknown},
                                        {96, entry}, {112, unknown}}));
}

TEST_F(FramesTest, WhatBeginsAsAFunctionWithAFramePointerEndsHasARow) {
  function("framed", 0, 40);
  row(0, entry), row(1, pushed), row(4, framed), row(39, entry);
  function("quick", 40, 40);
  row(50, deep), row(75, entry), row(80, unknown);
  function("__pfx_another", 80, 16), function("another", 96, 34);
  row(80, entry), row(100, framed), row(129, entry);
  function("__pfx_calls", 130, 16), function("calls", 146, 10);
  row(156, unknown);
  shorten_unwind_table(object);
  EXPECT_EQ(rows(), (std::vector<Place>{{0, framed}, {40, entry}, {50, deep}, {75, entry}, {96, framed},
                                        {146, entry}, {156, unknown}}));
}

TEST_F(FramesTest, ALongPartWithoutAFrameKeepsItsRow) {
  function("decides_first", 0, 100);
  row(0, entry), row(40, pushed), row(43, framed), row(80, entry), row(84, framed), row(100, unknown);
  function("last", 112, 40);
  row(112, entry), row(113, pushed), row(116, framed), row(150, entry), row(152, unknown);
  shorten_unwind_table(object);
  EXPECT_EQ(rows(), (std::vector<Place>{{0, entry}, {40, framed}, {152, unknown}}));
}

TEST_F(FramesTest, ATableOfAnotherKindIsLeftAlone) {
  four_functions();
  object.sections[3].bytes += "x";
  Object before = object;
  share_returns(object);
  shorten_unwind_table(object);
  EXPECT_EQ(object.sections[2].bytes, before.sections[2].bytes);
  EXPECT_EQ(object.sections[3].bytes, before.sections[3].bytes);
}

TEST_F(FramesTest, FunctionsWithAFramePointerReturnThroughOnePlace) {
  four_functions();
  for (int at : {30, 64, 72, 110, 160}) return_at(at);
  // A jump to another function is none.
  object.sections[1].bytes[20] = '\xe8';
  object.sections[1].relocations.push_back({21, R_X86_64_PLT32, 2, -4});
  share_returns(object);
  EXPECT_EQ(goes_to(30), -1);
  EXPECT_EQ(goes_to(64), 30);
  EXPECT_EQ(goes_to(72), 30);
  EXPECT_EQ(goes_to(110), -1);  // without one: its own
  EXPECT_EQ(goes_to(160), 30);
  EXPECT_EQ(goes_to(20), -1);
  const ObjectSection& sites = object.sections[4];
  ASSERT_EQ(sites.relocations.size(), 2u);
  EXPECT_EQ(sites.bytes.size(), 8u);
  EXPECT_EQ(sites.relocations[0].addend, 30);
  EXPECT_EQ(sites.relocations[1].addend, 110);
  EXPECT_EQ(sites.relocations[1].offset, 4u);
}

}  // namespace
}  // namespace stp
