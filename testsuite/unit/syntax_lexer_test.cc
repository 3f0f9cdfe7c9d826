// Tokens out of text: spellings, values, places, and what is wrong with bad ones.
#include "syntax/lexer.h"

#include <gtest/gtest.h>

namespace stp {
namespace {

using Kind = Token::Kind;

class Lexer : public testing::Test {
 protected:
  Tokens tokens(std::string text) {
    Tokens all = lex(map_.add("t.stp", std::move(text)));
    EXPECT_TRUE(all.back().is(Kind::end));
    all.pop_back();
    return all;
  }
  std::vector<std::string> texts(std::string text) {
    std::vector<std::string> out;
    for (const Token& token : tokens(std::move(text))) out.push_back(token.text);
    return out;
  }
  // The code of the only problem in `text`.
  Code problem(std::string text) {
    const Token::Problem* found = nullptr;
    static Tokens all;
    all = tokens(std::move(text));
    for (const Token& token : all) {
      if (!token.problem) continue;
      EXPECT_EQ(found, nullptr);
      found = token.problem.get();
    }
    EXPECT_NE(found, nullptr);
    return found ? found->code : Code::usage;
  }
  SourceMap map_;
};

using Strings = std::vector<std::string>;

TEST_F(Lexer, EmptyAndBlankTextsHaveNoTokens) {
  EXPECT_TRUE(tokens("").empty());
  EXPECT_TRUE(tokens(" \t\r\n\f ").empty());
}

TEST_F(Lexer, ThreeKindsOfCommentsAreSkipped) {
  EXPECT_EQ(texts("a # b\nc // d\n/* e\n * f */ g /**/ h"), (Strings{"a", "c", "g", "h"}));
}

TEST_F(Lexer, HashBehindASigilIsAnArgumentCount) {
  auto all = tokens("$# @# #x");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_TRUE(all[0].is(Kind::argument));
  EXPECT_EQ(all[0].text, "$#");
  EXPECT_EQ(all[1].text, "@#");
}

TEST_F(Lexer, LongestOperatorWins) {
  EXPECT_EQ(texts("a<<<b<<=c<<d<e>>>f>>=g->h--i-j"),
            (Strings{"a", "<<<", "b", "<<=", "c", "<<", "d", "<", "e", ">>>", "f", ">>=", "g", "->",
                     "h", "--", "i", "-", "j"}));
  EXPECT_EQ(texts("%( %? %: %) %= %"), (Strings{"%(", "%?", "%:", "%)", "%=", "%"}));
  EXPECT_EQ(texts("a=~b!~c.=d"), (Strings{"a", "=~", "b", "!~", "c", ".=", "d"}));
}

TEST_F(Lexer, NamesMayHoldDollars) {
  auto all = tokens("a$b _x $y $$z $1 @2 @foo $$1 $x$$");
  ASSERT_EQ(all.size(), 9u);
  EXPECT_EQ(all[0].text, "a$b");
  EXPECT_FALSE(all[0].is_target());
  EXPECT_TRUE(all[2].is_target());
  EXPECT_TRUE(all[3].is_target());
  EXPECT_TRUE(all[4].is(Kind::argument));
  EXPECT_TRUE(all[5].is(Kind::argument));
  EXPECT_TRUE(all[6].is(Kind::at_word));
  EXPECT_EQ(all[6].text, "foo");
  EXPECT_TRUE(all[7].is_target());
  EXPECT_EQ(all[8].text, "$x$$");
}

TEST_F(Lexer, KeywordsAreNotNames) {
  auto all = tokens("foreach foreachx in long");
  EXPECT_TRUE(all[0].is_keyword("foreach"));
  EXPECT_TRUE(all[1].is(Kind::identifier));
  EXPECT_TRUE(all[2].is(Kind::keyword));
  EXPECT_TRUE(all[3].is(Kind::keyword));
}

TEST_F(Lexer, NumbersInThreeBases) {
  auto all = tokens("0 10 0x1F 0777 9223372036854775807");
  EXPECT_EQ(all[0].value, 0);
  EXPECT_EQ(all[1].value, 10);
  EXPECT_EQ(all[2].value, 31);
  EXPECT_EQ(all[3].value, 511);
  EXPECT_EQ(all[4].value, INT64_MAX);
}

TEST_F(Lexer, NumbersAboveTheSignBitWrap) {
  auto all = tokens("0x8000000000000000 18446744073709551615 9223372036854775808");
  EXPECT_EQ(all[0].value, INT64_MIN);
  EXPECT_EQ(all[1].value, -1);
  EXPECT_EQ(all[2].value, INT64_MIN);
}

TEST_F(Lexer, BadNumbers) {
  for (auto text : {"08", "0x", "1abc", "5L", "18446744073709551616", "0x10000000000000000"})
    EXPECT_EQ(problem(text), Code::bad_number) << text;
}

TEST_F(Lexer, EscapesOfStrings) {
  EXPECT_EQ(texts(R"("\a\b\f\n\r\t\v\\\"")")[0], "\a\b\f\n\r\t\v\\\"");
  EXPECT_EQ(texts(R"("\x41\x4a1\101\1012\7x")")[0], "AJ1AA2\ax");
  EXPECT_EQ(texts(R"("\q\%\xg")")[0], "q%xg");
  EXPECT_EQ(texts("\"a#b//c/*d\"")[0], "a#b//c/*d");
}

TEST_F(Lexer, OpenStringEndsWithItsLine) {
  EXPECT_EQ(problem("a \"bc\nd"), Code::unterminated);
  EXPECT_EQ(texts("a \"bc\nd"), (Strings{"a", "bc", "d"}));
  EXPECT_EQ(problem("\"abc\\"), Code::unterminated);
}

TEST_F(Lexer, OpenCommentAndEmbeddedC) {
  EXPECT_EQ(problem("a /* b"), Code::unterminated);
  EXPECT_EQ(problem("/*/ b"), Code::unterminated);
  EXPECT_EQ(problem("%{ b % }"), Code::unterminated);
}

TEST_F(Lexer, EmbeddedCIsOneToken) {
  auto all = tokens("%{ if (\"x\") { # %( } %} a");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_TRUE(all[0].is(Kind::embedded));
  EXPECT_EQ(all[0].text, " if (\"x\") { # %( } ");
}

TEST_F(Lexer, StrangeBytesAreReportedOncePerRun) {
  EXPECT_EQ(problem("a `` b"), Code::bad_character);
  EXPECT_EQ(problem("a \xc3\xa9\xc3\xa9 b"), Code::bad_character);
  EXPECT_EQ(problem(std::string("a \0\0 b", 6)), Code::bad_character);
  EXPECT_EQ(problem("a @ b"), Code::bad_character);
}

TEST_F(Lexer, SpansCoverTheSpelling) {
  auto all = tokens("ab  \"c\\n\"\n  0x1f");
  EXPECT_EQ(all[0].span.begin, 0u);
  EXPECT_EQ(all[0].span.end, 2u);
  EXPECT_EQ(all[1].span.begin, 4u);
  EXPECT_EQ(all[1].span.end, 9u);
  EXPECT_EQ(all[2].span.begin, 12u);
  EXPECT_EQ(all[2].span.end, 16u);
  EXPECT_TRUE(all[0].starts_line);
  EXPECT_FALSE(all[1].starts_line);
  EXPECT_TRUE(all[2].starts_line);
}

}  // namespace
}  // namespace stp
