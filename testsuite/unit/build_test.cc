// Harvesting of Kbuild's commands, and programs run from them.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "build/home.h"
#include "build/object_symbols.h"
#include "build/recipe.h"
#include "case_files.h"
#include "support/digest.h"
#include "support/subprocess.h"

namespace stp {
namespace fs = std::filesystem;
namespace {

class Folder : public testing::Test {
 protected:
  Folder() {
    char name[] = "/tmp/stp-build-XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() override { fs::remove_all(path); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(path / name) << text;
  }
  std::string read(const std::string& name) {
    return text_of_file(path / name);
  }
  fs::path path;
};

using RecipeTest = Folder;
using SubprocessTest = Folder;
using ObjectSymbolsTest = Folder;

TEST(SavedCommand, ReadsBothSpellingsAndUnescapesMake) {
  EXPECT_EQ(saved_command("cmd_/d/x.o := gcc -c x.c\n\nsource := y\n"), "gcc -c x.c");
  EXPECT_EQ(saved_command("savedcmd_x.o := ld $$x \\#y\n"), "ld $x #y");
  EXPECT_EQ(saved_command("deps_x.o := x.h\n"), "");
  EXPECT_EQ(saved_command(""), "");
}

TEST(LeanCompileCommand, LeavesOutWhatBelongsToKernelHeaders) {
  EXPECT_EQ(lean_compile_command("gcc -Wp,-MMD,/d/.x.d -include a.h -O2 -D__KERNEL__ -DX -c x.c"),
            "gcc -O2 -DX -c x.c");
}

// Kernels before 6.13 name the module's files by absolute path, later ones do not.
TEST_F(RecipeTest, AbsolutePathsBecomeVariablesAndRunInTheKernelsFolder) {
  std::string d = path.string();
  write(".script.o.cmd", fmt::format("cmd_{0}/script.o := gcc -I{0}/runtime -c -o {0}/script.o "
                                     "{0}/script.c ; ./objtool {0}/script.o\n",
                                     d));
  write(".m.o.cmd", fmt::format("cmd_{0}/m.o := ld -r -o {0}/m.o @{0}/m.mod \n", d));
  write(".m.ko.cmd",
        fmt::format("cmd_{0}/m.ko := ld -T x -o {0}/m.ko {0}/m.o {0}/m.mod.o;  true\n", d));
  std::string why;
  auto recipe = harvest_recipe(path, "m", "/kernel/build", why);
  ASSERT_TRUE(recipe) << why;
  EXPECT_NE(recipe->compile.find("cd '/kernel/build'\n"), std::string::npos);
  // Debian's objtool asks for it.
  EXPECT_NE(recipe->link.find("export ARCH=x86 SRCARCH=x86\n"), std::string::npos);
  EXPECT_NE(
      recipe->compile.find(fmt::format("gcc -I{}/runtime -c -o \"$W/script.o\" \"$W/script.c\" ; "
                                       "./objtool \"$W/script.o\"\n",
                                       d)),
      std::string::npos)
      << recipe->compile;
  EXPECT_NE(recipe->collect.find("ld -r -o \"$W/module.o\" \"$W/script.o\" --whole-archive "
                                 "\"$R/always.a\" --no-whole-archive \"$R/runtime.a\"\n"),
            std::string::npos)
      << recipe->collect;
  EXPECT_NE(recipe->link.find("ld -T x -o \"$W/module.ko\" \"$W/module.o\" \"$W/module.mod.o\"\n"),
            std::string::npos)
      << recipe->link;
}

TEST_F(RecipeTest, RelativePathsRunInTheModulesFolder) {
  write(".script.o.cmd", "savedcmd_script.o := gcc -c -o script.o script.c\n");
  write(".m.o.cmd", "savedcmd_m.o := ld -r -o m.o @m.mod ; objtool --link m.o\n");
  write(".m.ko.cmd", "savedcmd_m.ko := ld -o m.ko m.o m.mod.o .module-common.o\n");
  std::string why;
  auto recipe = harvest_recipe(path, "m", "/kernel/build", why);
  ASSERT_TRUE(recipe) << why;
  EXPECT_NE(recipe->compile.find("cd '" + path.string() + "'\n"), std::string::npos);
  EXPECT_NE(recipe->collect.find("objtool --link \"$W/module.o\"\n"), std::string::npos);
}

TEST_F(RecipeTest, AnUnknownCommandIsNamed) {
  write(".script.o.cmd", "savedcmd_script.o := gcc -c -o script.o script.c\n");
  std::string why;
  EXPECT_FALSE(harvest_recipe(path, "m", "/kernel/build", why));
  EXPECT_NE(why.find("that links the module"), std::string::npos);
}

TEST_F(SubprocessTest, TellsTheStatusAndKeepsTheOutput) {
  EXPECT_EQ(run_logged({"sh", "-c", "echo out; echo err >&2; exit 3"}, path / "log"), 3);
  EXPECT_EQ(read("log"), "out\nerr\n");
  EXPECT_EQ(run_logged({"sh", "-c", "kill -9 $$"}, path / "log"), 128 + 9);
  EXPECT_EQ(run_logged({"no-such-program-anywhere"}, path / "log2"), 127);
  EXPECT_NE(read("log2").find("no-such-program-anywhere"), std::string::npos);
  EXPECT_EQ(run_logged({"./no-such-program"}, path / "log2"), 127);
  EXPECT_EQ(run_logged({"pwd"}, path / "log3", path), 0);
  EXPECT_EQ(read("log3"), path.string() + "\n");
}

// `script` is a program in PATH, too.
TEST_F(SubprocessTest, APathIsNotLookedUp) {
  write("script", "#!/bin/sh\necho mine\n");
  fs::permissions(path / "script", fs::perms::owner_all);
  EXPECT_EQ(run_logged({"./script"}, path / "log", path), 0);
  EXPECT_EQ(read("log"), "mine\n");
}

TEST_F(SubprocessTest, QuotedWordsSurviveTheShell) {
  std::string hostile = "a'b \"$c\" `d` \\ *";
  EXPECT_EQ(run_logged({"sh", "-c", "printf %s " + shell_quote(hostile)}, path / "log"), 0);
  EXPECT_EQ(read("log"), hostile);
}

TEST_F(ObjectSymbolsTest, ListsWhatAnObjectGivesAndWants) {
  write("x.c",
        "int given(void); int wanted(void); static int own(void) { return wanted(); }\n"
        "int given(void) { return own(); }\n");
  ASSERT_EQ(run_logged({"gcc", "-c", "x.c"}, path / "log", path), 0) << read("log");
  ObjectSymbols symbols = object_symbols(path / "x.o");
  EXPECT_EQ(symbols.defined, std::set<std::string>{"given"});
  EXPECT_EQ(symbols.undefined.count("wanted"), 1u);
  EXPECT_THROW(object_symbols(path / "x.c"), std::runtime_error);
  EXPECT_THROW(object_symbols(path / "absent.o"), std::runtime_error);
}

TEST(Digest, DependsOnTheBoundariesOfItsParts) {
  EXPECT_EQ(digest({"a", "b"}), digest({"a", "b"}));
  EXPECT_NE(digest({"ab", "c"}), digest({"a", "bc"}));
  EXPECT_EQ(digest({}).size(), 16u);
}

}  // namespace
}  // namespace stp
