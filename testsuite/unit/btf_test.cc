// The BTF provider: types, functions, arguments and tracepoints.
#include "debuginfo/btf.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "debuginfo/image.h"
#include "target/target.h"
#include "testsuite/unit/fake_image.h"

namespace stp {
namespace {

using namespace testing_images;
using types::Lack;
using types::Location;
using types::LocOp;

// struct point { long x; int flag : 3; int rest : 13; struct { char c; int y; }; };
// struct big { struct point p[3]; };
// enum color { RED, GREEN = 5 };
// long use(struct point *p, int n, struct big by_value, unsigned char last);
// void nothing(void);
void fill(struct btf* b) {
  int long_id = btf__add_int(b, "long int", 8, BTF_INT_SIGNED);
  int int_id = btf__add_int(b, "int", 4, BTF_INT_SIGNED);
  int char_id = btf__add_int(b, "char", 1, BTF_INT_SIGNED);
  int uchar = btf__add_int(b, "unsigned char", 1, 0);
  int inner = btf__add_struct(b, "", 8);
  btf__add_field(b, "c", char_id, 0, 0);
  btf__add_field(b, "y", int_id, 32, 0);
  int point = btf__add_struct(b, "point", 24);
  btf__add_field(b, "x", long_id, 0, 0);
  btf__add_field(b, "flag", int_id, 64, 3);
  btf__add_field(b, "rest", int_id, 67, 13);
  btf__add_field(b, "", inner, 96, 0);
  int points = btf__add_array(b, int_id, point, 3);
  int big = btf__add_struct(b, "big", 72);
  btf__add_field(b, "p", points, 0, 0);
  btf__add_enum(b, "color", 4);
  btf__add_enum_value(b, "RED", 0);
  btf__add_enum_value(b, "GREEN", 5);
  int point_ptr = btf__add_ptr(b, btf__add_const(b, point));
  int use = btf__add_func_proto(b, long_id);
  btf__add_func_param(b, "p", point_ptr);
  btf__add_func_param(b, "n", int_id);
  btf__add_func_param(b, "by_value", big);
  btf__add_func_param(b, "last", uchar);
  btf__add_func(b, "use", BTF_FUNC_GLOBAL, use);
  btf__add_func(b, "nothing", BTF_FUNC_STATIC, btf__add_func_proto(b, 0));
  int iter = btf__add_func_proto(b, int_id);
  btf__add_func_param(b, "__data", point_ptr);
  btf__add_func_param(b, "p", point_ptr);
  btf__add_func_param(b, "", int_id);
  btf__add_func(b, "__traceiter_hop", BTF_FUNC_GLOBAL, iter);
}

std::string image_with(const std::string& btf) {
  return make_elf({{".BTF", SHT_PROGBITS, SHF_ALLOC, 0x1000, btf, 0}});
}

Target target_of(const World& world, const std::string& btf) {
  Target target;
  target.release = "9.1-test";
  target.vmlinux = world.write("vmlinux", image_with(btf));
  return target;
}

class BtfProvider : public testing::Test {
 protected:
  BtfProvider() {
    std::string why_not;
    provider = open_btf(target_of(world, make_btf(fill)), why_not);
  }
  const types::Type* type(std::string_view spelling) {
    auto found = provider->type(spelling);
    return types::get(found) ? *types::get(found) : nullptr;
  }
  types::Place entry_of(const std::string& name) {
    return {provider->functions({name, "", false}).at(0), 0, true};
  }
  World world;
  std::unique_ptr<types::Provider> provider;
};

TEST_F(BtfProvider, ReadsMembersAndBitFields) {
  auto members = provider->members(*type("struct point"));
  ASSERT_EQ(members.size(), 4u);
  EXPECT_EQ(members[1].offset, 8u);
  EXPECT_EQ(members[1].bit_size, 3);
  EXPECT_EQ(members[2].offset, 8u);
  EXPECT_EQ(members[2].bit_offset, 3);
  EXPECT_EQ(members[2].bit_size, 13);
  EXPECT_EQ(members[3].name, "");
  EXPECT_EQ(members[3].offset, 12u);
  auto array = provider->members(*type("struct big"))[0].type;
  EXPECT_EQ(array->kind, types::Kind::array);
  EXPECT_EQ(array->count, 3u);
  EXPECT_EQ(array->size, 72u);
}

TEST_F(BtfProvider, FindsTypesHoweverTheyAreSpelled) {
  EXPECT_EQ(type("long"), type("long int"));
  EXPECT_EQ(type("signed long int"), type("int long"));
  EXPECT_EQ(type("point"), type("struct point"));
  EXPECT_EQ(type("const struct point"), type("struct point"));
  ASSERT_TRUE(type("struct point **"));
  EXPECT_EQ(type("struct point **")->of->of, type("struct point"));
  EXPECT_EQ(type("void *")->of, nullptr);
  EXPECT_FALSE(type("union point"));
  EXPECT_FALSE(type("struct point + 1"));
  auto wrong = provider->type("struct pont");
  EXPECT_EQ(types::lack(wrong).alike(), std::vector<std::string>{"point"});
}

TEST_F(BtfProvider, ReadsEnumerators) {
  EXPECT_EQ(provider->enumerator("GREEN"), 5);
  EXPECT_EQ(provider->enumerator("BLUE"), std::nullopt);
  EXPECT_EQ(provider->enumerators(*type("enum color")).size(), 2u);
}

TEST_F(BtfProvider, PlacesArgumentsByTheAbi) {
  auto answer = provider->variables(entry_of("use"));
  ASSERT_TRUE(types::get(answer));
  const auto& v = *types::get(answer);
  ASSERT_EQ(v.size(), 4u);
  EXPECT_EQ(v[0].location.value->value, 5);               // rdi
  EXPECT_EQ(v[1].location.value->value, 4);               // rsi
  EXPECT_EQ(v[2].location.kind, Location::Kind::memory);  // 72 bytes: above the return address
  EXPECT_EQ(v[2].location.value->op, LocOp::add);
  EXPECT_EQ(v[2].location.value->args[1]->value, 8);
  EXPECT_EQ(v[3].location.value->value, 1);  // rdx: the structure took no register
  auto result = provider->return_value(entry_of("use").function);
  EXPECT_EQ(types::get(result)->location.value->value, 0);  // rax
}

TEST_F(BtfProvider, SaysWhatOnlyDwarfCouldTell) {
  auto kind_of = [](const auto& answer) { return types::lack(answer).kind; };
  EXPECT_EQ(kind_of(provider->statements({"use", "", false}, 10, false, false)), Lack::Kind::dwarf);
  EXPECT_EQ(kind_of(provider->variable(entry_of("use"), "local")), Lack::Kind::dwarf);
  auto inside = entry_of("use");
  inside.at_entry = false;
  EXPECT_EQ(kind_of(provider->variables(inside)), Lack::Kind::dwarf);
  EXPECT_EQ(kind_of(provider->return_value(entry_of("nothing").function)), Lack::Kind::not_found);
  EXPECT_EQ(kind_of(provider->global("jiffies", "")), Lack::Kind::not_found);
}

TEST_F(BtfProvider, KnowsFunctionsByNameWithoutSymbols) {
  auto all = provider->functions({"*", "", false});
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[1].name, "nothing");
  EXPECT_EQ(all[1].address, 0u);
  EXPECT_FALSE(all[1].is_global);
  EXPECT_TRUE(all[2].is_global);
  EXPECT_TRUE(provider->functions({"absent", "", false}).empty());
}

TEST_F(BtfProvider, ReadsTracepoints) {
  auto hops = provider->tracepoints("h*p");
  ASSERT_EQ(hops.size(), 1u);
  EXPECT_EQ(hops[0].name, "hop");
  ASSERT_EQ(hops[0].params.size(), 2u);
  EXPECT_EQ(hops[0].params[0].name, "p");
  EXPECT_EQ(hops[0].params[1].name, "arg2");
}

// ---- damage

// Asks everything that leads through types.
void walk(const types::Provider& provider) {
  provider.function_names();
  provider.tracepoints("*");
  provider.enumerator("GREEN");
  for (auto* name : {"struct point", "struct big", "enum color", "long", "struct file",
                     "struct task_struct", "absent"}) {
    auto found = provider.type(name);
    if (!types::get(found)) continue;
    for (const auto& member : provider.members(**types::get(found)))
      if (auto* inner = types::strip(member.type)) provider.members(*inner);
    provider.enumerators(**types::get(found));
  }
  for (auto* name : {"use", "vfs_read", "vfs_write", "schedule"})
    for (const auto& f : provider.functions({name, "", false})) {
      provider.variables({f, f.address, true});
      provider.return_value(f);
    }
}

TEST(DamagedBtf, IsRefusedOrReadWithoutACrash) {
  World world;
  std::string whole = make_btf(fill);
  size_t refused = 0;
  for (size_t at = 0; at < whole.size(); ++at) {
    for (int bit : {0, 1, 2, 4, 7}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      std::string why_not;
      auto provider = open_btf(target_of(world, damaged), why_not);
      EXPECT_EQ(!provider, !why_not.empty()) << at;
      refused += !provider;
      if (provider) walk(*provider);
    }
  }
  EXPECT_GT(refused, 0u);
}

TEST(DamagedBtf, IsRefusedWhenItIsCutOff) {
  World world;
  std::string whole = make_btf(fill);
  for (size_t size = 0; size < whole.size(); ++size) {
    std::string why_not;
    EXPECT_FALSE(open_btf(target_of(world, whole.substr(0, size)), why_not)) << size;
    EXPECT_FALSE(why_not.empty()) << size;
  }
}

TEST(DamagedBtf, IsRefusedWhenTypesGoRoundInCircles) {
  auto refused = [](auto fill_it) {
    World world;
    std::string why_not;
    bool none = !open_btf(target_of(world, make_btf(fill_it)), why_not);
    return none && why_not.find("damaged") != why_not.npos;
  };
  EXPECT_TRUE(refused([](struct btf* b) { btf__add_typedef(b, "self", 1); }));
  EXPECT_TRUE(refused([](struct btf* b) {
    btf__add_ptr(b, 2);
    btf__add_const(b, 1);
  }));
  EXPECT_TRUE(refused([](struct btf* b) {
    btf__add_struct(b, "holds_itself", 8);
    btf__add_field(b, "", 1, 0, 0);
  }));
  EXPECT_TRUE(refused([](struct btf* b) { btf__add_ptr(b, 1000); }));
  EXPECT_FALSE(refused([](struct btf* b) {  // a list is no circle
    btf__add_struct(b, "list", 8);
    btf__add_field(b, "next", 2, 0, 0);
    btf__add_ptr(b, 1);
  }));
}

// ---- real kernels that are here

std::vector<Target> targets_here() {
  std::vector<Target> targets;
  for (const auto& known : known_kernels()) {
    Diagnostics ignored;
    auto target = known.has_image ? find_target(known.release, ignored) : std::nullopt;
    if (target && !target->vmlinux.empty()) targets.push_back(*target);
  }
  return targets;
}

TEST(KernelBtf, AnswersWhatScriptsAskMost) {
  auto targets = targets_here();
  if (targets.empty()) GTEST_SKIP() << "no kernel image is here";
  for (const auto& target : targets) {
    std::string why_not;
    auto provider = open_btf(target, why_not);
    ASSERT_TRUE(provider) << why_not;
    auto found = provider->functions({"vfs_read", "", false});
    ASSERT_EQ(found.size(), 1u) << target.release;
    EXPECT_GT(found[0].address, 0xffffffff80000000u);
    EXPECT_EQ(provider->function_at(found[0].address + 3)->name, "vfs_read");
    EXPECT_EQ(provider->symbol("vfs_read"), found[0].address);
    auto count = provider->variable({found[0], found[0].address, true}, "count");
    ASSERT_TRUE(types::get(count));
    EXPECT_EQ(types::get(count)->location.value->value, 1);  // rdx
    auto sched = provider->tracepoints("sched_switch");
    ASSERT_EQ(sched.size(), 1u);
    EXPECT_EQ(sched[0].system, "sched");
    EXPECT_EQ(sched[0].params[1].name, "prev");
    auto comm =
        types::find_member(*provider, **types::get(provider->type("struct task_struct")), "comm");
    ASSERT_TRUE(types::get(comm));
    EXPECT_EQ(types::get(comm)->type->size, 16u);
  }
}

TEST(KernelBtf, SurvivesDamage) {
  auto targets = targets_here();
  if (targets.empty()) GTEST_SKIP() << "no kernel image is here";
  std::string why_not;
  World world;
  std::string whole(Image::open(targets[0].vmlinux, why_not)->section(".BTF")->data);
  uint32_t random = 7;
  for (int round = 0; round < 20; ++round) {
    std::string damaged = whole;
    for (int i = 0; i < 1 << (round / 2); ++i) {
      random = random * 1664525 + 1013904223;
      damaged[64 + random % (damaged.size() - 64)] ^= static_cast<char>(1 << (random >> 29));
    }
    why_not.clear();
    auto provider = open_btf(target_of(world, damaged), why_not);
    EXPECT_EQ(!provider, !why_not.empty());
    if (provider) walk(*provider);
  }
}

}  // namespace
}  // namespace stp
