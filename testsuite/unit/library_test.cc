// Of the library, what a script needs: too little would be another program, or none.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "case_files.h"
#include "cli/compile.h"
#include "cli/library.h"
#include "debuginfo/sources.h"

namespace stp {
namespace fs = std::filesystem;
namespace {

class LibraryTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(first_kernel()) << "the first kernel of vm/kernels.list was not found: vm/setup check";
    options_.debuginfo = DebuginfoChoice::btf;
    // Whoever comes first writes the note.
    parsed("probe begin {}");
  }
  const SourceFile& script(const std::string& text) { return map_.add("t.stp", text); }
  size_t parsed(const std::string& text) {
    Diagnostics d;
    return cli::Library(script(text), *first_kernel(), options_, map_, d).parsed();
  }
  size_t all() {
    Diagnostics d;
    return cli::Library(*first_kernel(), options_, map_, d).parsed();
  }
  // The program, and all that was said of it.
  std::string made(const cli::Library& library, const SourceFile& source) {
    Diagnostics d;
    auto tree = parse(source, cli::preprocessor_context(*first_kernel(), options_, {}),
                      library.macros(), map_, d);
    auto sources = debuginfo_sources(*first_kernel(), options_.debuginfo);
    auto program = d.failed() ? nullptr
                              : analyze(*tree, library.files(), *first_kernel(), *sources,
                                        cli::sema_options(options_, d), d);
    std::string text = program ? prog::dump(*program) : "none\n";
    for (const Diagnostic& each : d.all()) text += render(each);
    return text;
  }

  SourceMap map_;
  cli::ScriptOptions options_;
};

TEST_F(LibraryTest, AScriptTakesTheFilesOfItsNames) {
  EXPECT_GT(all(), 10u);
  EXPECT_EQ(parsed("probe begin { println(1) }"), 0u);
  // The function's file, and that of what it calls.
  EXPECT_GE(parsed("probe begin { println(thread_indent(1)) }"), 1u);
  EXPECT_LT(parsed("probe begin { println(thread_indent(1)) }"), 5u);
  EXPECT_GE(parsed("probe netfilter.ip.local_in { println(dport) }"), 1u);
  // Names by a pattern, and a pattern that may be any name.
  EXPECT_GE(parsed("probe netf*.ip.local_in { }"), 1u);
  EXPECT_GE(parsed("probe {netf,x}ilter.ip.local_in { }"), 1u);
  EXPECT_EQ(parsed("probe * { }"), all());
  EXPECT_EQ(parsed("probe begin, *.ip.local_in { }"), all());
  // A product is no pattern.
  EXPECT_EQ(parsed("probe begin { x = 2 * 3 }"), 0u);
}

TEST_F(LibraryTest, AChangedFileIsReadAnew) {
  fs::path dir = fs::path(testing::TempDir()) / "stp-library-test";
  fs::create_directories(dir);
  auto write = [&](const char* text) {
    fs::remove(dir / "a.stp");
    std::ofstream(dir / "a.stp") << text;
  };
  options_.library = {dir.string()};
  write("function one_of_mine() { return 1 }\n");
  parsed("probe begin {}");
  EXPECT_EQ(parsed("probe begin { println(one_of_mine()) }"), 1u);
  EXPECT_EQ(parsed("probe begin { println(two_of_mine()) }"), 0u);
  write("function two_of_mine() { return 22 }\n");
  parsed("probe begin {}");
  EXPECT_EQ(parsed("probe begin { println(one_of_mine()) }"), 0u);
  EXPECT_EQ(parsed("probe begin { println(two_of_mine()) }"), 1u);
  fs::remove_all(dir);
}

// Every script of the suite that has to do with the library.
TEST_F(LibraryTest, WhatAScriptNeedsMakesTheProgramThatAllMakes) {
  Diagnostics none;
  cli::Library whole(*first_kernel(), options_, map_, none);
  size_t compared = 0;
  for (const char* folder : {"testsuite/run", "testsuite/sema", "tapsets/tools"})
    for (const auto& file : fs::directory_iterator(folder)) {
      if (file.path().extension() != ".stp") continue;
      const SourceFile& source = map_.read(file.path().string());
      cli::Library needed(source, *first_kernel(), options_, map_, none);
      if (!needed.parsed() || needed.parsed() == whole.parsed()) continue;
      std::string by_all = made(whole, source);
      // Who makes mistakes is told of them by all of it.
      if (by_all.find(": error: ") != by_all.npos) continue;
      EXPECT_EQ(made(needed, source), by_all) << file.path();
      ++compared;
    }
  EXPECT_GE(compared, 20u);
}

}  // namespace
}  // namespace stp
