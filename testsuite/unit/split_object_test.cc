// Objects that are taken apart and put together again still do what they did: a program is made of
// them and run.
#include <elf.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "build/object_file.h"
#include "build/object_symbols.h"
#include "build/split_object.h"
#include "build/trim_module.h"
#include "case_files.h"
#include "support/subprocess.h"

namespace stp {
namespace fs = std::filesystem;
namespace {

// Both have a static `twice`, a variable and a text of their own; a row of a table is about each use
// of LOCKED. `rest` is wanted by nobody.
constexpr const char* one_c = R"(
#define LOCKED(x) __asm__ volatile( \
	".pushsection .smp_locks,\"a\"\n.balign 4\n.long 671f - .\n.popsection\n671: lock; addl $1, %0" \
	: "+m"(x))
extern int other(int);
static int count = 40;
static const char *names[] = { "zero", "one", "two" };
static __attribute__((noinline)) int twice(int x) { LOCKED(count); return 2 * x; }
static __attribute__((noinline, cold)) int rare(int x) { return twice(x) - 1; }
int first(int x) { return x > 100 ? rare(x) : twice(x) + other(count) + names[2][0]; }
int rest(int x) { LOCKED(count); return names[x][1]; }
)";
constexpr const char* two_c = R"(
static int seen;
static __attribute__((noinline)) int twice(int x) { seen++; return 3 * x; }
int other(int x) { return twice(x) + seen; }
int unwanted(void) { return "text of nobody"[seen]; }
)";
// 2 * 5 + (3 * 41 + 1) + 't', and 2 * 200 - 1.
constexpr const char* main_c = R"(
#include <stdio.h>
int first(int);
int main(void) { int a = first(5); printf("%d %d\n", a, first(200)); }
)";

class SplitObjectTest : public testing::Test {
 protected:
  SplitObjectTest() {
    char name[] = "/tmp/stp-split-XXXXXX";
    path = mkdtemp(name);
  }
  ~SplitObjectTest() override { fs::remove_all(path); }

  void compile(const std::string& name, const char* text, const std::string& flags = "") {
    std::ofstream(path / (name + ".c")) << text;
    run("gcc -O2 -fno-pic -mcmodel=kernel -fno-asynchronous-unwind-tables -fcf-protection=none "
        "-ffunction-sections -fdata-sections " + flags + " -c " + name + ".c");
  }
  void run(const std::string& command) {
    ASSERT_EQ(run_logged({"sh", "-e", "-c", command}, path / "log", path), 0)
        << text_of_file(path / "log");
  }
  std::string output(const std::string& command) {
    fs::remove(path / "out");
    run(command + " > out");
    return text_of_file(path / "out");
  }
  static uint64_t size_of(const Object& object, const std::string& name) {
    uint64_t size = 0;
    for (const ObjectSection& s : object.sections)
      if (s.name == name) size += s.bytes.size();
    return size;
  }

  // whole.o: what a module that wants first() is made of.
  void split_and_collect() {
    compile("one", one_c);
    compile("two", two_c);
    SplitObjects parts = split_objects({path / "one.o", path / "two.o"});
    EXPECT_TRUE(parts.always.empty());
    write_library(parts.members, path / "lib.a");
    run("ld -r -u first -o whole.o lib.a");
  }
  fs::path path;
};

TEST_F(SplitObjectTest, AProgramOfItsPartsRunsAsBefore) {
  split_and_collect();
  std::ofstream(path / "main.c") << main_c;
  EXPECT_EQ(output("gcc -no-pie main.c whole.o -o whole; ./whole"), "250 399\n");
}

// Compared with what ar itself makes of the same members.
TEST_F(SplitObjectTest, AnotherProgramReadsTheLibrary) {
  compile("one", one_c);
  compile("two", two_c);
  std::vector<LibraryMember> members = split_objects({path / "one.o", path / "two.o"}).members;
  members.front().name = "a_name_of_more_than_fifteen_characters.o";
  write_library(members, path / "ours.a");
  run("mkdir files; cd files; ar x ../ours.a; ar rcD ../theirs.a $(ar t ../ours.a)");
  EXPECT_EQ(output("ar t ours.a").substr(0, 41), "a_name_of_more_than_fifteen_characters.o\n");
  EXPECT_EQ(output("nm -s ours.a"), output("nm -s theirs.a"));
  EXPECT_EQ(output("ar p ours.a | md5sum"), output("ar p theirs.a | md5sum"));
}

TEST_F(SplitObjectTest, WhatNobodyWantsStaysOut) {
  split_and_collect();
  ObjectSymbols symbols = object_symbols(path / "whole.o");
  EXPECT_TRUE(symbols.defined.count("first") && symbols.defined.count("other"));
  EXPECT_FALSE(symbols.defined.count("rest") || symbols.defined.count("unwanted"));
  EXPECT_TRUE(symbols.undefined.empty());
  // One of the two rows of the table: that of rest() went with it.
  EXPECT_EQ(size_of(read_object(path / "one.o"), ".smp_locks"), 8u);
  EXPECT_EQ(size_of(read_object(path / "whole.o"), ".smp_locks"), 4u);
  std::string all = text_of_file(path / "whole.o");
  EXPECT_EQ(all.find("text of nobody"), std::string::npos);
  EXPECT_NE(all.find("two"), std::string::npos);
}

TEST_F(SplitObjectTest, FunctionsThatAreSeldomRunLieApart) {
  for (bool seldom : {false, true}) {
    compile("one", "int rare(void) { return 1; }\nint __attribute__((hot)) frequent(void) { return 2; }\n",
            seldom ? "-Wa,--defsym,stp_seldom_run=1" : "");
    std::map<std::string, std::string> section_of;
    for (const LibraryMember& member : split_objects({path / "one.o"}).members)
      for (const ObjectSymbol& s : member.object.symbols)
        if (s.type == STT_FUNC) section_of[s.name] = member.object.sections[s.section].name;
    EXPECT_EQ(section_of["rare"], seldom ? ".text.unlikely" : ".text");
    EXPECT_EQ(section_of["frequent"], ".text");
  }
}

TEST_F(SplitObjectTest, WhatTheKernelCanDoWithoutIsTakenOut) {
  std::ofstream(path / "module.s") << ".text\n.globl f, g\nf: endbr64\nret\ng: endbr64\nlock incl (%rdi)\nret\n"
                                      ".section .ibt_endbr_seal,\"a\"\n.long f - .\n"
                                      ".section .smp_locks,\"a\"\n.long g + 4 - .\n"
                                      ".section .comment\n.ascii \"by hand\"\n"
                                      ".section .exit.data,\"aw\"\n.quad g\n"
                                      ".section .init.data,\"aw\"\nnumber: .quad 1\n"
                                      ".data\n.quad number\n";
  run("gcc -c module.s -o module.o; gcc -c -x c /dev/null -o mod.o");
  trim_module(path / "module.o", path / "mod.o");
  Object object = read_object(path / "module.o");
  std::string code;
  for (const ObjectSection& s : object.sections) {
    if (s.name == ".text") code = s.bytes;
    for (const char* gone : {".ibt_endbr_seal", ".smp_locks", ".comment", ".exit.data"}) EXPECT_NE(s.name, gone);
  }
  EXPECT_EQ(size_of(object, ".init.data"), 8u);  // something refers to it
  // The name of a section is the end of its relocations' name.
  std::string all = text_of_file(path / "module.o");
  EXPECT_NE(all.find(".rela.data"), std::string::npos);
  EXPECT_EQ(all.find(std::string("\0.data", 6)), std::string::npos);
  EXPECT_EQ(code.substr(0, 9), std::string("\x66\x0f\x1f\x00\xc3\xf3\x0f\x1e\xfa", 9));
}

// What a script does not need is not linked, and nothing is left that would have come to it.
TEST_F(SplitObjectTest, AFunctionThatIsOnlyWantedByNameIsThereIfItIs) {
  compile("one", "__attribute__((weak)) int extra(int x) { return x + 1; }\n"
                 "int (*volatile table[])(int) = { extra };\n"
                 "int first(int x) { return x > 200 ? extra(x) + x : x > 100 ? extra(x) : table[0] == (int (*)(int))0; }\n");
  for (bool wanted : {false, true}) {
    compile("script", wanted ? "__asm__(\".globl extra\");" : "");
    write_library(split_objects({path / "one.o"}).members, path / "lib.a");
    run("ld -r -u first -o module.o script.o lib.a");
    run("gcc -c -x c /dev/null -o mod.o");
    trim_module(path / "module.o", path / "mod.o");
    EXPECT_EQ(object_symbols(path / "module.o").defined.count("extra"), wanted ? 1u : 0u);
    EXPECT_TRUE(object_symbols(path / "module.o").undefined.empty());
    std::ofstream(path / "main.c") << "#include <stdio.h>\nint first(int);\n"
                                      "int main(int n, char **v) { printf(\"%d\\n\", first(n > 2 ? 300 : n > 1 ? 200 : 5)); }\n";
    EXPECT_EQ(output("gcc -no-pie main.c module.o -o whole; ./whole"), wanted ? "0\n" : "1\n");
    EXPECT_EQ(output("./whole x"), wanted ? "201\n" : "0\n");
    EXPECT_EQ(output("./whole x y"), wanted ? "601\n" : "300\n");
  }
}

TEST_F(SplitObjectTest, ATrimmedObjectRunsAndHasFewerRelocations) {
  split_and_collect();
  std::ofstream(path / "main.c") << main_c;
  compile("mod", "struct version { unsigned long crc; char name[56]; };\n"
                 "const struct version versions[] __attribute__((section(\"__versions\"))) = {\n"
                 "{ 1, \"module_layout\" }, { 2, \"printk\" }, { 3, \"wanted\" } };\n");
  run("echo 'extern int wanted(void); int ask(void) { return wanted(); }' > ask.c; gcc -O2 -c ask.c; "
      "ld -r -o module.o whole.o ask.o");
  auto relocations = [&](const char* section) {
    size_t n = 0;
    for (const ObjectSection& s : read_object(path / "module.o").sections)
      if (s.name == section) n += s.relocations.size();
    return n;
  };
  size_t before = relocations(".text");
  trim_module(path / "module.o", path / "mod.o");
  // first() to twice() and other(), other() to its twice().
  EXPECT_LE(relocations(".text") + 3, before);
  std::string versions;
  for (const ObjectSection& s : read_object(path / "mod.o").sections)
    if (s.name == "__versions") versions = s.bytes;
  EXPECT_EQ(versions.size(), 128u);
  EXPECT_NE(versions.find("module_layout"), std::string::npos);
  EXPECT_NE(versions.find("wanted"), std::string::npos);
  EXPECT_EQ(output("echo 'int wanted(void) { return 0; }' > w.c; "
                   "gcc -no-pie main.c module.o w.c -o whole; ./whole"),
            "250 399\n");
}

TEST_F(SplitObjectTest, NamesOfFunctionsGoIntoAFileOfTheirOwn) {
  std::ofstream(path / "module.s") << ".text\n.type f, @function\nf: nop\nret\n.size f, . - f\n"
                                      ".balign 32\n.globl init_module\n.type init_module, @function\n"
                                      "init_module: call f\ncall elsewhere\nret\n.size init_module, . - init_module\n"
                                      ".data\n.quad init_module\n";
  run("gcc -c module.s -o module.ko");
  trim_linked_module(path / "module.ko", path / "names");
  EXPECT_EQ(text_of_file(path / "names"), "0 2 f\n20 b init_module\n");
  Object object = read_object(path / "module.ko");
  std::vector<std::string> functions;
  uint64_t to_init = 0;
  for (const ObjectSymbol& s : object.symbols)
    if (s.type == STT_FUNC) functions.push_back(s.name + " " + std::to_string(s.size));
  for (const ObjectSection& s : object.sections)
    if (s.name == ".data") to_init = s.relocations.at(0).addend;
  EXPECT_EQ(functions, std::vector<std::string>{"stp 43"});
  EXPECT_EQ(to_init, 0x20u);
  EXPECT_EQ(object_symbols(path / "module.ko").undefined, std::set<std::string>{"elsewhere"});
}

TEST_F(SplitObjectTest, AModuleWithCodeElsewhereKeepsItsNames) {
  std::ofstream(path / "module.s") << ".text\n.type f, @function\nf: ret\n.size f, . - f\n"
                                      ".section .other,\"ax\"\n.type g, @function\ng: ret\n.size g, . - g\n";
  run("gcc -c module.s -o module.ko");
  std::string before = text_of_file(path / "module.ko");
  trim_linked_module(path / "module.ko", path / "names");
  EXPECT_EQ(text_of_file(path / "module.ko"), before);
  EXPECT_FALSE(fs::exists(path / "names"));
}

TEST_F(SplitObjectTest, ATableThatIsNotUnderstoodIsAnError) {
  compile("odd", "void f(void) { __asm__ volatile(\".pushsection __ex_table,\\\"a\\\"\\n.long 0, 0, 0\\n"
                 ".popsection\"); }");
  EXPECT_THROW(split_objects({path / "odd.o"}), std::runtime_error);
  std::ofstream(path / "text.o") << "no object";
  EXPECT_THROW(split_objects({path / "text.o"}), std::runtime_error);
}

}  // namespace
}  // namespace stp
