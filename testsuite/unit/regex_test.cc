// Regular expressions: the finders are compiled with the runtime's header and compared with the C
// library's regexec(), whose rules are POSIX's as well.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <regex.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "emit/text.h"
#include "regex/matcher.h"
#include "support/subprocess.h"

namespace stp::regex {
namespace {

namespace fs = std::filesystem;

std::string wrong(const std::string& pattern) {
  auto parsed = parse(pattern);
  auto* w = std::get_if<Wrong>(&parsed);
  return w ? std::to_string(w->at) + ": " + w->text : "";
}

TEST(Regex, MistakesAreToldWithTheirPlace) {
  EXPECT_EQ(wrong("ab*c|(d)"), "");
  EXPECT_EQ(wrong("*a"), "0: there is nothing for '*' to repeat");
  EXPECT_EQ(wrong("a|+"), "2: there is nothing for '+' to repeat");
  EXPECT_EQ(wrong("x(ab"), "1: this '(' is not closed");
  EXPECT_EQ(wrong("x[ab"), "1: this '[' is not closed");
  EXPECT_EQ(wrong("[z-a]"), "1: the range is upside down");
  EXPECT_EQ(wrong("[[:foo:]]"), "1: there is no class of characters 'foo'");
  EXPECT_EQ(wrong("a{"), "2: a number was expected");
  EXPECT_EQ(wrong("a{2"), "3: '}' was expected");
  EXPECT_EQ(wrong("a{,3}"), "2: a number was expected");
  EXPECT_EQ(wrong("a{3,2}"), "2: the first count is larger than the second");
  EXPECT_EQ(wrong("a{256}"), "2: a count is 255 at most");
  EXPECT_EQ(wrong("^*"), "1: '*' cannot repeat ^ or $");
  EXPECT_EQ(wrong("(a)\\1"), "3: back-references cannot be matched");
  EXPECT_EQ(wrong("a\\"), "1: the expression ends behind a backslash");
  EXPECT_EQ(wrong("((((a{200}){200}){200}){200})"), "0: the regular expression is too large");
  EXPECT_THAT(wrong(std::string(1000, '(')), testing::HasSubstr("more than 63 pairs"));
}

TEST(Regex, TooManyStatesAreAnError) {
  Pattern p = std::get<Pattern>(parse("(a|b)*a(a|b){30}(a|b)*b(a|b){30}"));
  EXPECT_THROW(matcher("f", p, true), TooLarge);
}

struct Case {
  std::string pattern, text;
};

// begin-end of each group as regexec() has them, or "no".
std::string expected(const Case& c, bool groups) {
  regex_t compiled;
  EXPECT_EQ(regcomp(&compiled, c.pattern.c_str(), REG_EXTENDED), 0) << c.pattern;
  regmatch_t at[10];
  std::string text = "no";
  if (regexec(&compiled, c.text.c_str(), 10, at, 0) == 0) {
    text = "yes";
    for (size_t i = 0; groups && i <= compiled.re_nsub && i < 10; ++i)
      text += " " + std::to_string(at[i].rm_so) + "-" + std::to_string(at[i].rm_eo);
  }
  regfree(&compiled);
  return text;
}

// One program that prints a line for each case.
std::string program(const std::vector<Case>& cases, bool groups) {
  std::string text =
      "#include \"script.h\"\n#include <stdio.h>\n"
      "static s32 tags[2 * STP_MATCH_GROUPS];\n"
      "static void tell(stp_regex_find *find, int groups, struct stp_str s)\n{\n"
      "\tif (!find(s, tags)) { puts(\"no\"); return; }\n\tprintf(\"yes\");\n"
      "\tfor (int i = 0; i <= groups; i++) {\n"
      "\t\tint from = tags[2 * i], to = tags[2 * i + 1];\n"
      "\t\tif (from == STP_REGEX_NONE || to == STP_REGEX_NONE) from = to = -1;\n"
      "\t\telse { from = from < 0 ? 0 : from; to = to > (int)s.len ? (int)s.len : to; }\n"
      "\t\tprintf(\" %d-%d\", from, to);\n\t}\n\tputs(\"\");\n}\n";
  std::map<std::string, std::string> names;
  std::string calls;
  for (const Case& c : cases) {
    Pattern p = std::get<Pattern>(parse(c.pattern));
    auto [at, fresh] = names.emplace(c.pattern, "find_" + std::to_string(names.size()));
    if (fresh) text += matcher(at->second, p, groups);
    calls += "\ttell(" + at->second + ", " + std::to_string(groups ? p.groups : -1) +
             ", STP_STR(" + emit_c::c_string(c.text) + "));\n";
  }
  return text + "int main(void)\n{\n" + calls + "\treturn 0;\n}\n";
}

void compare(const std::vector<Case>& cases, bool groups) {
  fs::path dir = fs::path(testing::TempDir()) / ("regex" + std::to_string(groups));
  fs::create_directories(dir);
  std::ofstream(dir / "x.c") << program(cases, groups);
  const char* source = std::getenv("STP_SOURCE_DIR");
  std::string home = source ? source : ".";
  ASSERT_EQ(run_logged({"gcc", "-w", "-O0", "-I" + home + "/runtime", "-o", (dir / "x").string(),
                        (dir / "x.c").string()},
                       dir / "gcc.log"),
            0)
      << std::ifstream(dir / "gcc.log").rdbuf();
  fs::remove(dir / "out");
  ASSERT_EQ(run_logged({(dir / "x").string()}, dir / "out"), 0);
  std::ifstream out(dir / "out");
  std::string line;
  for (const Case& c : cases) {
    std::getline(out, line);
    EXPECT_EQ(line, expected(c, groups)) << "/" << c.pattern << "/ on \"" << c.text << '"';
  }
  fs::remove_all(dir);
}

const char* const patterns[] = {
    "abc", "a|ab|abc", "a*", "(a*)b", "(a|b)*c", "^a", "a$", "^$", "^(a|bc)*$", "x?y+z{2}",
    "a{2,3}b{1,}", "[a-c]+x", "[^a-c]+", "[]x]+", "[x^-]", ".b.", "(a)|(b)", "(a(b)?)+", "()", "",
    "(^a|b)c", "(a|^)b", "a(b|$)", "(foo|foobar)(bar)?", "[[:alpha:]]+[[:digit:]]*", "a\\.b", "(a|)b",
    "((a)(b(c)))", "z|$", "a^b", "a$b", "\\w+\\s\\W?", "[[.-.]a]+", "x*|b",
};

TEST(Regex, FindsWhatTheCLibraryFinds) {
  std::mt19937 random(1);
  std::vector<Case> cases;
  for (const char* pattern : patterns) {
    for (const char* text : {"", "a", "abc", "foobar", "xyzz", "bca", "aab", "a.b", "]x^-"})
      cases.push_back({pattern, text});
    for (int i = 0; i < 25; ++i) {
      std::string text;
      for (unsigned n = random() % 9; n > 0; --n) text += "aabbcx. "[random() % 8];
      cases.push_back({pattern, text});
    }
  }
  compare(cases, false);
}

// Where POSIX's rule for groups and the C library's agree (it has known faults with nested repeats).
TEST(Regex, GroupsAreWhatTheCLibraryTells) {
  std::vector<Case> cases;
  for (const char* pattern :
       {"(str)ing", "([^=]*)=(.*)", "a(x)|b", "(a)|(b)", "(fo|bar)(bar)?", "^(.*)/([^/]*)$",
        "(a|b)+c", "((a)(b(c)))", "(^a|b)c", "a(b|$)", "()x", "([0-9]+)\\.([0-9]+)"})
    for (const char* text : {"string", "key=value=x", "b", "foobar", "/usr/lib/x", "xabac", "abc",
                             "ac", "xa", "1.2 10.25", ""})
      cases.push_back({pattern, text});
  compare(cases, true);
}

}  // namespace
}  // namespace stp::regex
