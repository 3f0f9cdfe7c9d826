// Runs testsuite/oracle/*.cases: small scripts with the verdict that Debian's stap gave on each.
// README.md there says how a case reads, and `record` asks stap again.
//
// A case of pass p1 that is accepted goes through the parser alone. All others go through the
// semantic pass as well: whether the parser or a later pass refuses a script is nobody's concern,
// but that it is refused, and on which line. stap's p3 refuses what our semantic pass does.
#include <gtest/gtest.h>

#include <set>

#include "case_files.h"
#include "cli/compile.h"
#include "cli/options.h"

namespace stp {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string name;
  int head_line = 0;  // in the .cases file
  bool accept = false;
  bool parse_only = false;
  uint32_t line = 0;  // of the first error; 0 when stap names none
  bool guru = false;
  std::vector<std::string> args;
  bool deviates = false;
  std::string script;
};

// Words at blanks; '...' holds blanks together.
std::vector<std::string> shell_words(const std::string& text) {
  std::vector<std::string> words;
  bool quoted = false, open = false;
  for (char c : text) {
    if (c == '\'') {
      quoted = !quoted;
    } else if (c == ' ' && !quoted) {
      open = false;
      continue;
    }
    if (!open) words.emplace_back();
    open = true;
    if (c != '\'') words.back() += c;
  }
  return words;
}

// ### name: accept|reject p1|p2|p3 [line N] [-g] [args...] [deviates: reason]
Case case_of_head(std::string head) {
  Case one;
  if (size_t at = head.find(" deviates: "); at != head.npos) {
    one.deviates = true;
    head.resize(at);
  }
  size_t colon = head.find(':');
  one.name = head.substr(4, colon - 4);
  std::vector<std::string> words = shell_words(head.substr(colon + 1));
  size_t next = 2;
  one.accept = words.at(0) == "accept";
  one.parse_only = one.accept && words.at(1) == "p1";
  if (next + 1 < words.size() && words[next] == "line") {
    one.line = static_cast<uint32_t>(std::stoul(words[next + 1]));
    next += 2;
  }
  if (next < words.size() && words[next] == "-g") {
    one.guru = true;
    ++next;
  }
  one.args.assign(words.begin() + static_cast<long>(next), words.end());
  return one;
}

std::vector<Case> cases_of(const fs::path& file) {
  std::vector<Case> cases;
  std::ifstream in(file);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.starts_with("### ")) {
      cases.push_back(case_of_head(line));
      cases.back().head_line = number;
    } else if (!cases.empty()) {
      cases.back().script += line + "\n";
    }
  }
  return cases;
}

// The lines of the script that errors are on: of a macro's text, and of where it was used.
std::set<uint32_t> error_lines(const Diagnostics& d, const SourceFile& script) {
  std::set<uint32_t> lines;
  for (const Diagnostic& one : d.all()) {
    if (one.severity != Diagnostic::Severity::error) continue;
    for (const Span* place = &one.span; place; place = place->via)
      if (place->file == &script) lines.insert(script.position(place->begin).line);
  }
  return lines;
}

class OracleCase : public testing::Test {
 public:
  explicit OracleCase(Case one) : case_(std::move(one)) {}

  void TestBody() override {
    ASSERT_TRUE(first_kernel()) << "the first kernel of vm/kernels.list was not found: vm/setup check";
    const SourceFile& script = map_.add("script.stp", case_.script);
    const bool refused = refuses(script);
    bool agrees = refused != case_.accept;
    if (agrees && refused && case_.line)
      agrees = error_lines(diagnostics_, script).count(case_.line);
    if (case_.deviates) {
      EXPECT_FALSE(agrees) << "we agree with stap now: drop 'deviates'";
      return;
    }
    EXPECT_TRUE(agrees) << "stap " << (case_.accept ? "accepts" : "rejects") << " this"
                        << (case_.line ? " for line " + std::to_string(case_.line) : "") << ":\n"
                        << case_.script << (refused ? rendered(diagnostics_) : "it was accepted");
  }

 private:
  bool refuses(const SourceFile& script) {
    cli::ScriptOptions options;
    options.debuginfo = DebuginfoChoice::btf;
    options.guru = case_.guru;
    options.args = case_.args;
    if (case_.parse_only) {
      cli::Library library(*first_kernel(), options, map_, diagnostics_);
      parse(script, cli::preprocessor_context(*first_kernel(), options, options.args), library.macros(),
            map_, diagnostics_);
    } else {
      cli::Progress progress(false);
      cli::resolve(script, *first_kernel(), options, map_, diagnostics_, progress);
    }
    return diagnostics_.failed();
  }

  Case case_;
  SourceMap map_;
  Diagnostics diagnostics_;
};

size_t register_cases() {
  std::vector<fs::path> files = files_in("testsuite/oracle", ".cases");
  size_t count = 0;
  static std::vector<std::string> names;  // RegisterTest keeps the pointer to the file's name
  names.reserve(files.size());
  for (const fs::path& file : files) {
    std::string suite = "oracle_" + file.stem().string();
    names.push_back(file.string());
    for (Case& one : cases_of(file)) {
      ++count;
      testing::RegisterTest(suite.c_str(), one.name.c_str(), nullptr, nullptr, names.back().c_str(),
                            one.head_line,
                            [one]() -> testing::Test* { return new OracleCase(one); });
    }
  }
  return count;
}
const size_t registered = register_cases();

TEST(OracleCases, AreMany) {
  EXPECT_GE(registered, 420u) << "run from the top of the tree, or set STP_SOURCE_DIR";
}

}  // namespace
}  // namespace stp
