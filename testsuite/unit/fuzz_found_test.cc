// Runs testsuite/fuzz/found/*.stp: texts that once made the translator crash, run forever or fill
// the memory. They go through the passes that `make fuzz` runs, in a process of its own with little
// time and memory, so that one that fails again is one failed test.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "case_files.h"
#include "fuzz/passes.h"
#include "fuzz/questions.h"
#include "fuzz/token_passes.h"

namespace stp {
namespace {

namespace fs = std::filesystem;

// Each takes some milliseconds; the machine may be busy.
constexpr unsigned most_seconds = 20;
constexpr rlim_t most_bytes = 1 << 30;

// Exits with 0 when nothing is wrong.
[[noreturn]] void run_passes(const std::string& text) {
  alarm(most_seconds);
  struct rlimit memory = {most_bytes, most_bytes};
  setrlimit(RLIMIT_AS, &memory);
  fuzz::Library library(source_dir() / "tapsets");
  for (const std::string& wrong :
       {library.files.empty() ? std::string("no tapsets") : "", fuzz::lex_wrong(text),
        fuzz::preprocess_wrong(text, library), fuzz::parse_wrong(text, library), fuzz::compile_wrong(text, library)}) {
    if (wrong.empty()) continue;
    std::fprintf(stderr, "%s\n", wrong.c_str());
    _exit(1);
  }
  _exit(0);
}

void expect_passes(const std::string& text) {
  EXPECT_EXIT(run_passes(text), testing::ExitedWithCode(0), "");
}

std::string many(size_t times, const std::string& piece) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += piece;
  return text;
}

class Found : public testing::Test {
 public:
  explicit Found(fs::path file) : file_(std::move(file)) {}

  void TestBody() override {
    std::string text = text_of_file(file_);
    ASSERT_FALSE(text.empty());
    expect_passes(text);
  }

 private:
  fs::path file_;
};

size_t register_found() {
  std::vector<fs::path> files = files_in("testsuite/fuzz/found", ".stp");
  std::vector<fs::path> seeds = files_in("testsuite/fuzz/seeds", ".stp");
  files.insert(files.end(), seeds.begin(), seeds.end());
  for (const fs::path& file : files)
    testing::RegisterTest("fuzz_found", file.stem().c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [file]() -> testing::Test* { return new Found(file); });
  return files.size();
}
const size_t registered = register_found();

TEST(FuzzFound, AreMany) {
  EXPECT_GE(registered, 8u) << "run from the top of the tree, or set STP_SOURCE_DIR";
}

// Much of one thing: what was found too long to be kept as a file.
TEST(FuzzFound, MacroArgumentsNest) {
  expect_passes("@define f(x) %( @x %)\nprobe begin { x = " + many(20000, "@f(") + "1" +
                many(20000, ")") + " }\n");
}

TEST(FuzzFound, AccessesFollowEachOther) {
  expect_passes("probe kernel.function(\"vfs_read\") { print($file" + many(20000, "->next") +
                ") }\n");
}

TEST(FuzzFound, PartsOfAProbePoint) { expect_passes("probe a" + many(30000, ".a") + " {}\n"); }

TEST(FuzzFound, RepetitionsInARegularExpression) {
  expect_passes("probe begin { println(\"a\" =~ \"a" + many(100000, "*") + "\") }\n");
}

TEST(FuzzFound, FunctionsCallEachOther) {
  std::string text = "function f0() { return 1 }\n";
  for (int i = 1; i < 20000; ++i)
    text += "function f" + std::to_string(i) + "() { return f" + std::to_string(i - 1) + "() }\n";
  expect_passes(text + "probe begin { println(f19999()) }\n");
}

TEST(FuzzFound, ErrorsOfOneLongLine) { expect_passes(many(20000, "`1 ")); }

TEST(FuzzFound, LongNamesThatAreAlike) {
  expect_passes("function " + many(40000, "a") + "() {}\nprobe begin { " + many(40000, "a") +
                "b() }\n");
}

// What the made-up kernel answers must lead through every pass, or the texts would test little.
TEST(FuzzFound, PassesReachTheEnd) {
  fuzz::Library library(source_dir() / "tapsets");
  std::string c;
  EXPECT_EQ(
      fuzz::compile_wrong("probe kernel.function(\"vfs_read\") { println($file->next->mode, "
                          "$file->word, $count, $$vars, pid()) }\n"
                          "probe kernel.function(\"vfs_read\").return { println($return) }\n"
                          "probe kernel.trace(\"sched_switch\") { println($prev->list[1]) }\n",
                          library, &c),
      "");
  EXPECT_NE(c.find("sched_switch"), c.npos);
}

// The files that the target for debug information begins with, undamaged: fuzzing has a compiler of
// its own, so that only this tells when its questions are no longer those of types::Provider.
TEST(FuzzFound, QuestionsOfDebuginfoAreAnswered) {
  char folder[] = "/tmp/stp-questions-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  std::string objects = (source_dir() / "testsuite/fuzz/objects").string();
  ASSERT_EQ(system((objects + " " + folder).c_str()), 0);
  size_t with_types = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::string why_not;
    with_types += open_dwarf_of_program(entry.path(), entry.path(), "it", why_not) != nullptr;
    EXPECT_EXIT((alarm(most_seconds), fuzz::ask_everything(entry.path()), _exit(0)),
                testing::ExitedWithCode(0), "")
        << entry.path();
  }
  EXPECT_GE(with_types, 8u);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace stp
