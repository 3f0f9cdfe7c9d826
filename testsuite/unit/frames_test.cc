// The unwinder's table of functions that keep a frame pointer, on an object made by hand.
#include "build/frames.h"

#include "fake_code.h"

namespace stp {
namespace {

class FramesTest : public FakeCode {};

TEST_F(FramesTest, NeighboursWithAFramePointerShareARow) {
  four_functions();
  shorten_unwind_table(object);
  EXPECT_EQ(rows(), (std::vector<UnwindRow>{{0, framed}, {80, entry}, {84, deep}, {110, entry}, {115, deep},
                                        {128, framed}, {168, unknown}}));
}

TEST_F(FramesTest, OrderInTheTableDoesNotMatter) {
  four_functions();
  Object sorted = object;
  // The same rows, last one first.
  object.sections[unwind_places].bytes.clear(), object.sections[unwind_places].relocations.clear(), object.sections[unwind_rows].bytes.clear();
  for (size_t i = sorted.sections[unwind_places].relocations.size(); i-- > 0;)
    row(sorted.sections[unwind_places].relocations[i].addend, sorted.sections[unwind_rows].bytes.substr(i * 6, 6));
  shorten_unwind_table(object);
  EXPECT_EQ(rows().size(), 7u);
  EXPECT_EQ(rows().front(), (UnwindRow{0, framed}));
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
  EXPECT_EQ(rows(), (std::vector<UnwindRow>{
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
  EXPECT_EQ(rows(), (std::vector<UnwindRow>{{0, framed}, {48, unknown}, {64, framed}, {80, unknown},
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
  EXPECT_EQ(rows(), (std::vector<UnwindRow>{{0, framed}, {40, entry}, {50, deep}, {75, entry}, {96, framed},
                                        {146, entry}, {156, unknown}}));
}

TEST_F(FramesTest, ALongPartWithoutAFrameKeepsItsRow) {
  function("decides_first", 0, 100);
  row(0, entry), row(40, pushed), row(43, framed), row(80, entry), row(84, framed), row(100, unknown);
  function("last", 112, 40);
  row(112, entry), row(113, pushed), row(116, framed), row(150, entry), row(152, unknown);
  shorten_unwind_table(object);
  EXPECT_EQ(rows(), (std::vector<UnwindRow>{{0, entry}, {40, framed}, {152, unknown}}));
}

TEST_F(FramesTest, ATableOfAnotherKindIsLeftAlone) {
  four_functions();
  object.sections[unwind_rows].bytes += "x";
  Object before = object;
  shorten_unwind_table(object);
  EXPECT_EQ(object.sections[unwind_places].bytes, before.sections[unwind_places].bytes);
  EXPECT_EQ(object.sections[unwind_rows].bytes, before.sections[unwind_rows].bytes);
}

TEST_F(FramesTest, AQuickFunctionThatIsSeldomRunSharesTheRowOfItsNeighbours) {
  function("first", 0, 40, cold);
  row(0, entry, cold), row(4, framed, cold), row(39, entry, cold), row(40, unknown, cold);
  function("quick", 40, 30, cold);
  row(40, entry, cold), row(70, unknown, cold);
  function("pushes", 70, 10, cold);
  row(70, entry, cold), row(72, deep, cold), row(80, unknown, cold);
  function("longer", 80, 70, cold);
  row(80, entry, cold), row(150, unknown, cold);
  function("quick_and_hot", 0, 20);
  row(0, entry), row(20, unknown);
  shorten_unwind_table(object);
  EXPECT_EQ(rows(cold), (std::vector<UnwindRow>{{0, framed}, {72, deep}, {80, entry}, {150, unknown}}));
  EXPECT_EQ(rows(), (std::vector<UnwindRow>{{0, entry}, {20, unknown}}));
}

TEST_F(FramesTest, CodeThatJumpsOnIsToldOfAsAnEntry) {
  EXPECT_FALSE(add_entry_rows(object, hot, 170, 180));
  four_functions();
  size_t before = rows().size();
  EXPECT_TRUE(add_entry_rows(object, hot, 170, 180));
  ASSERT_EQ(rows().size(), before + 2);
  EXPECT_EQ(rows()[before], (UnwindRow{170, entry}));
  EXPECT_EQ(rows()[before + 1], (UnwindRow{180, unknown}));
}

}  // namespace
}  // namespace stp
