// How a diagnostic shows the line it is about: carets stand under what they mean, and nothing of a
// script steers the terminal.
#include "support/diagnostics.h"

#include <gtest/gtest.h>

#include "syntax/lexer.h"

namespace stp {
namespace {

// The excerpt of an error at the first `mark` of `text`.
std::string excerpt(const std::string& text, const std::string& mark) {
  SourceMap map;
  const SourceFile& file = map.add("t.stp", text);
  const auto at = static_cast<uint32_t>(text.find(mark));
  Diagnostics diagnostics;
  diagnostics.error(Code::expected, {&file, at, at + static_cast<uint32_t>(mark.size())}, "x");
  const std::string all = render(diagnostics.all().front());
  return all.substr(all.find('\n') + 1);
}

TEST(Excerpt, LinesMayEndInCarriageReturns) {
  EXPECT_EQ(excerpt("a\r\nbad(1)\r\nc\r\n", "bad"), "    2 | bad(1)\n      | ^~~\n");
}

TEST(Excerpt, CaretsFollowTabsAndCharactersOfSeveralBytes) {
  EXPECT_EQ(excerpt("\tx =\tbad", "bad"), "    1 | \tx =\tbad\n      | \t   \t^~~\n");
  EXPECT_EQ(excerpt("\"é\" bad", "bad"), "    1 | \"é\" bad\n      |     ^~~\n");
  EXPECT_EQ(excerpt("\"漢😀\" bad", "bad"), "    1 | \"漢😀\" bad\n      |        ^~~\n");
  EXPECT_EQ(excerpt("f(\"é漢\")", "\"é漢\""), "    1 | f(\"é漢\")\n      |   ^~~~~\n");
}

TEST(Excerpt, WhatSteersATerminalOrHidesIsNotPrinted) {
  EXPECT_EQ(excerpt("\"\x1b[31m\" bad", "bad"), "    1 | \"?[31m\" bad\n      |         ^~~\n");
  EXPECT_EQ(excerpt("\xff\xc3 bad", "bad"), "    1 | ?? bad\n      |    ^~~\n");
  EXPECT_EQ(excerpt("a\u202eb\u200b bad", "bad"), "    1 | a?b? bad\n      |      ^~~\n");
  EXPECT_EQ(excerpt("bad \xe6\xbc", "bad"), "    1 | bad ??\n      | ^~~\n");
}

TEST(Message, IsCutAndCleared) {
  Diagnostics diagnostics;
  diagnostics.error(Code::expected, {}, "no '\x1b[31m" + std::string(1000000, 'a') + "'")
      .note("is '\x07'");
  const std::string all = render(diagnostics.all().front());
  EXPECT_LT(all.size(), 2000u);
  EXPECT_TRUE(all.starts_with("stp: error: no '?[31maaa")) << all;
  EXPECT_NE(all.find("aaa' [expected]\n  note: is '?'\n"), all.npos) << all;
}

TEST(InvisibleCharacters, HaveTheirNames) {
  for (const auto& [text, name] : {std::pair("\ufeffx", "byte order mark"), {"\u00a0x", "no-break"},
                                   {"\u200bx", "without width"}, {"\u2028x", "line separator"}}) {
    SourceMap map;
    Tokens tokens = lex(map.add("t.stp", text));
    ASSERT_EQ(tokens.size(), 3u) << name;
    ASSERT_TRUE(tokens[0].problem);
    EXPECT_NE(tokens[0].problem->text.find(name), std::string::npos) << tokens[0].problem->text;
    EXPECT_EQ(tokens[1].text, "x");
  }
}

}  // namespace
}  // namespace stp
