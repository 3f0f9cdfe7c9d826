// What the VM tests judge by: a wrong output must be told from a right one without booting
// anything.
#include "harness/run_case.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>

#include "harness/vm_session.h"

namespace stp::harness {
namespace {

struct TemporaryFile {
  TemporaryFile() { close(mkstemp(name)); }
  ~TemporaryFile() { unlink(name); }
  char name[32] = "/tmp/stp-case-XXXXXX";
};

RunCase case_of(const std::string& text) {
  TemporaryFile file;
  std::ofstream(file.name) << text;
  return read_case(file.name);
}

TEST(RunCase, LinesTogetherAreAllOfStdout) {
  RunCase c = case_of("# expect: a\n# expect: b \n");
  EXPECT_EQ(mismatch(c, 0, "a\nb \n", ""), "");
  EXPECT_NE(mismatch(c, 0, "a\nb\n", ""), "");
  EXPECT_NE(mismatch(c, 0, "a\n", ""), "");
  EXPECT_NE(mismatch(c, 0, "a\nb \nc\n", ""), "");
  EXPECT_NE(mismatch(c, 0, "b \na\n", ""), "");
}

TEST(RunCase, WithoutExpectationsNothingIsPrinted) {
  EXPECT_EQ(mismatch(case_of(""), 0, "", ""), "");
  EXPECT_NE(mismatch(case_of(""), 0, "x\n", ""), "");
}

TEST(RunCase, RegularExpressionsAllowOtherLinesBetweenButKeepOrder) {
  RunCase c = case_of("# expect re: ^a[0-9]$\n# expect: b\n");
  EXPECT_EQ(mismatch(c, 0, "x\na1\ny\nb\nz\n", ""), "");
  EXPECT_NE(mismatch(c, 0, "b\na1\n", ""), "");
  EXPECT_NE(mismatch(c, 0, "a12\nb\n", ""), "");
}

TEST(RunCase, OneLineServesOneExpectation) {
  RunCase c = case_of("# expect re: ^a$\n# expect re: ^a$\n");
  EXPECT_EQ(mismatch(c, 0, "a\na\n", ""), "");
  EXPECT_NE(mismatch(c, 0, "a\n", ""), "");
}

TEST(RunCase, CountOfLines) {
  RunCase c = case_of("# expect count: 2\n");
  EXPECT_EQ(mismatch(c, 0, "x\ny\n", ""), "");
  EXPECT_NE(mismatch(c, 0, "x\n", ""), "");
}

TEST(RunCase, StatusIsZeroUnlessSaid) {
  EXPECT_NE(mismatch(case_of(""), 1, "", ""), "");
  EXPECT_EQ(mismatch(case_of("# expect status: 1\n"), 1, "", ""), "");
  EXPECT_NE(mismatch(case_of("# expect status: 1\n"), 0, "", ""), "");
}

TEST(RunCase, StderrIsEmptyUnlessExpectedOrAllowed) {
  EXPECT_NE(mismatch(case_of(""), 0, "", "oops\n"), "");
  EXPECT_EQ(mismatch(case_of("# expect stderr: ERROR: .*x\n"), 0, "", "ERROR: an x\n"), "");
  EXPECT_NE(mismatch(case_of("# expect stderr: ERROR: .*x\n"), 0, "", "ERROR: a y\n"), "");
  RunCase allowed = case_of("# allow stderr: missed\n");
  EXPECT_EQ(mismatch(allowed, 0, "", "3 missed\n"), "");
  EXPECT_NE(mismatch(allowed, 0, "", "3 missed\nother\n"), "");
}

TEST(RunCase, WordsForTheCommands) {
  RunCase c =
      case_of("# build: -D A=1\n# run: -c \"x y\"\n# run: -v\n# only: dwarf\n# timeout: 7\n");
  EXPECT_EQ(c.build, " -D A=1");
  EXPECT_EQ(c.run, " -c \"x y\" -v");
  EXPECT_EQ(c.only, "dwarf");
  EXPECT_EQ(c.timeout, 7);
}

TEST(RunCase, AMisspelledExpectationIsAnError) {
  EXPECT_THROW(case_of("# expect sterr: x\n"), std::runtime_error);
  EXPECT_NO_THROW(case_of("# a sentence: with a colon\n"));
}

TEST(RunCase, OnlyKernelProbesDependOnTheSourceOfTypes) {
  EXPECT_TRUE(case_of("probe kernel.function(\"f\") {}\n").needs_types);
  EXPECT_FALSE(case_of("# like kernel.function\nprobe begin {}\n").needs_types);
}

TEST(Complaints, AreFoundInAKernelLog) {
  EXPECT_TRUE(complaints("[ 1.0] stp: loading out-of-tree module taints kernel.\n").empty());
  EXPECT_EQ(complaints("[ 1.0] x\n[ 2.0] BUG: y\n[ 3.0] WARNING: CPU: 0\n").size(), 2u);
  EXPECT_EQ(complaints("rcu: INFO: rcu_preempt self-detected stall on CPU\n").size(), 1u);
}

}  // namespace
}  // namespace stp::harness
