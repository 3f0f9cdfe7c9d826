// Runs testsuite/sema/*.stp and testsuite/emit/*.stp: scripts that say what resolving them reports,
// and what comes out.
//
//   # expect ok                 resolves without an error
//   # expect error: CODE ...    at the end of a line that has errors; all must be expected
//   # expect warning: CODE      a warning, anywhere
//   # expect dump: REGEX        a line of the resolved program (prog::dump)
//   # expect c: REGEX           a line of the C that is emitted for it
//   # expect no c: REGEX        none of them
//   # expect note: REGEX        a line of what is reported, as people see it
//   # library: LINE             a line of a tapset file, lib.stp, that the script finds
//   # macros: LINE              a line of a file of macros, lib.stpm
//
// Probe points and types are those of the first kernel of vm/kernels.list, from its BTF.
#include <gtest/gtest.h>

#include <regex>

#include "case_files.h"
#include "cli/compile.h"
#include "cli/options.h"
#include "emit/emit.h"
#include "optimize/optimize.h"

namespace stp {
namespace {

namespace fs = std::filesystem;

class ScriptCase : public testing::Test {
 public:
  explicit ScriptCase(fs::path file) : file_(std::move(file)) {}

  void TestBody() override {
    ASSERT_TRUE(first_kernel()) << "the first kernel of vm/kernels.list was not found: vm/setup check";
    const SourceFile& script = map_.read(file_.string());
    cli::ScriptOptions options;
    options.debuginfo = DebuginfoChoice::btf;
    lines_ = lines_of(std::string(script.text()));
    write_library(options);
    cli::Progress progress(false);
    auto program = cli::resolve(script, *first_kernel(), options, map_, diagnostics_, progress);
    expect_errors();
    expect_warnings();
    expect_lines("# expect note: ", rendered(diagnostics_));
    bool wants_program = false;
    for (const std::string& line : lines_)
      wants_program |= line.find("# expect ok") == 0 || !behind(line, "# expect dump: ").empty() ||
                       !behind(line, "# expect c: ").empty() || !behind(line, "# expect no c: ").empty();
    if (!wants_program) return;
    ASSERT_TRUE(program) << rendered(diagnostics_);
    expect_lines("# expect dump: ", prog::dump(*program));
    optimize(*program);
    std::string c = emit(*program, {.release = "test", .build_id = ""});
    expect_lines("# expect c: ", c);
    expect_lines("# expect no c: ", c, false);
  }

 private:
  void write_library(cli::ScriptOptions& options) {
    fs::path dir = fs::path(testing::TempDir()) / ("stp-lib-" + file_.stem().string());
    for (auto [mark, name] : {std::pair{"# library: ", "lib.stp"}, {"# macros: ", "lib.stpm"}}) {
      std::string text;
      for (const std::string& line : lines_)
        if (line.find(mark) == 0) text += behind(line, mark) + "\n";
      if (text.empty()) continue;
      fs::create_directories(dir);
      std::ofstream(dir / name) << text;
      options.library = {dir.string()};
    }
  }

  void expect_errors() {
    std::multiset<std::pair<size_t, std::string>> wanted, reported;
    for (size_t i = 0; i < lines_.size(); ++i) {
      std::istringstream codes(behind(lines_[i], "# expect error: "));
      for (std::string code; codes >> code;) wanted.emplace(i + 1, code);
    }
    for (const Diagnostic& d : diagnostics_.all())
      if (d.severity == Diagnostic::Severity::error && !in_library(d))
        reported.emplace(d.span ? d.span.file->position(d.span.begin).line : 1,
                         std::string(name_of(d.code)));
    EXPECT_EQ(wanted, reported) << rendered(diagnostics_);
  }

  static bool in_library(const Diagnostic& d) {
    return d.span && d.span.file->in_library();
  }

  void expect_warnings() {
    for (const std::string& line : lines_) {
      std::string code = behind(line, "# expect warning: ");
      if (code.empty()) continue;
      bool found = std::any_of(
          diagnostics_.all().begin(), diagnostics_.all().end(), [&](const Diagnostic& d) {
            return d.severity == Diagnostic::Severity::warning && name_of(d.code) == code;
          });
      EXPECT_TRUE(found) << "no warning " << code << "\n" << rendered(diagnostics_);
    }
  }

  void expect_lines(const std::string& mark, const std::string& text, bool there = true) {
    std::vector<std::string> have = lines_of(text);
    for (const std::string& line : lines_) {
      std::string pattern = behind(line, mark);
      if (pattern.empty()) continue;
      std::regex regex(pattern);
      EXPECT_EQ(std::any_of(have.begin(), have.end(),
                            [&](const std::string& l) { return std::regex_search(l, regex); }),
                there)
          << (there ? "no" : "a") << " line matches " << pattern << " in\n"
          << text;
    }
  }

  fs::path file_;
  SourceMap map_;
  Diagnostics diagnostics_;
  std::vector<std::string> lines_;
};

const bool registered = [] {
  for (const char* folder : {"sema", "emit"}) {
    std::string suite = std::string(folder) + "_cases";
    for (const fs::path& file : files_in(fs::path("testsuite") / folder, ".stp"))
      testing::RegisterTest(suite.c_str(), file.stem().c_str(), nullptr, nullptr, __FILE__,
                            __LINE__, [file]() -> testing::Test* { return new ScriptCase(file); });
  }
  return true;
}();

TEST(ScriptCases, AreFound) {
  EXPECT_TRUE(registered);
  EXPECT_TRUE(fs::exists(source_dir() / "testsuite/sema"))
      << "run from the top of the tree, or set STP_SOURCE_DIR";
}

}  // namespace
}  // namespace stp
