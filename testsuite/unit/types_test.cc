// Types as C writes them, location trees, and members through anonymous structures.
#include <gtest/gtest.h>

#include <map>

#include "types/location.h"
#include "types/provider.h"
#include "types/type.h"

namespace stp::types {
namespace {

const Type int_type{Kind::integer, "int", 4, true, nullptr, {}, 0};
const Type char_type{Kind::character, "char", 1, true, nullptr, {}, 0};
const Type file_type{Kind::structure, "file", 64, false, nullptr, {}, 1};

Type around(Kind kind, const Type* of, const std::string& name = "") {
  return {kind, name, 8, false, of, {}, 0};
}

TEST(SpellType, WritesPointersBehindTheTag) {
  Type pointer = around(Kind::pointer, &file_type), twice = around(Kind::pointer, &pointer);
  EXPECT_EQ(spell(&pointer), "struct file *");
  EXPECT_EQ(spell(&twice), "struct file **");
}

TEST(SpellType, WritesNullAsVoid) {
  Type pointer = around(Kind::pointer, nullptr);
  EXPECT_EQ(spell(nullptr), "void");
  EXPECT_EQ(spell(&pointer), "void *");
}

TEST(SpellType, SetsAPointerToAnArrayInParentheses) {
  Type array = around(Kind::array, &char_type);
  array.count = 16;
  Type pointer = around(Kind::pointer, &array);
  Type of_pointers = around(Kind::array, &pointer);
  EXPECT_EQ(spell(&array), "char [16]");
  EXPECT_EQ(spell(&pointer), "char (*)[16]");
  EXPECT_EQ(spell(&of_pointers), "char (*[])[16]");
}

TEST(SpellType, NamesTypedefsAndLooksThroughQualifiers) {
  Type alias = around(Kind::type_alias, &int_type, "pid_t");
  Type constant = around(Kind::qualifier, &alias);
  EXPECT_EQ(spell(&constant), "pid_t");
}

TEST(SpellType, EndsOnACircularType) {
  Type circle = around(Kind::pointer, nullptr);
  circle.of = &circle;
  EXPECT_NE(spell(&circle).find("..."), std::string::npos);
}

TEST(StripType, RemovesTypedefsAndQualifiersButNotPointers) {
  Type pointer = around(Kind::pointer, &int_type);
  Type constant = around(Kind::qualifier, &pointer);
  Type alias = around(Kind::type_alias, &constant, "int_p");
  EXPECT_EQ(strip(&alias), &pointer);
  EXPECT_EQ(strip(nullptr), nullptr);
}

TEST(StripType, TakesAConstVoidForVoid) {
  Type constant = around(Kind::qualifier, nullptr);
  EXPECT_EQ(strip(&constant), nullptr);
}

TEST(LocationTree, ComputesConstants) {
  LocPtr sum = loc_binary(LocOp::mul, loc_constant(6), loc_constant(7));
  ASSERT_EQ(sum->op, LocOp::constant);
  EXPECT_EQ(sum->value, 42);
}

TEST(LocationTree, WrapsAroundLikeTheMachine) {
  LocPtr sum = loc_binary(LocOp::add, loc_constant(INT64_MAX), loc_constant(1));
  ASSERT_EQ(sum->op, LocOp::constant);
  EXPECT_EQ(sum->value, INT64_MIN);
}

TEST(LocationTree, LeavesADivisionByZeroToTheRunTime) {
  EXPECT_EQ(loc_binary(LocOp::div, loc_constant(1), loc_constant(0))->op, LocOp::div);
}

TEST(LocationTree, AddsOffsetsUp) {
  LocPtr first = loc_binary(LocOp::add, loc_reg(7), loc_constant(24));
  LocPtr both = loc_binary(LocOp::sub, first, loc_constant(8));
  ASSERT_EQ(both->op, LocOp::add);
  EXPECT_EQ(both->args[0]->value, 7);
  EXPECT_EQ(both->args[1]->value, 16);
  EXPECT_EQ(loc_binary(LocOp::sub, both, loc_constant(16))->op, LocOp::reg);
}

TEST(LocationTree, AddsOffsetsToAddresses) {
  LocPtr moved = loc_binary(LocOp::sub, loc_address(0x1000), loc_constant(0x10));
  ASSERT_EQ(moved->op, LocOp::address);
  EXPECT_EQ(moved->value, 0xff0);
}

// Structures by handle.
class FakeProvider : public Provider {
 public:
  std::map<uint64_t, std::vector<Member>> structures;

  std::string_view source() const override { return "fake"; }
  std::vector<Function> functions(const FunctionQuery&) const override { return {}; }
  std::vector<std::string> function_names() const override { return {}; }
  Answer<std::vector<Statement>> statements(const FunctionQuery&, uint32_t, bool,
                                            bool) const override {
    return Lack{};
  }
  std::optional<Function> function_at(uint64_t) const override { return {}; }
  uint64_t after_prologue(const Function& f) const override { return f.address; }
  Answer<std::vector<Variable>> variables(const Place&) const override { return Lack{}; }
  Answer<Variable> variable(const Place&, std::string_view) const override { return Lack{}; }
  Answer<Variable> return_value(const Function&) const override { return Lack{}; }
  Answer<Variable> global(std::string_view, std::string_view) const override { return Lack{}; }
  std::vector<Tracepoint> tracepoints(std::string_view) const override { return {}; }
  Answer<const Type*> type(std::string_view) const override { return Lack{}; }
  std::vector<Member> members(const Type& type) const override {
    auto found = structures.find(type.handle);
    return found == structures.end() ? std::vector<Member>{} : found->second;
  }
  std::vector<Enumerator> enumerators(const Type&) const override { return {}; }
  std::optional<int64_t> enumerator(std::string_view) const override { return {}; }
  std::optional<uint64_t> symbol(std::string_view) const override { return {}; }
};

class FindMember : public testing::Test {
 protected:
  // struct file { int flags; union { struct { int length; int hash; }; int both; }; };
  FindMember() {
    provider.structures[1] = {{"flags", &int_type, 0, 0, 0}, {"", &outer, 8, 0, 0}};
    provider.structures[2] = {{"", &inner, 0, 0, 0}, {"both", &int_type, 0, 0, 0}};
    provider.structures[3] = {{"length", &int_type, 0, 0, 0}, {"hash", &int_type, 4, 3, 5}};
  }
  Type outer{Kind::union_type, "", 8, false, nullptr, {}, 2};
  Type inner{Kind::structure, "", 8, false, nullptr, {}, 3};
  FakeProvider provider;
};

TEST_F(FindMember, AddsTheOffsetsOfAnonymousStructuresAround) {
  auto found = find_member(provider, file_type, "hash");
  ASSERT_TRUE(get(found));
  EXPECT_EQ(get(found)->offset, 12u);
  EXPECT_EQ(get(found)->bit_offset, 3u);
  EXPECT_EQ(get(found)->bit_size, 5u);
}

TEST_F(FindMember, LooksThroughTypedefs) {
  Type alias = around(Kind::type_alias, &file_type, "file_t");
  EXPECT_TRUE(get(find_member(provider, alias, "flags")));
}

TEST_F(FindMember, NamesTheNearestOfAllLevels) {
  auto found = find_member(provider, file_type, "lenght");
  ASSERT_FALSE(get(found));
  EXPECT_EQ(lack(found).kind, Lack::Kind::not_found);
  EXPECT_EQ(lack(found).alike(), std::vector<std::string>{"length"});
}

TEST_F(FindMember, RefusesWhatHasNoMembers) {
  auto found = find_member(provider, int_type, "flags");
  ASSERT_FALSE(get(found));
  EXPECT_EQ(lack(found).detail, "int has no members");
}

TEST_F(FindMember, EndsInACircleOfAnonymousStructures) {
  provider.structures[3] = {{"", &outer, 0, 0, 0}};
  EXPECT_FALSE(get(find_member(provider, file_type, "nothing")));
}

}  // namespace
}  // namespace stp::types
