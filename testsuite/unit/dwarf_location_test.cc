// Location descriptions of DWARF, each written by hand: what compilers emit seldom is tested as well
// as what they emit often.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "debuginfo/dwarf.h"
#include "support/subprocess.h"
#include "testsuite/unit/fake_image.h"

namespace stp {
namespace {

using testing_images::World;
using types::Lack;

// One function with a parameter "v" of type long; its location is the text of assembler that `at`
// is, in a section of its own. 8 bytes behind `function` the code goes on.
constexpr const char* subject = R"(
.text
.globl main
main:
function: .skip 8, 0x90
.L_inside: .skip 8, 0x90
  ret
.L_end:
.section .debug_abbrev,"",@progbits
  .byte 1, 0x11, 1, 0x03, 0x08, 0x11, 0x01, 0x12, 0x07, 0x8c,1, 0x17, 0, 0
  .byte 2, 0x24, 0, 0x03, 0x08, 0x0b, 0x0b, 0x3e, 0x0b, 0, 0
  .byte 3, 0x2e, 1, 0x03, 0x08, 0x11, 0x01, 0x12, 0x07, 0x40, 0x18, 0x3f, 0x19, 0, 0
  .byte 4, 0x05, 0, 0x03, 0x08, 0x49, 0x13, 0x02, {form}, 0, 0
  .byte 5, 0x34, 0, 0x03, 0x08, 0x49, 0x13, 0x02, 0x18, 0, 0
  .byte 0
.section .debug_info,"",@progbits
.L_info: .4byte .L_info_end - .L_version
.L_version: .2byte 5
  .byte 1, 8
  .4byte .debug_abbrev
  .uleb128 1
  .asciz "subject.c"
  .8byte main
  .8byte .L_end - main
  .4byte .debug_loclists + 12
.L_long: .uleb128 2
  .asciz "long int"
  .byte 8, 5
.L_u32: .uleb128 2
  .asciz "unsigned int"
  .byte 4, 7
.L_u64: .uleb128 2
  .asciz "unsigned long"
  .byte 8, 7
  .uleb128 3
  .asciz "main"
  .8byte main
  .8byte .L_end - main
  .uleb128 1
  .byte 0x9c
.L_v: .uleb128 4
  .asciz "v"
  .4byte .L_long - .L_info
  {location}
.L_w: .uleb128 5
  .asciz "w"
  .4byte .L_long - .L_info
  .uleb128 1
  .byte 0x5c
.L_m: .uleb128 5
  .asciz "m"
  .4byte .L_long - .L_info
  .uleb128 2
  .byte 0x76, 0
  .byte 0, 0
.L_info_end:
.section .debug_loclists,"",@progbits
  .4byte .L_lists_end - .L_lists_version
.L_lists_version: .2byte 5
  .byte 8, 0
  .4byte 0
.L_list:
  {list}
  .byte 0
.L_lists_end:
)";

class DwarfLocation : public testing::Test {
 protected:
  // What `v` is at the function's entry, or 8 bytes behind it; why it is nothing, else.
  std::string place(const std::string& location, const std::string& form, const std::string& list,
                    uint64_t offset) {
    world.write("src/subject.s", fmt::format(subject, fmt::arg("location", location),
                                             fmt::arg("form", form), fmt::arg("list", list)));
    EXPECT_EQ(run_logged({"gcc", "-no-pie", "-nostartfiles", "-Wl,-emain", "-o", "program",
                          "src/subject.s"},
                         world.root / "gcc.log", world.root),
              0)
        << text_of_file(world.root / "gcc.log");
    Target target;
    target.release = "9.1-test";
    target.debuginfo = target.vmlinux = world.root / "program";
    std::string why_not;
    auto provider = open_dwarf(world.root / "program", target, why_not);
    if (!provider) return why_not;
    auto found = provider->functions({"main", "", false});
    if (found.empty()) return "no function";
    auto answer =
        provider->variable({found[0], found[0].address + offset, offset == 0}, "v");
    auto* variable = types::get(answer);
    return variable ? types::spell(variable->location) : types::lack(answer).detail;
  }
  // An expression, as `.byte` takes it, in the middle of the function.
  std::string expression(const std::string& bytes) {
    return place(fmt::format(".uleb128 2f - 1f\n1: {}\n2:", bytes), "0x18", "", 8);
  }
  // Ranges and expressions: DW_LLE_offset_pair.
  std::string in_list(const std::string& list, uint64_t offset) {
    return place(".4byte .L_list - .debug_loclists", "0x17", list, offset);
  }
  World world;
};

TEST_F(DwarfLocation, IsInARegisterInMemoryOrComputed) {
  EXPECT_EQ(expression(".byte 0x53"), "in rbx");
  EXPECT_EQ(expression(".byte 0x73, 16"), "at rbx + 16");
  EXPECT_EQ(expression(".byte 0x73, 0x70"), "at rbx - 16");
  EXPECT_EQ(expression(".byte 0x73, 1, 0x9f"), "computed: rbx + 1");
  EXPECT_EQ(expression(".byte 0x73, 0, 0x06, 0x94, 4, 0x9f"), "computed: u32[u64[rbx]]");
  EXPECT_EQ(expression(".byte 0x30, 0x9f"), "computed: 0");
}

TEST_F(DwarfLocation, HasPartsOfWhichSomeAreLost) {
  EXPECT_EQ(expression(".byte 0x53, 0x93, 4, 0x93, 4"), "4 bytes in rbx, 4 bytes lost");
  EXPECT_EQ(expression(".byte 0x73, 8, 0x93, 4, 0x31, 0x9f, 0x93, 4"),
            "4 bytes at rbx + 8, 4 bytes computed: 1");
}

// Parts that begin inside of what they are of: bits of a register, bits behind an address.
TEST_F(DwarfLocation, HasPartsThatBeginWithinAByte) {
  EXPECT_EQ(expression(".byte 0x53, 0x9d, 12, 20, 0x9d, 52, 0"), "12 bits computed: rbx >> 20, 52 bits lost");
  EXPECT_EQ(expression(".byte 0x73, 8, 0x9d, 32, 16, 0x9d, 32, 0"), "4 bytes at rbx + 10, 4 bytes lost");
  EXPECT_EQ(expression(".byte 0x73, 8, 0x9d, 13, 20, 0x9d, 51, 0"),
            "13 bits computed: u32[rbx + 10] >> 4, 51 bits lost");
  EXPECT_EQ(expression(".byte 0x73, 8, 0x9d, 62, 4, 0x9d, 2, 0"), "62 bits lost, 2 bits lost");
}

// The variable w is in r12; what points 4 bytes into it has no value.
TEST_F(DwarfLocation, PointsAtWhatHasNoAddress) {
  const std::string implicit = ".byte 0xa0; .4byte .L_w - .L_info; .byte 4";
  EXPECT_EQ(expression(implicit), "pointer to (in r12) + 4");
  EXPECT_EQ(expression(implicit + ", 0x93, 8"), "8 bytes lost");
  // m is at rbp: the pointer has a value, but rbp is not its own to be written to.
  EXPECT_EQ(expression(".byte 0xa0; .4byte .L_m - .L_info; .byte 0"), "computed: rbp + 0");
  EXPECT_EQ(expression(".byte 0xa0; .4byte .L_m - .L_info; .byte 8"), "computed: rbp + 8");
  // At itself, and at nothing.
  EXPECT_EQ(expression(".byte 0xa0; .4byte .L_v - .L_info; .byte 0"), "it points at what was optimised out");
  EXPECT_EQ(expression(".byte 0xa0; .4byte .L_u32 - .L_info; .byte 0"), "it points at what was optimised out");
}

TEST_F(DwarfLocation, OfEachThreadIsNamed) {
  const char* text = "it is thread-local, and where the thread has those of a library only the dynamic "
                     "linker knows";
  EXPECT_EQ(expression(".byte 0x08, 16, 0x9b"), text);
  EXPECT_EQ(expression(".byte 0x08, 16, 0xe0"), text);
}

// min(rbx, 5), as gcc writes it: dup, compare, branch over a swap.
TEST_F(DwarfLocation, SelectsWhereItBranches) {
  EXPECT_EQ(expression(".byte 0x35, 0x73, 0, 0x12, 0x35, 0x2b, 0x28, 1, 0, 0x16, 0x13, 0x9f"),
            "computed: select(rbx > 5, 5, rbx)");
  EXPECT_EQ(expression(".byte 0x35, 0x2f, 1, 0, 0x30, 0x9f"), "computed: 5");
}

// Counts the zeros below the lowest 1 of rbx: dup, and 1, branch out; shift, go back.
TEST_F(DwarfLocation, SaysThatALoopDependsOnAValue) {
  EXPECT_EQ(expression(".byte 0x73, 0, 0x12, 0x31, 0x1a, 0x28, 5, 0, 0x31, 0x25, 0x2f, 0xf5, 0xff, 0x9f"),
            "its location branches too often");
}

TEST_F(DwarfLocation, MovesWhatIsOnTheStack) {
  // rot: 9, 5, 1 becomes 1, 9, 5; over: 9, 5 becomes 9, 5, 9.
  EXPECT_EQ(expression(".byte 0x39, 0x35, 0x31, 0x17, 0x1c, 0x9f"), "computed: 4");
  EXPECT_EQ(expression(".byte 0x39, 0x35, 0x31, 0x17, 0x1c, 0x1e, 0x9f"), "computed: 4");
  EXPECT_EQ(expression(".byte 0x39, 0x35, 0x14, 0x22, 0x1c, 0x9f"), "computed: -5");
}

// Three times 2, counted down from 3.
TEST_F(DwarfLocation, FollowsALoopThatCounts) {
  EXPECT_EQ(expression(".byte 0x30, 0x33, 0x16, 0x32, 0x22, 0x16, 0x31, 0x1c, 0x12, 0x28, 0xf6, 0xff,"
                       "0x13, 0x9f"),
            "computed: 6");
}

TEST_F(DwarfLocation, ThatNeverEndsIsRefused) {
  EXPECT_EQ(expression(".byte 0x2f, 0xfd, 0xff"), "its location is damaged");
  EXPECT_EQ(expression(".byte 0x73, 0, 0x28, 0xfb, 0xff"), "its location branches too often");
}

TEST_F(DwarfLocation, ThatDoublesWithEachOperationIsRefused) {
  std::string bytes = ".byte 0x73, 0";
  for (int i = 0; i < 30; ++i) bytes += ", 0x12, 0x22";
  EXPECT_EQ(expression(bytes), "its location is damaged");
}

TEST_F(DwarfLocation, DividesAndComparesAsItsTypesSay) {
  EXPECT_EQ(expression(".byte 0x73, 0, 0x33, 0x1b, 0x9f"), "computed: rbx / 3");
  // DW_OP_convert to "unsigned long" on both sides
  EXPECT_EQ(expression(".byte 0x73, 0, 0xa8\n.uleb128 .L_u64 - .L_info\n.byte 0x33, 0xa8\n"
                       ".uleb128 .L_u64 - .L_info\n.byte 0x1b, 0x9f"),
            "computed: udiv(rbx, 3)");
  EXPECT_EQ(expression(".byte 0x73, 0, 0x33, 0x1d, 0x9f"), "computed: umod(rbx, 3)");
  EXPECT_EQ(expression(".byte 0x73, 0, 0xa8\n.uleb128 .L_u32 - .L_info\n.byte 0x23, 1, 0x9f"),
            "computed: ((((rbx << 32) >> 32) + 1) << 32) >> 32");
}

TEST_F(DwarfLocation, ChangesAlongTheFunction) {
  const char* list = ".byte 4, 0, 8, 1, 0x55\n.byte 4, 8, 16, 1, 0x53";
  EXPECT_EQ(in_list(list, 0), "in rdi");
  EXPECT_EQ(in_list(list, 8), "in rbx");
}

// The first view of the entry is before `v--`.
TEST_F(DwarfLocation, OfAParameterAtTheEntryIsWhatWasPassed) {
  EXPECT_EQ(in_list(".byte 4, 0, 0, 1, 0x51\n.byte 4, 0, 16, 3, 0x71, 0x7f, 0x9f", 0), "in rdx");
  EXPECT_EQ(in_list(".byte 4, 0, 0, 1, 0x51\n.byte 4, 0, 16, 3, 0x71, 0x7f, 0x9f", 8),
            "computed: rdx - 1");
}

TEST_F(DwarfLocation, OfTheEntryIsKnownThereAlone) {
  const char* list = ".byte 4, 0, 16, 4, 0xa3, 1, 0x55, 0x9f";
  EXPECT_EQ(in_list(list, 0), "in rdi");
  EXPECT_EQ(in_list(list, 8),
            "it was in rdi at the function's entry, which is not kept, and no caller tells it");
  EXPECT_EQ(in_list(".byte 4, 0, 16, 5, 0xa3, 2, 0x75, 8, 0x9f", 8),
            "it is computed from what was at the function's entry");
}

TEST_F(DwarfLocation, ThatElfutilsDoesNotDecodeIsRefused) {
  // DW_OP_GNU_uninit
  EXPECT_EQ(in_list(".byte 4, 0, 16, 2, 0x53, 0xf0", 8), "its location cannot be decoded");
}

}  // namespace
}  // namespace stp
