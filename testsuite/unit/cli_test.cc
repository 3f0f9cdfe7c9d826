// Command lines: where options end, limits, scripts that are none, and whether modules load.
#include <gtest/gtest.h>
#include <zlib.h>

#include "cli/loadable.h"
#include "cli/options.h"
#include "testsuite/unit/fake_image.h"

namespace stp::cli {
namespace {

namespace fs = std::filesystem;
using testing_images::World;

struct ScriptLine {
  ScriptOptions script;
  RunOptions run;
  int status = -1;
  bool good = false;
  std::string errors;
};

ScriptLine parse_line(const std::vector<std::string>& words) {
  ScriptLine line;
  CLI::App app{"", "stp test"};
  add_run_options(app, line.run);
  add_build_options(app, line.script);
  add_resolve_options(app, line.script);
  testing::internal::CaptureStderr();
  line.good = parse_script_line(app, line.script, words, line.status);
  line.errors = testing::internal::GetCapturedStderr();
  return line;
}

using Words = std::vector<std::string>;

TEST(ScriptLine, GivesEverythingBehindTwoDashesToTheScript) {
  auto line = parse_line({"-T", "5", "a.stp", "-v", "--", "-x", "--help", "b", "--", "-T"});
  ASSERT_TRUE(line.good) << line.errors;
  EXPECT_EQ(line.script.file, "a.stp");
  EXPECT_EQ(line.run.timeout, "5");
  EXPECT_TRUE(line.script.verbose);
  EXPECT_EQ(line.run.target, "");
  EXPECT_EQ(line.script.args, (Words{"-x", "--help", "b", "--", "-T"}));
}

TEST(ScriptLine, TakesTheScriptAsText) {
  auto line = parse_line({"-e", "probe begin {}", "one", "-2"});
  ASSERT_TRUE(line.good) << line.errors;
  EXPECT_TRUE(line.script.has_text);
  EXPECT_EQ(line.script.file, "");
  EXPECT_EQ(line.script.args, (Words{"one", "-2"}));
}

TEST(ScriptLine, TakesOptionsOnBothSidesOfTheText) {
  auto line = parse_line({"-v", "-e", "probe begin {}", "-T", "3", "--", "-v"});
  ASSERT_TRUE(line.good) << line.errors;
  EXPECT_EQ(line.run.timeout, "3");
  EXPECT_EQ(line.script.args, Words{"-v"});
}

TEST(ScriptLine, TakesAScriptWhoseNameBeginsWithADash) {
  auto line = parse_line({"-v", "--", "-odd.stp", "arg"});
  ASSERT_TRUE(line.good) << line.errors;
  EXPECT_EQ(line.script.file, "-odd.stp");
  EXPECT_EQ(parse_line({"-", "arg"}).script.file, "-");
}

TEST(ScriptLine, RepeatsGlobalsAndLimitsWithoutEatingTheScript) {
  auto line =
      parse_line({"-G", "a=1", "-G", "b=x y", "-DMAXACTION=5", "-D", "MAXERRORS=2", "s.stp"});
  ASSERT_TRUE(line.good) << line.errors;
  EXPECT_EQ(line.script.globals, (Words{"a=1", "b=x y"}));
  EXPECT_EQ(line.script.limits, (Words{"MAXACTION=5", "MAXERRORS=2"}));
  EXPECT_EQ(line.script.file, "s.stp");
}

TEST(ScriptLine, RefusesWhatItDoesNotKnow) {
  for (const Words& words :
       {Words{}, Words{"-v"}, Words{"a.stp", "--verbos"}, Words{"--verbos", "a.stp"}, Words{"-T", "-1", "a.stp"},
        Words{"-x", "abc", "a.stp"}, Words{"--debuginfo=elf", "a.stp"}, Words{"-s", "0", "a.stp"},
        Words{"-c"}}) {
    auto line = parse_line(words);
    EXPECT_FALSE(line.good);
    EXPECT_EQ(line.status, status_usage);
    EXPECT_TRUE(line.errors.starts_with("stp test: ")) << line.errors;
  }
  EXPECT_NE(parse_line({"--verbos", "a.stp"}).errors.find("did you mean --verbose"),
            std::string::npos);
}

TEST(ScriptLine, SaysWhatNumberItWants) {
  for (const char* option : {"-T", "--monitor", "-x"})
    for (const char* number : {"0", "-1", "x", "1s", "inf", "1e400"})
      EXPECT_NE(parse_line({option, number, "a.stp"}).errors.find(std::string(number) + ": a number above 0 was expected"),
                std::string::npos)
          << option << " " << number;
  EXPECT_TRUE(parse_line({"-T", "0.5", "-x", "17", "a.stp"}).good);
  EXPECT_FALSE(parse_line({"-x", "0.5", "a.stp"}).good);
}

TEST(Limits, AreSetByName) {
  Diagnostics d;
  prog::Limits limits;
  apply_limits({"MAXACTION=7", "MAXACTION_INTERRUPTIBLE=8", "MAXNESTING=9", "MAXSTRINGLEN=64",
                "MAXMAPENTRIES=11", "MAXTRYLOCK=12", "TRYLOCKDELAY=13", "MAXERRORS=14",
                "MAXSKIPPED=15", "KRETACTIVE=16", "MAXMAPMEMORY=17"},
               3, limits, d);
  EXPECT_FALSE(d.failed());
  EXPECT_EQ(limits.actions, 7u);
  EXPECT_EQ(limits.actions_interruptible, 8u);
  EXPECT_EQ(limits.nesting, 9u);
  EXPECT_EQ(limits.string_size, 64u);
  EXPECT_EQ(limits.map_entries, 11u);
  EXPECT_EQ(limits.trylock, 12u);
  EXPECT_EQ(limits.trylock_delay_us, 13u);
  EXPECT_EQ(limits.max_errors, 14u);
  EXPECT_EQ(limits.max_skipped, 15u);
  EXPECT_EQ(limits.return_slots, 16u);
  EXPECT_EQ(limits.map_megabytes, 17u);
  EXPECT_EQ(limits.buffer_bytes, 4u << 20);  // the next power of two
}

TEST(Limits, RefuseUnknownNamesAndBadValues) {
  for (const char* wrong :
       {"MAXACTOIN=5", "MAXACTION", "=5", "MAXACTION=", "MAXACTION=5x", "MAXACTION=-1",
        "MAXACTION=0", "MAXACTION=4294967296", "MAXSTRINGLEN=99999999", "MAXNESTING=1e3"}) {
    Diagnostics d;
    prog::Limits limits;
    apply_limits({wrong}, 0, limits, d);
    ASSERT_EQ(d.errors(), 1u) << wrong;
    EXPECT_EQ(d.all()[0].code, Code::bad_option);
  }
  Diagnostics d;
  prog::Limits limits;
  apply_limits({"MAXACTOIN=5"}, 0, limits, d);
  EXPECT_NE(render(d.all()[0]).find("did you mean 'MAXACTION'?"), std::string::npos);
}

TEST(Limits, AreAllInTheHelp) {
  std::string help = limits_help();
  for (const char* name : {"MAXACTION ", "MAXACTION_INTERRUPTIBLE", "KRETACTIVE", "TRYLOCKDELAY"})
    EXPECT_NE(help.find(name), std::string::npos) << name;
}

TEST(Globals, KeepWhateverStandsBehindTheFirstEqualsSign) {
  Diagnostics d;
  auto globals = globals_of({"a=1", "b=x=y", "c="}, d);
  EXPECT_FALSE(d.failed());
  EXPECT_EQ(globals.at("b"), "x=y");
  EXPECT_EQ(globals.at("c"), "");
  globals_of({"nothing"}, d);
  EXPECT_EQ(d.all()[0].code, Code::bad_option);
}

TEST(ReadScript, SaysWhyAFileIsNoScript) {
  World world;
  SourceMap map;
  auto text_of_error = [&](const fs::path& path) {
    Diagnostics d;
    EXPECT_FALSE(read_text_file(path, SourceFile::Role::user, map, d));
    return d.errors() == 1 ? render(d.all()[0]) : "";
  };
  auto contains = [](const std::string& text, const char* part) {
    return text.find(part) != text.npos;
  };
  EXPECT_TRUE(contains(text_of_error(world.root), "is a directory"));
  EXPECT_TRUE(contains(text_of_error(world.root / "none.stp"), "No such file"));
  EXPECT_TRUE(contains(text_of_error(world.write("x.ko", std::string("\x7f"
                                                                     "ELF\0\0",
                                                                     6))),
                       "binary"));
  // Text with a stray byte has a place; other encodings have a name.
  EXPECT_TRUE(contains(text_of_error(world.write("nul.stp", std::string("probe begin {\0}", 15))),
                       "nul.stp:1:14: error: a byte of value 0"));
  EXPECT_TRUE(contains(text_of_error(world.write("utf16.stp", std::string("\xff\xfep\0r\0", 6))),
                       "UTF-16"));
  Diagnostics d;
  auto* good =
      read_text_file(world.write("a.stp", "probe begin {}"), SourceFile::Role::user, map, d);
  ASSERT_TRUE(good);
  EXPECT_EQ(good->text(), "probe begin {}");
  EXPECT_TRUE(read_text_file(world.write("empty.stp", ""), SourceFile::Role::user, map, d));
}

// A /proc and /sys of a kernel that loads modules.
void fake_kernel(const World& world, const std::string& config) {
  world.write("proc/modules", "");
  world.write("proc/sys/kernel/modules_disabled", "0\n");
  fs::create_directories(world.root / "proc");
  gzFile file = gzopen((world.root / "proc/config.gz").c_str(), "wb");
  gzwrite(file, config.data(), static_cast<unsigned>(config.size()));
  gzclose(file);
}

constexpr const char* good_config =
    "#\nCONFIG_MODULES=y\nCONFIG_KPROBES=y\nCONFIG_RELAY=y\nCONFIG_DEBUG_FS=y\n";

TEST(Loadable, IsAKernelThatHasAllItTakes) {
  World world;
  fake_kernel(world, good_config);
  EXPECT_EQ(why_not_loadable(world.root), "");
}

TEST(Loadable, IsAnErrorWithACode) {
  std::string text = cannot_load("it was built without X", "do Y");
  EXPECT_TRUE(text.starts_with("the running kernel, " + running_release() + ", cannot load modules: "));
  EXPECT_TRUE(text.ends_with("it was built without X; do Y [cannot-load]")) << text;
}

TEST(Loadable, SaysWhichOptionTheKernelLacks) {
  for (std::string option : {"CONFIG_MODULES", "CONFIG_KPROBES", "CONFIG_RELAY"}) {
    World world;
    std::string config = good_config;
    config.replace(config.find(option), option.size(), "CONFIG_OTHER");
    fake_kernel(world, config);
    EXPECT_NE(why_not_loadable(world.root).find(option), std::string::npos) << option;
  }
}

TEST(Loadable, SaysThatModulesAreSwitchedOffOrMissing) {
  World world;
  fake_kernel(world, good_config);
  world.write("proc/sys/kernel/modules_disabled", "1\n");
  EXPECT_NE(why_not_loadable(world.root).find("modules_disabled"), std::string::npos);
  world.write("proc/sys/kernel/modules_disabled", "0\n");
  world.write("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
  EXPECT_NE(why_not_loadable(world.root).find("lockdown"), std::string::npos);
  world.write("sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
  EXPECT_EQ(why_not_loadable(world.root), "");
  fs::remove(world.root / "proc/modules");
  EXPECT_NE(why_not_loadable(world.root).find("/proc/modules"), std::string::npos);
}

}  // namespace
}  // namespace stp::cli
