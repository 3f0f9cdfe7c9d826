// The command line of stap: what its options mean, what its passes print, and how it ends.
//
// Kernels are those of vm/kernels.list, as in script_cases_test.cc; nothing is loaded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>

#include "cli/command.h"
#include "cli/loadable.h"
#include "cli/stap_folders.h"
#include "cli/stap_options.h"
#include "testsuite/unit/fake_image.h"

namespace stp::cli {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Mode = StapOptions::Mode;

// No options of the user's own, and no release from the environment.
class Stap : public testing::Test {
 protected:
  Stap() {
    setenv("SYSTEMTAP_DIR", "/nonexistent", 1);
    unsetenv("SYSTEMTAP_RELEASE");
  }
  ~Stap() override { unsetenv("SYSTEMTAP_DIR"); }

  // What is wrong with a line; empty when it is right.
  std::string errors_of(const Words& words) {
    int status = -1;
    testing::internal::CaptureStderr();
    options = parse_stap_line(words, status);
    std::string errors = testing::internal::GetCapturedStderr();
    EXPECT_EQ(status, options ? status_good : status_failed);
    return errors;
  }

  const StapOptions& parsed(const Words& words) {
    EXPECT_EQ(errors_of(words), "");
    static const StapOptions none;
    return options ? *options : none;
  }

  struct Ran {
    int status;
    std::string out, err;
  };
  static Ran run(Words words) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    int status = stap_command(words);
    fflush(nullptr);
    return {status, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
  }
  // For the first kernel of the list.
  static Ran run_for_kernel(Words words) {
    words.insert(words.begin(), {"-r", kernel()});
    return run(std::move(words));
  }
  static std::string kernel() {
    const char* dir = std::getenv("STP_SOURCE_DIR");
    std::ifstream list(fs::path(dir ? dir : ".") / "vm/kernels.list");
    std::string line;
    while (std::getline(list, line) && (line.empty() || line[0] == '#')) {
    }
    return line.substr(0, line.find_first_of(" \t"));
  }

  std::optional<StapOptions> options;
};

// ---- the form of the line

TEST_F(Stap, TakesOptionsOnBothSidesOfTheScript) {
  auto& o = parsed({"-vp4", "a.stp", "-g", "one", "-DMAXACTION=5", "--", "-k", "--"});
  EXPECT_EQ(o.script.file, "a.stp");
  EXPECT_EQ(o.script.args, (Words{"one", "-k", "--"}));
  EXPECT_EQ(o.last_pass, 4);
  EXPECT_TRUE(o.script.guru);
  EXPECT_FALSE(o.keep_temporary);
  EXPECT_EQ(o.script.limits, Words{"MAXACTION=5"});
}

TEST_F(Stap, TakesTheScriptAsTextAndMoreOfThem) {
  auto& o = parsed({"-e", "probe begin {}", "-E", "global a", "-E", "global b", "x", "-"});
  EXPECT_TRUE(o.script.has_text);
  EXPECT_EQ(o.additional, (Words{"global a", "global b"}));
  EXPECT_EQ(o.script.args, (Words{"x", "-"}));
  EXPECT_EQ(parsed({"-", "x"}).script.file, "-");
}

TEST_F(Stap, TakesAPatternInPlaceOfAScript) {
  auto& o = parsed({"-L", "kernel.function(\"x\")", "arg"});
  EXPECT_EQ(o.mode, Mode::list);
  EXPECT_TRUE(o.with_variables);
  EXPECT_EQ(o.script.args, Words{"arg"});
  EXPECT_FALSE(parsed({"-l", "begin"}).with_variables);
}

TEST_F(Stap, TakesTheOptionsOfAShebangLineApart) {
  testing_images::World world;
  std::string script = world.write("a.stp", "#!/usr/bin/stap -p1 -w  -G n=1\nprobe begin {}\n");
  auto& o = parsed({"-p1 -w  -G n=1", script, "x"});
  EXPECT_EQ(o.last_pass, 1);
  EXPECT_TRUE(o.script.no_warnings);
  EXPECT_EQ(o.script.globals, Words{"n=1"});
  EXPECT_EQ(o.script.file, script);
  EXPECT_EQ(o.script.args, Words{"x"});
  // The same word where it is not the script's own.
  EXPECT_NE(errors_of({"-w -p1", script}), "");
  EXPECT_EQ(parsed({"-e probe begin {}", script}).script.text, " probe begin {}");
}

TEST_F(Stap, ReadsOptionsOfTheUserFirst) {
  testing_images::World world;
  world.write("rc", "# mine\n-D MAXACTION=7 -G 's=a b'\n-p 2\n");
  setenv("SYSTEMTAP_DIR", world.root.c_str(), 1);
  auto& o = parsed({"-p1", "a.stp"});
  EXPECT_EQ(o.script.limits, Words{"MAXACTION=7"});
  EXPECT_EQ(o.script.globals, Words{"s=a b"});
  EXPECT_EQ(o.last_pass, 1);
  EXPECT_EQ(o.script.file, "a.stp");
}

TEST_F(Stap, AddsUpVerbosity) {
  auto& o = parsed({"-v", "--vp", "01002", "-v", "a.stp"});
  EXPECT_EQ(o.verbosity, (std::array<int, 5>{2, 3, 2, 2, 4}));
  EXPECT_TRUE(o.launch.verbose);
  EXPECT_FALSE(parsed({"-v", "a.stp"}).launch.verbose);
}

TEST_F(Stap, MeasuresWithTimingAndForTheMonitor) {
  EXPECT_FALSE(parsed({"a.stp"}).script.timing);
  EXPECT_TRUE(parsed({"-t", "a.stp"}).script.timing);
  EXPECT_TRUE(parsed({"--monitor=5", "a.stp"}).script.timing);
  EXPECT_EQ(options->launch.run.monitor, "5");
  EXPECT_EQ(parsed({"--monitor", "a.stp"}).launch.run.monitor, "1");
  EXPECT_NE(errors_of({"--monitor=x", "a.stp"}), "");
  EXPECT_TRUE(parsed({"-b", "a.stp"}).launch.run.bulk);
}

TEST_F(Stap, DefinesWhatIsNoLimit) {
  auto& o = parsed({"-D", "MAXERRORS=3", "-DSTP_NO_OVERLOAD", "-DX=a b", "a.stp"});
  EXPECT_EQ(o.script.limits, Words{"MAXERRORS=3"});
  EXPECT_EQ(o.defines, (Words{"STP_NO_OVERLOAD=1", "X=a b"}));
}

TEST_F(Stap, TakesTheReleaseFromTheEnvironment) {
  setenv("SYSTEMTAP_RELEASE", "6.1", 1);
  EXPECT_EQ(parsed({"a.stp"}).script.kernel, "6.1");
  EXPECT_EQ(parsed({"-r", "6.12", "a.stp"}).script.kernel, "6.12");
  unsetenv("SYSTEMTAP_RELEASE");
}

TEST_F(Stap, PutsTheTimeIntoTheNameOfTheOutput) {
  std::string name = parsed({"-o", "log-%Y.%%", "a.stp"}).launch.run.output;
  EXPECT_TRUE(std::regex_match(name, std::regex("log-20[0-9][0-9]\\.%"))) << name;
  EXPECT_EQ(parsed({"-o", "log", "-S", "3,4", "a.stp"}).launch.run.rotate, "3,4");
}

TEST_F(Stap, LiftsLimitsInGuruModeAlone) {
  EXPECT_THAT(errors_of({"--suppress-time-limits", "a.stp"}), HasSubstr("-g"));
  EXPECT_THAT(parsed({"-g", "--suppress-time-limits", "a.stp"}).script.limits,
              testing::Contains("MAXACTION=4294967295"));
}

TEST_F(Stap, RefusesValuesThatMakeNoSense) {
  for (const Words& words :
       {Words{"-p0"}, Words{"-p6"}, Words{"-px"}, Words{"--vp", "123456"}, Words{"--vp", "1x"},
        Words{"-s", "0"}, Words{"-s", "5000"}, Words{"-T", "5x"}, Words{"-x", "me"},
        Words{"-m", "a-b"}, Words{"-S", "5x", "-o", "f"}, Words{"-D", "1=2"}, Words{"-G", "x"},
        Words{"--color=blue"}, Words{"--compatible", "99.0"}, Words{"--compatible", "old"},
        Words{"--runtime=foo"}, Words{"--privilege=stapusr"}, Words{"--modinfo", "x"},
        Words{"-a", "arm"}, Words{"-c", "true", "-x", "1"}, Words{"-S", "1"}, Words{"-F", "-T", "3"}, Words{"-F", "--vm"},
        Words{"-e", "probe end {}"}, Words{"-D", "MAXACTION=x"}, Words{"--share", "/"},
        Words{"--rlimit-as", "much"}, Words{"--ldd=x"}, Words{"--nonsense"}, Words{"-Z"},
        Words{"-c"}}) {
    Words line = words;
    line.insert(line.begin(), {"-e", "probe begin {}"});
    EXPECT_NE(errors_of(line), "") << words[0];
    EXPECT_FALSE(options) << words[0];
  }
  EXPECT_THAT(errors_of({"-l", "begin", "-e", "probe begin {}"}), HasSubstr("takes no script"));
  EXPECT_EQ(errors_of({"-F", "-T", "3", "-p4", "-e", "probe begin {}"}), "");
  EXPECT_EQ(errors_of({"-F", "-e", "probe begin {}"}), "");
  EXPECT_EQ(errors_of({"-F", "-T", "3", "-o", "f", "-e", "probe begin {}"}), "");
  EXPECT_THAT(errors_of({}), HasSubstr("a script is needed"));
  EXPECT_THAT(errors_of({"-E", "global a"}), HasSubstr("a script is needed"));
  EXPECT_THAT(errors_of({"--suppress-handler-error", "--cleen-cache"}),
              HasSubstr("did you mean --clean-cache?"));
}

// ---- the table

TEST_F(Stap, DoesOrRefusesEveryOptionOfTheManual) {
  const char* letters = "hVpvkgPuwWbitsIDBaGRrmdoceExlLFSTq";
  for (const char* letter = letters; *letter; ++letter)
    EXPECT_TRUE(std::any_of(stap_rows().begin(), stap_rows().end(),
                            [&](const StapRow& row) { return row.letter == *letter; }))
        << *letter;
  for (std::string name :
       {"help", "version", "vp", "interactive", "modinfo", "ldd", "all-modules", "skip-badvars",
        "prologue-searching", "suppress-handler-errors", "compatible", "check-version",
        "clean-cache", "color", "colour", "disable-cache", "poison-cache", "privilege",
        "unprivileged", "use-server", "use-server-on-error", "list-servers", "trust-servers",
        "sign-module", "dump-probe-types", "dump-probe-aliases", "dump-functions", "remote",
        "remote-prefix", "download-debuginfo", "rlimit-as", "rlimit-cpu", "rlimit-nproc",
        "rlimit-stack", "rlimit-fsize", "sysroot", "sysenv", "suppress-time-limits", "runtime",
        "dyninst", "bpf", "save-uprobes", "target-namespaces", "monitor", "example",
        "no-global-var-display", "tmpdir"})
    EXPECT_TRUE(std::any_of(stap_rows().begin(), stap_rows().end(),
                            [&](const StapRow& row) { return row.name && row.name == name; }))
        << name;
}

TEST_F(Stap, TargetZeroIsNone) {
  EXPECT_EQ(parsed({"-x", "12", "-e", "probe begin {}"}).launch.run.target, "12");
  EXPECT_EQ(parsed({"-x", "0", "-e", "probe begin {}"}).launch.run.target, "");
  EXPECT_NE(errors_of({"-x", "-1", "-e", "probe begin {}"}), "");
}

TEST_F(Stap, ShowsUnreadGlobalsUnlessToldNotTo) {
  EXPECT_TRUE(parsed({"-e", "probe begin {}"}).script.display_globals);
  EXPECT_FALSE(parsed({"--no-global-var-display", "-e", "probe begin {}"}).script.display_globals);
}

TEST_F(Stap, LooksForKernelsInTheSysroot) {
  EXPECT_EQ(parsed({"--sysroot", "/mnt", "-e", "probe begin {}"}).script.sysroot, "/mnt");
  EXPECT_EQ(parsed({"--sysroot=/mnt", "-l", "begin"}).script.sysroot, "/mnt");
  EXPECT_THAT(run({"--sysroot=/no/such", "-p2", "-e", "probe begin {}"}).err,
              HasSubstr("--sysroot /no/such: there is no such folder"));
}

TEST_F(Stap, PassesOverFoldersOfTapsetsThatAreNotThere) {
  auto result = run({"-I", "/no/such", "-p1", "-e", "probe begin {}"});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.err, HasSubstr("WARNING: -I /no/such: there is no such folder"));
  EXPECT_THAT(run({"-w", "-I", "/no/such", "-p1", "-e", "probe begin {}"}).err,
              testing::Not(HasSubstr("/no/such")));
}

TEST_F(Stap, VariablesOfMakeAreNamesWithValues) {
  auto& o = parsed({"-B", "KCFLAGS=-DX -DY", "-BV=1", "a.stp"});
  EXPECT_EQ(o.script.make_variables, (std::vector<std::string>{"KCFLAGS=-DX -DY", "V=1"}));
  EXPECT_THAT(errors_of({"-B", "KCFLAGS", "a.stp"}), HasSubstr("-B KCFLAGS: NAME=VALUE was expected"));
}

// They reach the compiler, and a module built with others is another one.
TEST_F(Stap, VariablesOfMakeAreThoseOfTheBuild) {
  auto result = run_for_kernel({"-p4", "-g", "-B", "KCFLAGS=-DONE_OF_MINE=7", "-e",
                                "%{\n#if ONE_OF_MINE != 7\n#error no variable\n#endif\n%} probe begin {}"});
  EXPECT_EQ(result.status, 0) << result.err;
  result = run_for_kernel({"-p4", "-g", "-B", "KCFLAGS=-DONE_OF_MINE=8", "-e",
                           "%{\n#if ONE_OF_MINE != 7\n#error no variable\n#endif\n%} probe begin {}"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("no variable"));
}

TEST_F(Stap, SaysWhyItRefuses) {
  size_t refused = 0;
  for (const auto& row : stap_rows()) {
    EXPECT_EQ(row.effect == StapRow::Effect::done, row.set != nullptr) << row.text;
    if (row.effect == StapRow::Effect::done) continue;
    Words words = {row.letter ? std::string("-") + row.letter : std::string("--") + row.name};
    if (row.argument == StapRow::Argument::required) words.push_back("value");
    words.insert(words.end(), {"-e", "probe begin {}"});
    std::string errors = errors_of(words);
    if (row.effect == StapRow::Effect::none) {
      EXPECT_EQ(errors, "");
      continue;
    }
    ++refused;
    EXPECT_THAT(errors, AllOf(StartsWith("stap: " + words[0]), HasSubstr(row.text)));
  }
  EXPECT_GT(refused, 10u);
}

TEST_F(Stap, HelpsWithEveryOption) {
  auto ran = run({"--help"});
  EXPECT_EQ(ran.status, 0);
  for (const auto& row : stap_rows())
    EXPECT_THAT(ran.out, HasSubstr(row.letter ? std::string("\n  -") + row.letter
                                              : std::string("\n  --") + row.name));
}

// The forms that programs look for; the kernels are those of vm/kernels.list.
TEST_F(Stap, TellsItsVersion) {
  auto ran = run({"-V"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_TRUE(std::regex_search(
      ran.out, std::regex("^Systemtap translator/driver \\(version 4\\.8/0\\.[0-9]+, stp [0-9.]+\\)\n")))
      << ran.out;
  EXPECT_THAT(ran.out, HasSubstr("\nenabled features: "));
  std::string first, last, name;
  std::ifstream list(source_dir() / "vm/kernels.list");
  for (std::string line; std::getline(list, line);)
    if (std::istringstream(line) >> name && name[0] != '#') last = name, first = first.empty() ? name : first;
  EXPECT_THAT(ran.out, HasSubstr("\ntested kernel versions: " + first + " ... " + last + "\n"));
  EXPECT_THAT(run({"--help"}).out, StartsWith(ran.out));
}

// ---- the passes

TEST_F(Stap, PrintsTheTreeAfterPass1) {
  auto ran = run_for_kernel(
      {"-p1", "-E", "probe end { exit() }", "-e", "global n\nprobe begin { n += $1; print(@2) }",
       "41", "x"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(ran.out,
            "# parse tree dump\n# file <input>\nglobal n\n\nprobe begin\n{\n  (n) += (41);\n"
            "  print(\"x\");\n}\n\n\n# file <input>\nprobe end\n{\n  exit();\n}\n\n\n");
}

TEST_F(Stap, TellsOfArgumentsThatNoScriptUses) {
  Words words = {"-p1", "-E", "probe end { println(@2) }", "-e", "probe begin { println($1) }", "1", "2"};
  EXPECT_EQ(run_for_kernel(words).err, "");
  words.insert(words.end(), {"3", "4"});
  auto ran = run_for_kernel(words);
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.err,
            "WARNING: unused command line option $3/@3\nWARNING: unused command line option $4/@4\n");
  words.insert(words.begin(), "-w");
  EXPECT_EQ(run_for_kernel(words).err, "");
}

// What other passes would find as well, but SystemTap's parser refuses.
TEST_F(Stap, RefusesInPass1WhatIsNoScript) {
  auto error = [&](const std::string& text) {
    auto ran = run_for_kernel({"-p1", "-e", text});
    EXPECT_EQ(ran.status, 1) << text;
    return ran.err;
  };
  EXPECT_THAT(error("global a\nglobal a\nprobe begin {}"), HasSubstr("<input>:2:8: error: 'a' is"));
  EXPECT_THAT(error("function f(x,\nx) {}\nprobe begin {}"), HasSubstr("<input>:2:1: error: param"));
  EXPECT_THAT(error("probe begin {\nreturn }"), HasSubstr("<input>:2:1: error: 'return'"));
  EXPECT_THAT(error("probe a += b {\nif (1) return }"), HasSubstr("<input>:2:8: error: 'return'"));
  EXPECT_THAT(error("probe begin {\n printf(\"%d %q\", 1, 2) }"), HasSubstr("<input>:2:13: error:"));
  EXPECT_THAT(error("# nothing"), HasSubstr("<input>:1:1: error: there is nothing"));
  EXPECT_EQ(run_for_kernel({"-p1", "-e", "function f(x) { return x }\nfunction f() { return 1 }"}).status, 0);
}

TEST_F(Stap, PrintsGlobalsFunctionsAndProbesAfterPass2) {
  auto ran = run_for_kernel(
      {"-p2", "-e",
       "global n = 1, a[7], s\nfunction f(x, y:string) { return x + strlen(y) }\n"
       "function g() { n++ }\nprobe tick = timer.s(1) { t = \"x\" }\n"
       "probe tick, begin(2) { a[\"k\", n] = f(1, \"b\"); s <<< 1; g(); println(@count(s)) }"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, StartsWith("# globals\nn:long\na[7]:long [string, long]\ns:stats\n"
                                  "# functions\n"));
  EXPECT_THAT(ran.out, AllOf(HasSubstr("\nf:long (x:long, y:string)\n"),
                             HasSubstr("\ng:unknown ()\n"), HasSubstr("\n# probes\n"),
                             HasSubstr("timer.s(1) /* <- tick */\n  # locals\n  t:string\n"),
                             HasSubstr("begin(2) /* <- begin(2) */\n")));
}

TEST_F(Stap, PrintsCAfterPass3WithWhatTheLineDefines) {
  auto ran = run_for_kernel({"-p3", "-DMINE=4", "--modinfo", "color=red", "-G", "n=77", "-e",
                             "global n probe begin { print(n) }"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, StartsWith("#define MINE 4\n"));
  EXPECT_THAT(ran.out, AllOf(HasSubstr("section(\".modinfo\"), aligned(1))) = \"color=red\";\n"), HasSubstr("77")));
}

TEST_F(Stap, TellsAboutEachPassToWhoAsks) {
  auto numbers = [](const std::string& text) {
    return std::regex_replace(text, std::regex("[0-9]+(virt|res|shr|data|usr|sys|real)"), "N$1");
  };
  std::string usage = " using Nvirt/Nres/Nshr/Ndata kb, in Nusr/Nsys/Nreal ms.\n";
  Words script = {"-e", "global g\nprobe begin, end { g++ }\nprobe error { print(g) }"};
  Words verbose = {"-v", "-p2"};
  verbose.insert(verbose.end(), script.begin(), script.end());
  auto ran = run_for_kernel(verbose);
  EXPECT_EQ(ran.status, 0);
  std::string told = numbers(ran.err);
  EXPECT_TRUE(std::regex_search(
      told, std::regex("^Pass 1: parsed user script and [0-9]+ library scripts" + usage)))
      << told;
  EXPECT_THAT(told, HasSubstr("\nPass 2: analyzed script: 3 probes, 0 functions, 0 embeds, "
                              "1 global" +
                              usage));
  // One pass alone.
  script.insert(script.begin(), {"--vp", "001", "-p3"});
  told = numbers(run_for_kernel(script).err);
  EXPECT_THAT(told, StartsWith("Pass 3: translated to C into \""));
  EXPECT_THAT(told, AllOf(HasSubstr(usage), Not(HasSubstr("Pass 2"))));
}

TEST_F(Stap, EndsWithTheFirstPassThatFails) {
  auto ran = run_for_kernel({"-p4", "-e", "probe begin { f( }"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, AllOf(StartsWith("<input>:1:18: error: "),
                             testing::EndsWith("Pass 1: parse failed.  [man error::pass1]\n")));
  ran = run_for_kernel({"-v", "-p2", "-e", "probe begin { f() }"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, AllOf(HasSubstr("[unknown-function]"), HasSubstr("Pass 2: analyzed script"),
                             testing::EndsWith("Pass 2: analysis failed.  [man error::pass2]\n")));
  ran = run_for_kernel({"-p1", "/nonexistent.stp"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.err, HasSubstr("Pass 1: parse failed."));
  ran = run_for_kernel({"-p2", "-G", "other=1", "-e", "global n probe begin { print(n) }"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.err, HasSubstr("-G other"));
  EXPECT_EQ(run({"-p1", "-r", "0.0-none", "-e", "probe begin {}"}).status, 1);
}

TEST_F(Stap, WarnsAsFarAsItIsAsked) {
  Words script = {"-p2", "-e", "global unused probe begin { exit() }"};
  auto with = [&](const char* option) {
    Words words = script;
    words.insert(words.begin(), option);
    return run_for_kernel(words);
  };
  EXPECT_THAT(run_for_kernel(script).err, HasSubstr("[unused]"));
  EXPECT_EQ(with("-w").err, "");
  EXPECT_EQ(with("-u").err, "");
  EXPECT_THAT(with("-u").out, HasSubstr("unused:"));
  EXPECT_EQ(with("-W").status, 1);
  EXPECT_EQ(with("-Wu").status, 0);
  EXPECT_EQ(with("-Ww").status, 0);
  EXPECT_THAT(with("-W").err, HasSubstr("Pass 2: analysis failed."));
  EXPECT_THAT(with("--color").err, HasSubstr("\x1b["));
  EXPECT_THAT(with("--color=never").err, Not(HasSubstr("\x1b[")));
}

TEST_F(Stap, ChecksWhatNobodyReadsWhenUnoptimized) {
  Words script = {"-p2", "-e", "probe begin { a = 1 a = \"text\" exit() }"};
  EXPECT_EQ(run_for_kernel(script).status, 0);
  script.insert(script.begin(), "-u");
  EXPECT_EQ(run_for_kernel(script).status, 1);
}

TEST_F(Stap, ChangesTheVersionOfTheLanguage) {
  Words script = {"-p1", "-e", "probe begin { print(%( systemtap_v < \"2.0\" %? 1 %: 2 %)) }"};
  EXPECT_THAT(run_for_kernel(script).out, HasSubstr("print(2)"));
  script.insert(script.begin(), {"--compatible", "1.8"});
  EXPECT_THAT(run_for_kernel(script).out, HasSubstr("print(1)"));
}

TEST_F(Stap, MakesErrorsOfHandlersHarmless) {
  Words script = {"-p3", "-e", "probe begin { error(\"x\") }"};
  const char* row = ".suppress_handler_errors = true";
  EXPECT_THAT(run_for_kernel(script).out, Not(HasSubstr(row)));
  script.insert(script.begin(), "--suppress-handler-errors");
  EXPECT_THAT(run_for_kernel(script).out, HasSubstr(row));
}

TEST_F(Stap, DoesNotRunOnAnotherKernel) {
  if (running_release().starts_with(kernel() + ".")) GTEST_SKIP() << "this is the kernel of the tests";
  auto ran = run_for_kernel({"-e", "probe begin { exit() }"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.err, StartsWith("WARNING: " + kernel()));
  EXPECT_THAT(ran.out, testing::EndsWith(".ko\n"));
}

// ---- the module

// A current folder of its own, and a temporary one in it.
class StapModule : public Stap {
 protected:
  StapModule() : before_(fs::current_path()) {
    std::string name = (fs::temp_directory_path() / "stp-stap-XXXXXX").string();
    folder = mkdtemp(name.data());
    fs::current_path(folder);
    if (fs::path(source).is_relative()) setenv("STP_SOURCE_DIR", (before_ / source).c_str(), 1);
  }
  ~StapModule() override {
    fs::current_path(before_);
    fs::remove_all(folder);
    setenv("STP_SOURCE_DIR", source.c_str(), 1);
  }

  std::string source = std::getenv("STP_SOURCE_DIR") ? std::getenv("STP_SOURCE_DIR") : ".";
  fs::path folder;

 private:
  fs::path before_;
};

TEST_F(StapModule, IsCopiedToTheCurrentFolderWhenItHasAName) {
  auto ran = run_for_kernel({"-p4", "-m", "mine.ko", "-e", "probe begin { exit() }"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.out, "mine.ko\n");
  EXPECT_THAT(text_of_file(folder / "mine.ko"), HasSubstr(std::string("mine\0", 5)));
}

TEST_F(StapModule, ComesFromTheCacheUnlessThatIsForbidden) {
  Words words = {"-v", "-p4", "-e", "probe begin { exit() }"};
  run_for_kernel(words);
  auto ran = run_for_kernel(words);
  EXPECT_THAT(ran.err, HasSubstr("\nPass 4: using cached " + ran.out));
  for (const char* option : {"--disable-cache", "--poison-cache"}) {
    words[1] = option;
    words.insert(words.begin(), "-p4");
    auto built = run_for_kernel(words);
    EXPECT_EQ(built.status, 0) << built.err;
    EXPECT_THAT(built.err, HasSubstr("\nPass 4: compiled C into \"stp_"));
    EXPECT_EQ(built.out, ran.out);
    words.erase(words.begin());
  }
  fs::path modules = fs::path(ran.out).parent_path().parent_path();
  for (const auto& entry : fs::directory_iterator(modules))
    EXPECT_FALSE(entry.path().filename().string().starts_with("work-" + std::to_string(getpid())));
}

TEST_F(StapModule, IsInTheTemporaryFolderWithItsC) {
  auto ran = run_for_kernel({"-p4", "--tmpdir", "here", "-DMINE=3", "--modinfo", "colour=blue",
                             "-e", "probe begin { exit() }"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(text_of_file(folder / "here/script.c"), StartsWith("#define MINE 3\n"));
  fs::path module = fs::path(ran.out).filename();
  EXPECT_THAT(
      text_of_file(folder / "here" / module.replace_extension(".ko")),
      HasSubstr("colour=blue"));
  setenv("TMPDIR", folder.c_str(), 1);
  ran = run_for_kernel({"-k", "-p3", "-e", "probe begin { exit() }"});
  unsetenv("TMPDIR");
  std::smatch kept;
  ASSERT_TRUE(std::regex_search(ran.out, kept,
                                std::regex("Keeping temporary directory \"(.*)\"\n$")));
  EXPECT_TRUE(fs::exists(fs::path(kept[1].str()) / "script.c"));
}

TEST_F(StapModule, IsNotBuiltOfBadC) {
  auto ran = run_for_kernel({"-p4", "-Dint=no_type", "-e", "probe begin { exit() }"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.err, testing::EndsWith("Pass 4: compilation failed.  [man error::pass4]\n"));
}

TEST_F(StapModule, GivesEmbeddedCWhatTheLineDefines) {
  auto ran = run_for_kernel({"-g", "-p4", "-DMINE=3", "-e",
                             "%{\n#if MINE != 3\n#error MINE\n#endif\n%}\nprobe begin { exit() }"});
  EXPECT_EQ(ran.status, 0) << ran.err;
}

// ---- lists

TEST_F(Stap, ListsPoints) {
  auto ran = run_for_kernel({"-l", "kernel.function(\"vfs_rea?\")"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_TRUE(std::regex_match(
      ran.out, std::regex("kernel\\.function\\(\"vfs_read(@fs/read_write\\.c:[0-9]+)?\"\\)\n")))
      << ran.out;
  EXPECT_EQ(run_for_kernel({"-l", "timer.s(3), end"}).out, "timer.s(3)\nend\n");
  ran = run_for_kernel({"-l", "kernel.function(\"no_such_thing\")"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.out + ran.err, "");
  EXPECT_THAT(run_for_kernel({"-v", "-l", "nonesuch"}).err, HasSubstr("nonesuch"));
  ran = run_for_kernel({"-l", "a("});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.err, HasSubstr("<pattern>:1:10: error: "));
}

TEST_F(Stap, ListsVariablesWithTheirTypes) {
  auto ran = run_for_kernel({"-L", "kernel.function(\"vfs_read\")"});
  EXPECT_THAT(ran.out, HasSubstr(" $file:struct file* $buf:char* $count:size_t $pos:loff_t*"));
  // A local that is computed later.
  EXPECT_THAT(ran.out, Not(HasSubstr("$ret:")));
}

TEST_F(Stap, ListsAliasesUnderTheirNames) {
  Words more = {"-E",
                "probe my.one = timer.s(1) { x = 1; y = \"d\" }\n"
                "probe my.two = kernel.function(\"vfs_read\") { n = $count }\n"
                "probe my.none = kernel.function(\"no_such_thing\") {}\n"};
  Words names = {"-l", "my.*"};
  names.insert(names.end(), more.begin(), more.end());
  EXPECT_EQ(run_for_kernel(names).out, "my.one\nmy.two\n");
  names[0] = "-L";
  EXPECT_THAT(run_for_kernel(names).out,
              StartsWith("my.one x:long y:string\nmy.two n:long $file:struct file* "));
}

TEST_F(Stap, ListsWhatTheLibraryHas) {
  auto types = run_for_kernel({"--dump-probe-types"});
  EXPECT_EQ(types.status, 0);
  EXPECT_THAT(types.out, AllOf(StartsWith("begin\nbegin(number)\nend\n"),
                               HasSubstr("\nkernel.function(string).return\n")));
  auto functions = run_for_kernel({"--dump-functions"});
  EXPECT_THAT(functions.out,
              AllOf(HasSubstr("\nexit:unknown ()\n"), HasSubstr("\npid:long ()\n")));
  testing_images::World world;
  std::string folder = world.write("a.stp", "probe z = begin, end ? {} probe _hidden = end {}");
  unsetenv("STP_CACHE");
  unsetenv("STP_KERNELS");
  auto aliases = run_for_kernel({"-I", world.root, "--dump-probe-aliases"});
  EXPECT_THAT(aliases.out, HasSubstr("z = begin, end ?\n"));
  EXPECT_THAT(aliases.out, Not(HasSubstr("_hidden")));
  world.write("a.stp", "function z_shown() { return 1 } private function z_own() { return 1 }");
  functions = run_for_kernel({"-I", world.root, "--dump-functions"});
  EXPECT_THAT(functions.out, AllOf(HasSubstr("\nz_shown:"), Not(HasSubstr("z_own"))));
}

// ---- folders

TEST(StapFolders, AreTemporaryUnlessTheyAreAskedFor) {
  fs::path gone, kept;
  {
    TemporaryFolder folder("", false), other("", true);
    gone = folder.path();
    kept = other.path();
    EXPECT_TRUE(fs::is_directory(gone));
  }
  EXPECT_FALSE(fs::exists(gone));
  EXPECT_TRUE(fs::exists(kept));
  { TemporaryFolder folder(kept / "named", false); }
  EXPECT_TRUE(fs::exists(kept / "named"));
  fs::remove_all(kept);
}

}  // namespace
}  // namespace stp::cli
