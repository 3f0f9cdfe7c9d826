// The symbol table: its sources, its index, and names.
#include "debuginfo/symbols.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "debuginfo/glob.h"
#include "debuginfo/image.h"
#include "debuginfo/kallsyms.h"
#include "target/target.h"
#include "testsuite/unit/fake_image.h"

namespace stp {
namespace {

namespace fs = std::filesystem;
using namespace testing_images;

// Padded to the size from which a file counts as a System.map.
std::string system_map() {
  std::string text =
      "0000000000000000 A fixed_percpu_data\n"
      "ffffffff81000000 T _text\n"
      "ffffffff81000100 T vfs_read\n"
      "ffffffff81000100 T vfs_read_alias\n"
      "ffffffff81000180 t helper\n"
      "ffffffff81000200 t helper\n"
      "ffffffff81000300 t vfs_read.isra.0\n"
      "ffffffff82000000 T _sinittext\n"
      "ffffffff82000010 t early\n"
      "ffffffff82001000 T _einittext\n"
      "ffffffff83000000 D table\n";
  for (int i = 0; text.size() < 5000; ++i)
    text += "ffffffff840" + std::to_string(10000 + i) + " d filler" + std::to_string(i) + "\n";
  return text;
}

Target with_map(const World& world) {
  Target target;
  target.release = "9.1";
  target.debuginfo = world.write("vmlinux", make_elf({}));
  world.write("System.map-9.1", system_map());
  return target;
}

TEST(Symbols, AreFoundByNameAndByAddress) {
  World world;
  std::string why_not;
  auto symbols = Symbols::open(with_map(world), why_not);
  ASSERT_TRUE(symbols) << why_not;
  EXPECT_EQ(symbols->source(), "System.map");
  EXPECT_EQ(symbols->address("vfs_read"), 0xffffffff81000100u);
  EXPECT_EQ(symbols->address("vfs_rea"), std::nullopt);
  auto helpers = symbols->find("helper");
  ASSERT_EQ(helpers.size(), 2u);
  EXPECT_EQ(helpers[0].address, 0xffffffff81000180u);
  EXPECT_EQ(helpers[0].size, 0x80u);
  EXPECT_TRUE(helpers[0].is_text());
  EXPECT_FALSE(helpers[0].is_global());
  EXPECT_EQ(symbols->find_prefix("vfs_read").size(), 3u);
  size_t above = symbols->upper_bound(0xffffffff81000150);
  EXPECT_EQ((*symbols)[above].name, "helper");
  EXPECT_EQ((*symbols)[above - 1].size, 0x80u);
  EXPECT_TRUE(symbols->is_init(0xffffffff82000010));
  EXPECT_FALSE(symbols->is_init(0xffffffff82001000));
}

TEST(Symbols, AreReadOnceAndThenMapped) {
  World world;
  Target target = with_map(world);
  std::string why_not;
  ASSERT_TRUE(Symbols::open(target, why_not));
  ASSERT_TRUE(fs::exists(cache_dir() / "symbols"));
  // What the index says is believed: nothing of the source is read again.
  for (const auto& entry : fs::directory_iterator(cache_dir() / "symbols")) {
    std::string index = text_of_file(entry.path());
    index.replace(index.find("helper"), 6, "HELPER");
    std::ofstream(entry.path(), std::ios::binary) << index;
  }
  auto again = Symbols::open(target, why_not);
  bool changed = false;
  for (size_t i = 0; i < again->size(); ++i) changed |= again->name(i) == "HELPER";
  EXPECT_TRUE(changed);
}

TEST(Symbols, SurviveADamagedIndex) {
  World world;
  Target target = with_map(world);
  std::string why_not;
  ASSERT_TRUE(Symbols::open(target, why_not));
  auto path = fs::directory_iterator(cache_dir() / "symbols")->path();
  std::string whole = text_of_file(path);
  for (size_t at = 0; at < whole.size(); at += 3) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(~damaged[at]);
    std::ofstream(path, std::ios::binary) << damaged;
    auto symbols = Symbols::open(target, why_not);
    ASSERT_TRUE(symbols);
    symbols->find("vfs_read");
    symbols->find_prefix("vfs");
    for (size_t i = 0; i < symbols->size(); ++i) EXPECT_LE((*symbols)[i].name.size(), whole.size());
  }
  // One that is cut off is made anew.
  std::ofstream(path, std::ios::binary) << whole.substr(0, whole.size() / 2);
  EXPECT_EQ(Symbols::open(target, why_not)->address("vfs_read"), 0xffffffff81000100u);
}

TEST(Symbols, ComeFromTheSymbolTableWhenThereIsOne) {
  World world;
  auto symbol = [](uint32_t name, int bind, int type, uint16_t section, uint64_t value) {
    Elf64_Sym s{};
    s.st_name = name;
    s.st_info = static_cast<unsigned char>(ELF64_ST_INFO(bind, type));
    s.st_shndx = section;
    s.st_value = value;
    return std::string(reinterpret_cast<const char*>(&s), sizeof s);
  };
  std::string names("\0first\0second\0gone", 18);  // the last has no end
  std::string table =
      symbol(1, STB_GLOBAL, STT_FUNC, 1, 0x1000) + symbol(7, STB_LOCAL, STT_OBJECT, 2, 0x2000) +
      symbol(14, STB_LOCAL, STT_OBJECT, 2, 0x3000) + symbol(99, STB_LOCAL, STT_OBJECT, 2, 0x4000);
  Target target;
  target.debuginfo = world.write(
      "vmlinux", make_elf({{".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0x1000, "code", 0},
                           {".data", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0x2000, "data", 0},
                           {".symtab", SHT_SYMTAB, 0, 0, table, 4},
                           {".strtab", SHT_STRTAB, 0, 0, names, 0}}));
  std::string why_not;
  auto symbols = Symbols::open(target, why_not);
  ASSERT_TRUE(symbols) << why_not;
  EXPECT_EQ(symbols->source(), "symtab");
  EXPECT_EQ(symbols->size(), 3u);
  EXPECT_EQ(symbols->find("first").at(0).type, 'T');
  EXPECT_EQ(symbols->find("second").at(0).type, 'd');
  EXPECT_EQ(symbols->address("gone"), 0x3000u);
}

TEST(Symbols, OfFunctionsGoByTheNameInTheSource) {
  EXPECT_EQ(function_of_symbol("vfs_read"), "vfs_read");
  EXPECT_EQ(function_of_symbol("foo.isra.0"), "foo");
  for (const char* none : {"foo.part.0", "foo.cold", "__pfx_vfs_read", "__cfi_vfs_read"})
    EXPECT_EQ(function_of_symbol(none), "") << none;
}

TEST(Symbols, SayWhyThereAreNone) {
  World world;
  std::string why_not;
  EXPECT_FALSE(Symbols::open(Target{}, why_not));
  EXPECT_FALSE(why_not.empty());
  Target target;
  target.vmlinux = world.write(
      "vmlinux",
      make_elf({{".rodata", SHT_PROGBITS, SHF_ALLOC, 0x1000, std::string(8192, 'r'), 0}}));
  why_not.clear();
  EXPECT_FALSE(Symbols::open(target, why_not));
  EXPECT_NE(why_not.find("kallsyms"), why_not.npos) << why_not;
}

TEST(Image, IsReadOrRefusedHoweverItIsDamaged) {
  World world;
  std::string whole = make_elf({{".rodata", SHT_PROGBITS, SHF_ALLOC, 0x1000, "text\0more", 0}});
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(~flipped[at]);
    for (const auto& bytes : {flipped, whole.substr(0, at)}) {
      std::string why_not;
      auto image = Image::open(world.write("image", bytes), why_not);
      EXPECT_EQ(!image, !why_not.empty()) << at;
      if (!image) continue;
      for (const auto& section : image->sections()) EXPECT_LE(section.data.size(), whole.size());
      image->string_at(0x1000);
      image->read<uint64_t>(0x1002);
    }
  }
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

TEST(Kallsyms, OfTheImageAgreesWithTheSymbolTableOfDebuginfo) {
  size_t compared = 0;
  for (const auto& target : targets_here()) {
    if (target.debuginfo.empty()) continue;
    std::string why_not;
    auto expected = Symbols::open(target, why_not);
    auto image = Image::open(target.vmlinux, why_not);
    ASSERT_TRUE(expected && expected->source() == "symtab") << why_not;
    size_t different = 0, count = 0;
    auto compare = [&](uint64_t address, char, std::string_view name) {
      auto found = expected->find(name);
      ++count;
      different += std::none_of(found.begin(), found.end(),
                                [&](const Symbol& s) { return s.address == address; });
    };
    ASSERT_TRUE(read_kallsyms(*image, compare, why_not)) << why_not;
    EXPECT_EQ(different, 0u) << target.release;
    EXPECT_GT(count, 50000u);
    ++compared;
  }
  if (!compared) GTEST_SKIP() << "no kernel with both image and debuginfo is here";
}

TEST(Kallsyms, OfADamagedImageAreRefusedOrRead) {
  auto targets = targets_here();
  if (targets.empty()) GTEST_SKIP() << "no kernel image is here";
  std::string why_not;
  auto image = Image::open(targets[0].vmlinux, why_not);
  std::string rodata(image->section(".rodata")->data);
  uint64_t address = image->section(".rodata")->address;
  World world;
  uint32_t random = 1;
  for (int round = 0; round < 12; ++round) {
    std::string damaged = rodata;
    for (int i = 0; i < 2000; ++i) {
      random = random * 1664525 + 1013904223;
      damaged[random % damaged.size()] ^= static_cast<char>(1 << (random >> 29));
    }
    damaged.resize(damaged.size() - static_cast<size_t>(round) * damaged.size() / 12);
    auto file = world.write("vmlinux",
                            make_elf({{".rodata", SHT_PROGBITS, SHF_ALLOC, address, damaged, 0}}));
    auto copy = Image::open(file, why_not);
    size_t used = 0;
    bool good = read_kallsyms(
        *copy, [&](uint64_t, char, std::string_view) { ++used; }, why_not);
    // Without exports to agree with, nothing is believed.
    EXPECT_FALSE(good);
    EXPECT_EQ(used, 0u);
  }
}

TEST(Glob, MatchesAsProbePointsDo) {
  EXPECT_TRUE(Glob("vfs_*").matches("vfs_read"));
  EXPECT_FALSE(Glob("vfs_*").matches("xvfs_read"));
  EXPECT_TRUE(Glob("vfs_rea?").matches("vfs_read"));
  EXPECT_TRUE(Glob("vfs_[rw]*").matches("vfs_write"));
  EXPECT_FALSE(Glob("vfs_[rw]*").matches("vfs_open"));
  EXPECT_TRUE(Glob("vfs_read").literal());
  EXPECT_FALSE(Glob("vfs_*").literal());
}

}  // namespace
}  // namespace stp
