// Runs testsuite/parse/*.stp and parses SystemTap's example scripts.
//
// A case says what it expects in comments: `# expect ok` in its first line, or
// `# expect error: CODE [CODE...]` at the end of each line that has errors. Every error must
// be expected and every expectation met. `# guru` and `# args: a b` set up the parser. What
// is accepted must print as text that parses and prints the same.
#include <gtest/gtest.h>

#include <map>

#include "case_files.h"
#include "syntax/parser.h"
#include "syntax/printer.h"

namespace stp {
namespace {

namespace fs = std::filesystem;

PreprocessorContext test_context() {
  PreprocessorContext context;
  context.kernel_version = "6.1.0";
  context.kernel_release = "6.1.0-56-amd64";
  context.arch = "x86_64";
  context.config["CONFIG_SMP"] = "y";
  return context;
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

void expect_stable_print(const ast::File& file, PreprocessorContext context,
                         const MacroLibrary& library, SourceMap& map) {
  context.guru = true;
  std::string text = print(file);
  Diagnostics diagnostics;
  auto again = parse(map.add("printed", text), context, library, map, diagnostics);
  EXPECT_FALSE(diagnostics.failed()) << rendered(diagnostics);
  EXPECT_EQ(print(*again), text);

  // The form of -p1 moves declarations, so what it gives is the tree of its own text.
  std::string sorted = print_sorted(file);
  auto third = parse(map.add("sorted", sorted), context, library, map, diagnostics);
  EXPECT_FALSE(diagnostics.failed()) << rendered(diagnostics);
  EXPECT_EQ(print_sorted(*third), sorted);
}

using Errors = std::multimap<uint32_t, std::string>;  // line -> code

class ParseCase : public testing::Test {
 public:
  explicit ParseCase(std::string path) : path_(std::move(path)) {}

  void TestBody() override {
    SourceMap map;
    const SourceFile& source = map.read(path_);
    PreprocessorContext context = test_context();
    Errors expected;
    bool ok = behind(source.line(1), "# expect ok") == "";
    ok &= source.line(1).find("# expect ok") != std::string_view::npos;
    const uint32_t lines = source.position(source.text().size()).line;
    for (uint32_t n = 1; n <= lines; ++n) {
      context.guru |= source.line(n) == "# guru";
      if (auto args = words(behind(source.line(n), "# args: ")); !args.empty()) context.args = args;
      for (auto& code : words(behind(source.line(n), "# expect error: ")))
        expected.emplace(n, code);
    }
    ASSERT_NE(ok, !expected.empty()) << "the case must expect either success or errors";

    Diagnostics diagnostics;
    MacroLibrary library;
    auto file = parse(source, context, library, map, diagnostics);
    Errors found;
    for (const Diagnostic& d : diagnostics.all()) {
      const Span* place = &d.span;
      while (place->file != &source && place->via) place = place->via;
      found.emplace(source.position(place->begin).line, name_of(d.code));
    }
    // multimap keeps the order of insertion within a line; compare as sets of pairs.
    auto sorted = [](const Errors& errors) {
      std::vector<std::pair<uint32_t, std::string>> all(errors.begin(), errors.end());
      std::sort(all.begin(), all.end());
      return all;
    };
    EXPECT_EQ(sorted(found), sorted(expected)) << rendered(diagnostics);
    if (!diagnostics.failed()) expect_stable_print(*file, context, library, map);
  }

 private:
  std::string path_;
};

bool register_cases() {
  for (const fs::path& file : files_in("testsuite/parse", ".stp"))
    testing::RegisterTest("ParseCases", file.stem().c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [file]() -> testing::Test* { return new ParseCase(file); });
  return true;
}
[[maybe_unused]] const bool registered = register_cases();

TEST(ParseCasesFolder, HoldsCases) {
  EXPECT_GE(files_in("testsuite/parse", ".stp").size(), 80u)
      << "set STP_SOURCE_DIR to the top of the source tree";
}

// ------------------------------------------------------------ SystemTap's examples

// Stand-ins with the parameters of the macros that the examples take from
// SystemTap's library; what they expand to only has to parse.
constexpr const char* kLibraryMacros = R"(
@define choose_defined(a, b) %( (@defined(@a) ? @a : @b) %)
@define cast_sizeof(type) %( 8 %)
@define cast_module_sizeof(module, type) %( 8 %)
@define module_container_of(p, module, type, member) %( @cast(@p, @type, @module) %)
@define container_of(p, type, member) %( @cast(@p, @type) %)
@define this1 %( saved1 %)
@define this2 %( saved2 %)
@define this3 %( saved3 %)
@define this4 %( saved4 %)
@define this5 %( saved5 %)
@define json_output_data_start %( println("{") %)
@define json_output_data_end %( println("}") %)
@define json_output_array_numeric_value(array, key, name, value) %( println(@array, @key, @name, @value) %)
@define prometheus_dump_array1(a, n, k1) %( foreach (i in @a) println(@n, @k1) %)
@define prometheus_dump_array3(a, n, k1, k2, k3) %( foreach (i in @a) println(@n, @k1, @k2, @k3) %)
@define prometheus_dump_array7(a, n, k1, k2, k3, k4, k5, k6, k7) %( foreach (i in @a) println(@n, @k7) %)
@define prometheus_dump_array1_map_unquoted(a, n, k1, f1, f2) %( foreach (i in @a) println(@f1(i), @f2(@a[i])) %)
@define prometheus_dump_array2_map(a, n, k1, k2, f1, f2, f3) %( foreach (i in @a) println(@f1(i), @f2(1), @f3(2)) %)
@define prometheus_dump_array3_map(a, n, k1, k2, k3, f1, f2, f3, f4) %( foreach (i in @a) println(@f1(i), @f4(1)) %)
)";

std::vector<std::string> example_scripts() {
  std::vector<std::string> scripts;
  // Where Debian's package systemtap-doc and others put them.
  for (const char* dir : {"/usr/share/systemtap/examples", "/usr/share/doc/systemtap/examples",
                          "/usr/share/doc/systemtap-doc/examples"}) {
    std::error_code error;
    if (fs::is_symlink(dir, error)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(dir, error))
      if (entry.path().extension() == ".stp" && !entry.is_directory())
        scripts.push_back(entry.path());
  }
  std::sort(scripts.begin(), scripts.end());
  return scripts;
}

// Where an example puts its arguments, names, numbers or both may be wanted.
const std::vector<std::string> kArgumentSets[] = {
    {"a", "b", "c", "d", "e", "f"},
    {"1", "2", "3", "4", "5", "6"},
    {"a", "b", "1", "d"},
    {},
};

TEST(ParseExamples, AllScriptsOfSystemTapParse) {
  const std::vector<std::string> scripts = example_scripts();
  ASSERT_GE(scripts.size(), 212u) << "install the package systemtap-doc";
  for (const std::string& path : scripts) {
    // Not a script but a pattern for one: its handlers read `{...}`.
    const bool is_template = path.ends_with("/security-bandaid-template.stp");
    std::string first_errors;
    bool parsed = false;
    for (const auto& args : kArgumentSets) {
      SourceMap map;
      Diagnostics diagnostics;
      PreprocessorContext context = test_context();
      context.guru = true;
      context.args = args;
      MacroLibrary library;
      library.add(map.add("macros.stpm", kLibraryMacros, SourceFile::Role::tapset), context,
                  diagnostics);
      ASSERT_FALSE(diagnostics.failed()) << rendered(diagnostics);
      auto file = parse(map.read(path), context, library, map, diagnostics);
      if (first_errors.empty()) first_errors = rendered(diagnostics);
      parsed = !diagnostics.failed();
      if (!parsed) continue;
      SCOPED_TRACE(path);
      expect_stable_print(*file, context, library, map);
      break;
    }
    EXPECT_NE(parsed, is_template) << path << "\n" << first_errors;
  }
}

}  // namespace
}  // namespace stp
