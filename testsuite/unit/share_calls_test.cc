// Calls of the kernel's functions that go through one place, in code made by hand.
#include "build/share_calls.h"

#include "fake_code.h"

namespace stp {
namespace {

constexpr char call = '\xe8', jump = '\xe9';
constexpr int64_t end = 200;  // of .text: where what is shared begins

class ShareCallsTest : public FakeCode {
 protected:
  ShareCallsTest() { four_functions(); }
};

TEST_F(ShareCallsTest, FunctionsWithAFramePointerReturnThroughOnePlace) {
  for (int at : {30, 64, 72, 110, 160}) return_at(at);
  // A call is no return, nor is a jump elsewhere.
  branch(20, call, return_thunk);
  branch(140, jump, kvfree), branch(150, jump, kvfree);
  share_calls(object);
  for (int at : {30, 64, 72, 160}) EXPECT_EQ(goes_to(at), "200");
  EXPECT_EQ(goes_to(110), "__x86_return_thunk");  // without one: its own
  EXPECT_EQ(goes_to(20), "__x86_return_thunk");
  EXPECT_EQ(goes_to(140), "kvfree");
  EXPECT_EQ(goes_to(end), "__x86_return_thunk");
  EXPECT_EQ(object.sections[hot].bytes.substr(end), std::string("\xe9\0\0\0\0", 5));
  EXPECT_EQ(sites(returns), (std::vector<Place>{{hot, end}, {hot, 110}}));
  EXPECT_EQ(rows().end()[-2], (UnwindRow{end, entry}));
  EXPECT_EQ(rows().back(), (UnwindRow{end + 5, unknown}));
}

TEST_F(ShareCallsTest, SeldomRunFunctionsShareWhatTheyCall) {
  branch(10, call, kvfree, cold), branch(20, call, kvfree, cold), branch(30, jump, kvfree, cold);
  branch(40, call, kfree, cold);                               // one alone gains nothing
  branch(50, call, kvfree), branch(132, call, kvfree);         // what hits pass
  branch(60, call, static_call, cold), branch(70, call, static_call, cold);  // patched where they are
  return_at(80, cold), return_at(90, cold);                    // also without a frame pointer
  share_calls(object);
  EXPECT_EQ(goes_to(end), "__x86_return_thunk");
  EXPECT_EQ(goes_to(end + 5), "kvfree");
  EXPECT_EQ(object.sections[hot].bytes.size(), static_cast<size_t>(end + 10));
  for (int at : {10, 20, 30}) EXPECT_EQ(goes_to(at, cold), "205");
  for (int at : {80, 90}) EXPECT_EQ(goes_to(at, cold), "200");
  EXPECT_EQ(goes_to(40, cold), "kfree");
  for (int at : {50, 132}) EXPECT_EQ(goes_to(at), "kvfree");
  for (int at : {60, 70}) EXPECT_EQ(goes_to(at, cold), "__SCT__cond_resched");
  EXPECT_EQ(sites(returns), (std::vector<Place>{{hot, end}}));
}

TEST_F(ShareCallsTest, TheKernelIsToldOfTheSharedJumpToAThunk) {
  for (int at : {10, 20, 30}) branch(at, call, rax_thunk, cold);
  site(retpolines, 10, cold), site(retpolines, 20, cold);
  site(retpolines, 29, cold);  // the instruction has a prefix
  branch(100, call, rax_thunk), site(retpolines, 100);
  share_calls(object);
  for (int at : {10, 20}) EXPECT_EQ(goes_to(at, cold), "200");
  EXPECT_EQ(goes_to(30, cold), "__x86_indirect_thunk_rax");
  EXPECT_EQ(goes_to(100), "__x86_indirect_thunk_rax");
  EXPECT_EQ(sites(retpolines), (std::vector<Place>{{hot, end}, {cold, 29}, {hot, 100}}));
}

TEST_F(ShareCallsTest, WhatAnAlternativeTakesThePlaceOfStays) {
  for (int at : {10, 20, 30}) branch(at, call, kvfree, cold);
  ObjectSection& table = object.sections[alternatives];
  table.bytes = std::string("\0\0\0\0\0\0\0\0\0\0\x07\x05", 12);  // 7 bytes that become 5
  table.relocations = {{0, R_X86_64_PC32, start_of_cold, 18}, {4, R_X86_64_PC32, start_of_cold, 190}};
  share_calls(object);
  EXPECT_EQ(goes_to(10, cold), "200");
  EXPECT_EQ(goes_to(20, cold), "kvfree");
  EXPECT_EQ(goes_to(30, cold), "200");
}

TEST_F(ShareCallsTest, CallsOfSeldomRunFunctionsAreNotCounted) {
  branch(10, call, kvfree, cold), branch(20, call, kvfree, cold), branch(30, call, kvfree);
  site(calls, 10, cold), site(calls, 30), site(calls, 60, cold);
  share_calls(object);
  EXPECT_EQ(sites(calls), (std::vector<Place>{{hot, 30}}));
}

TEST_F(ShareCallsTest, WithoutAnUnwindersTableAllStays) {
  branch(10, call, kvfree, cold), branch(20, call, kvfree, cold);
  object.sections[unwind_rows].bytes += "x";
  share_calls(object);
  EXPECT_EQ(goes_to(10, cold), "kvfree");
  EXPECT_EQ(object.sections[hot].bytes.size(), static_cast<size_t>(end));
}

}  // namespace
}  // namespace stp
