// Sections of code and constants that become one, made by hand.
#include "build/merge_code.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>

namespace stp {
namespace {

class MergeCodeTest : public testing::Test {
 protected:
  enum : uint32_t { text = 1, rodata, unlikely, data, named };

  MergeCodeTest() {
    auto section = [&](const char* name, uint64_t flags, uint64_t alignment, const std::string& bytes) {
      object.sections.push_back({.name = name, .type = SHT_PROGBITS, .flags = SHF_ALLOC | flags, .alignment = alignment,
                                 .bytes = bytes, .relocations = {}});
    };
    object.sections.resize(1);
    section(".text", SHF_EXECINSTR, 16, std::string(50, '\x90'));
    section(".rodata", 0, 32, std::string(64, 'r'));
    section(".text.unlikely", SHF_EXECINSTR, 1, std::string(20, '\x90'));
    section(".data", SHF_WRITE, 8, std::string(16, 'd'));
    section(".stp.formats", 0, 1, std::string(16, 'f'));
    object.symbols.resize(1);
    for (uint32_t i = text; i <= named; ++i) object.symbols.push_back({"", STB_LOCAL, STT_SECTION, STV_DEFAULT, i, 0, 0});
    object.symbols.push_back({"rare", STB_GLOBAL, STT_FUNC, STV_DEFAULT, unlikely, 4, 10});
    object.symbols.push_back({"table", STB_GLOBAL, STT_OBJECT, STV_DEFAULT, rodata, 8, 8});
  }
  static constexpr uint32_t rare = named + 1, table = named + 2;

  void relocation(uint32_t section, uint64_t at, uint32_t type, uint32_t symbol, int64_t addend) {
    object.sections[section].relocations.push_back({at, type, symbol, addend});
  }
  int32_t distance(uint64_t at) const {
    int32_t bytes;
    std::memcpy(&bytes, &object.sections[text].bytes[at], sizeof bytes);
    return bytes;
  }
  void code(uint64_t at, const std::string& bytes) { object.sections[text].bytes.replace(at, bytes.size(), bytes); }
  std::string code(uint64_t at, size_t size) const { return object.sections[text].bytes.substr(at, size); }
  Object object;
};

// .text to 50, .text.unlikely to 70, .rodata from 96 to 160.
TEST_F(MergeCodeTest, CodeComesFirstAndConstantsBehindIt) {
  relocation(text, 1, R_X86_64_PLT32, rare, -4);
  relocation(text, 10, R_X86_64_PC32, rodata, 20 - 4);
  relocation(unlikely, 3, R_X86_64_PC32, table, -4);
  relocation(rodata, 16, R_X86_64_64, unlikely, 4);
  relocation(data, 0, R_X86_64_64, rodata, 24);
  relocation(text, 20, R_X86_64_PC32, data, -4);
  relocation(text, 30, R_X86_64_PC32, named, -4);
  merge_code(object);
  const ObjectSection& all = object.sections[text];
  EXPECT_EQ(all.bytes.size(), 160u);
  EXPECT_EQ(all.alignment, 32u);
  EXPECT_EQ(all.bytes.substr(96), std::string(64, 'r'));
  EXPECT_EQ(all.bytes.substr(70, 26), std::string(26, '\xcc'));
  for (uint32_t gone : {rodata, unlikely}) EXPECT_EQ(object.sections[gone].type, SHT_NULL);
  for (uint32_t stays : {data, named}) EXPECT_EQ(object.sections[stays].bytes.size(), 16u);
  EXPECT_EQ(object.symbols[rare].section, text);
  EXPECT_EQ(object.symbols[rare].value, 54u);
  EXPECT_EQ(object.sections[data].relocations[0].symbol, text);
  EXPECT_EQ(object.sections[data].relocations[0].addend, 96 + 24);
  resolve_inside(object);
  EXPECT_EQ(distance(1), 54 - 5);
  EXPECT_EQ(distance(10), 96 + 20 - 14);
  EXPECT_EQ(distance(53), 96 + 8 - 57);
  // To .data, to .stp.formats, and the address in .rodata.
  ASSERT_EQ(all.relocations.size(), 3u);
  EXPECT_EQ(all.relocations[2].offset, 96u + 16);
  EXPECT_EQ(all.relocations[2].symbol, text);
  EXPECT_EQ(all.relocations[2].addend, 54);
}

TEST_F(MergeCodeTest, LargeTablesAreNoCode) {
  object.sections[rodata].bytes.resize(100000);
  merge_code(object);
  EXPECT_EQ(object.sections[rodata].bytes.size(), 100000u);
  EXPECT_EQ(object.sections[text].bytes.size(), 70u);
}

TEST_F(MergeCodeTest, AnAddressThatIsPutIntoARegisterBecomesADistance) {
  code(0, "\x48\xc7\xc7");   // mov $x, %rdi
  code(10, "\x49\xc7\xc4");  // mov $x, %r12
  code(20, "\x48\xc7\x03");  // movq $x, (%rbx)
  code(30, "\x48\x81\xff");  // cmp $x, %rdi
  for (uint64_t at : {3, 13, 23, 33}) relocation(text, at, R_X86_64_32S, rodata, 5);
  merge_code(object);
  resolve_inside(object);
  EXPECT_EQ(code(0, 3), "\x48\x8d\x3d");
  EXPECT_EQ(distance(3), 96 + 5 - 7);
  EXPECT_EQ(code(10, 3), "\x4c\x8d\x25");
  EXPECT_EQ(distance(13), 96 + 5 - 17);
  EXPECT_EQ(code(20, 3), "\x48\xc7\x03");
  EXPECT_EQ(code(30, 3), "\x48\x81\xff");
  ASSERT_EQ(object.sections[text].relocations.size(), 2u);
}

}  // namespace
}  // namespace stp
