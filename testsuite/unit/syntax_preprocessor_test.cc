// Macros, conditionals, and their order.
#include "syntax/preprocessor.h"

#include <gtest/gtest.h>

namespace stp {
namespace {

class Preprocessor : public testing::Test {
 protected:
  Preprocessor() {
    context_.kernel_version = "6.1.0";
    context_.kernel_release = "6.1.0-56-amd64";
    context_.arch = "x86_64";
    context_.config["CONFIG_SMP"] = "y";
    context_.config["CONFIG_NR_CPUS"] = "64";
  }
  // The spellings of what is left, with one space between.
  std::string run(const std::string& text) {
    diagnostics_ = Diagnostics();
    result_ = preprocess(map_.add("t.stp", text), context_, library_, map_, diagnostics_);
    std::string out;
    for (const Token& token : result_.tokens) {
      if (token.is(Token::Kind::end)) break;
      out += (out.empty() ? "" : " ") + token.text;
    }
    return out;
  }
  std::string good(const std::string& text) {
    std::string out = run(text);
    for (const Diagnostic& d : diagnostics_.all()) ADD_FAILURE() << render(d);
    return out;
  }
  // The code of the only error.
  Code error(const std::string& text) {
    run(text);
    EXPECT_EQ(diagnostics_.errors(), 1u) << text;
    return diagnostics_.all().empty() ? Code::usage : diagnostics_.all()[0].code;
  }
  bool holds(const std::string& condition) {
    return good("%( " + condition + " %? yes %: no %)") == "yes";
  }
  void library(const std::string& text) {
    library_.add(map_.add("lib.stpm", text, SourceFile::Role::tapset), context_, diagnostics_);
  }

  PreprocessorContext context_;
  MacroLibrary library_;
  SourceMap map_;
  Diagnostics diagnostics_;
  Preprocessed result_;
};

TEST_F(Preprocessor, KernelVersionsCompareByParts) {
  EXPECT_TRUE(holds("kernel_v >= \"6.1\""));
  EXPECT_TRUE(holds("kernel_v < \"6.12\""));
  EXPECT_TRUE(holds("kernel_v > \"5.19\""));
  EXPECT_FALSE(holds("kernel_v == \"6.1\""));
  EXPECT_TRUE(holds("kernel_v == \"6.1.*\""));
  EXPECT_TRUE(holds("kernel_v != \"6.2*\""));
  EXPECT_TRUE(holds("kernel_vr == \"*-amd64\""));
  EXPECT_TRUE(holds("kernel_vr >= \"6.1.0-6\""));
}

TEST_F(Preprocessor, OtherFacts) {
  EXPECT_TRUE(holds("arch == \"x86*\""));
  EXPECT_FALSE(holds("arch == \"arm64\""));
  EXPECT_TRUE(holds("CONFIG_SMP == \"[ym]\""));
  EXPECT_TRUE(holds("CONFIG_NOT_THERE == \"\""));
  EXPECT_TRUE(holds("CONFIG_NOT_THERE != \"y\""));
  EXPECT_TRUE(holds("CONFIG_NR_CPUS == \"64\""));
  EXPECT_TRUE(holds("CONFIG_NR_CPUS > 8 && CONFIG_NR_CPUS == 0x40"));
  EXPECT_FALSE(holds("CONFIG_NR_CPUS < 8"));
  EXPECT_TRUE(holds("systemtap_v >= \"4.5\""));
  EXPECT_TRUE(holds("systemtap_privilege == \"stapdev\""));
  EXPECT_TRUE(holds("runtime == \"kernel\""));
  EXPECT_TRUE(holds("guru_mode == 0"));
  context_.guru = true;
  EXPECT_TRUE(holds("guru_mode != 0"));
}

TEST_F(Preprocessor, LiteralsCompareToLiterals) {
  EXPECT_TRUE(holds("2 < 10"));
  EXPECT_TRUE(holds("0x10 == 16"));
  EXPECT_TRUE(holds("\"2\" > \"10\""));
  EXPECT_FALSE(holds("\"abc\" == \"a*\""));
}

TEST_F(Preprocessor, AndIsTighterThanOr) {
  EXPECT_TRUE(holds("1 == 1 || 1 == 2 && 1 == 3"));
  EXPECT_TRUE(holds("1 == 2 && 1 == 3 || 1 == 1"));
  EXPECT_FALSE(holds("1 == 1 && 1 == 2 || 1 == 3"));
}

TEST_F(Preprocessor, ConditionalsNest) {
  EXPECT_EQ(good("a %( 1 == 1 %? b %( 1 == 2 %? c %: d %) e %: f %) g"), "a b d e g");
  EXPECT_EQ(good("a %( 1 == 2 %? b %( 1 == 1 %? c %: d %) e %: f %) g"), "a f g");
  EXPECT_EQ(good("a %( 1 == 2 %? b %) c"), "a c");
}

TEST_F(Preprocessor, DeadBranchesAreNotJudged) {
  EXPECT_EQ(good("%( 1 == 2 %? $9 @9 ` 08 %( what %? x %) %: a %)"), "a");
}

TEST_F(Preprocessor, MalformedConditionals) {
  for (auto text :
       {"%( foo == 1 %? a %)", "%( 1 == \"1\" %? a %)", "%( arch > \"a\" %? a %)",
        "%( kernel_v == 6 %? a %)", "%( 1 %? a %)", "%( 1 = 1 %? a %: b %)", "%( 1 == 1 a %)",
        "%( %)", "a %)", "a %: b", "a %? b", "%( 1 == 1 %? a %: b %: c %)",
        "%( guru_mode > 0 %? a %)", "%( guru_mode == \"1\" %? a %)"})
    EXPECT_EQ(error(text), Code::bad_preprocessor) << text;
  EXPECT_EQ(error("%( 1 == 1 %? a"), Code::unterminated);
  EXPECT_EQ(error("%( 1 == 1 %? a %: b"), Code::unterminated);
  EXPECT_EQ(error("%( $1 == 1 %? a %)"), Code::missing_argument);
}

TEST_F(Preprocessor, ArgumentsDecideConditionals) {
  context_.args = {"5", "foo"};
  EXPECT_TRUE(holds("$# == 2 && $1 > 4 && @2 == \"foo\""));
}

TEST_F(Preprocessor, MacrosWithoutParameters) {
  EXPECT_EQ(good("@define a %( 1 + 2 %) x @a y @a"), "x 1 + 2 y 1 + 2");
  EXPECT_EQ(good("@define a %( @b %) @define b %( 3 %) @a"), "3");
}

TEST_F(Preprocessor, MacrosWithParameters) {
  EXPECT_EQ(good("@define add(a, b) %( ((@a) + (@b)) %) @add(1, f(2, 3))"),
            "( ( 1 ) + ( f ( 2 , 3 ) ) )");
  EXPECT_EQ(good("@define id(x) %( @x %) @id(@id([a, b] in c))"), "[ a , b ] in c");
  EXPECT_EQ(good("@define id(x) %( @x %) < @id() >"), "< >");
  EXPECT_EQ(good("@define f(x) %( x @x $x %) @f(1)"), "x 1 $x");
}

TEST_F(Preprocessor, ParametersHideMacros) {
  EXPECT_EQ(good("@define x %( macro %) @define f(x) %( @x %) @f(@x) @f(1)"), "macro 1");
}

TEST_F(Preprocessor, ArgumentsDoNotSeeTheBodysParameters) {
  EXPECT_EQ(good("@define f(a, b) %( @a @b %) @define g(b) %( @f(@b, 2) %) @g(1)"), "1 2");
}

TEST_F(Preprocessor, ConditionalsInMacrosAreDecidedAfterExpansion) {
  EXPECT_EQ(
      good("@define m(v, t) %( %( kernel_v >= @v %? @t %) %) @m(\"6\", new) @m(\"7\", newer)"),
      "new");
}

TEST_F(Preprocessor, BadMacros) {
  for (auto text :
       {"@define a(x) %( @x %) @a", "@define a(x) %( @x %) @a(1, 2)", "@define a(x) %( @x %) @a(1",
        "@define a %( @a %) @a", "@define a %( @b %) @define b %( @a %) @a", "@define a 3",
        "@define a() %( 3 %)", "@define 3 %( 3 %)", "@define if %( 3 %)", "@define a(x, x) %( 3 %)",
        "@define a(x %( 3 %)", "@define a %( 1 %) @define a %( 2 %)"})
    EXPECT_EQ(error(text), Code::bad_macro) << text;
  EXPECT_EQ(error("@define a %( 3"), Code::unterminated);
}

TEST_F(Preprocessor, ABrokenDefinitionMakesNoFurtherErrors) {
  EXPECT_EQ(error("@define a(x, x) %( @x %) @a(1, 2)"), Code::bad_macro);
}

TEST_F(Preprocessor, FirstDefinitionCounts) {
  EXPECT_EQ(run("@define a %( 1 %) @define a %( 2 %) @a"), "1");
}

TEST_F(Preprocessor, DoublingMacrosEnd) {
  std::string text;
  for (int i = 0; i < 60; ++i)
    text += "@define m" + std::to_string(i) + " %( @m" + std::to_string(i + 1) + " @m" +
            std::to_string(i + 1) + " %) ";
  EXPECT_EQ(error(text + "@define m60 %( x %) @m0"), Code::bad_macro);
}

TEST_F(Preprocessor, DoublingArgumentsEnd) {
  std::string text = "@define d(x) %( @x @x %) ";
  for (int i = 0; i < 60; ++i) text += "@d(";
  text += "x";
  for (int i = 0; i < 60; ++i) text += ")";
  EXPECT_EQ(error(text), Code::bad_macro);
}

TEST_F(Preprocessor, ExpansionsLeadToTheirUse) {
  good("@define inner %( x %) @define outer %( @inner %)\n@outer");
  const Span& span = result_.tokens[0].span;
  EXPECT_EQ(span.file->position(span.begin).column, 18u);
  ASSERT_NE(span.via, nullptr);
  ASSERT_NE(span.via->via, nullptr);
  EXPECT_EQ(span.via->via->file->position(span.via->via->begin).line, 2u);
}

TEST_F(Preprocessor, TheBoundOfMacrosIsNotThatOfScripts) {
  std::string text;
  for (int i = 0; i < 150'000; ++i) text += "a + ";
  run(text + "1");
  EXPECT_FALSE(diagnostics_.failed());
}

TEST_F(Preprocessor, LocalMacrosHideLibraryMacros) {
  library("@define a %( far %) @define b %( far %)");
  EXPECT_EQ(good("@define a %( near %) @a @b"), "near far");
}

TEST_F(Preprocessor, LibraryFilesMayChooseDefinitions) {
  library(
      "%( kernel_v >= \"6\" %? @define a(x) %( new @x %( arch == \"x86_64\" %? pc %) %)\n"
      "%: @define a(x) %( old @x %) %)");
  EXPECT_FALSE(diagnostics_.failed());
  EXPECT_EQ(good("@a(1)"), "new 1 pc");
}

TEST_F(Preprocessor, LibraryFilesHoldDefinitionsOnly) {
  library("@define a %( 1 %) probe x {}");
  ASSERT_EQ(diagnostics_.errors(), 1u);
  EXPECT_EQ(diagnostics_.all()[0].code, Code::bad_macro);
}

TEST_F(Preprocessor, ProblemsOfLiveTokensAreReported) {
  EXPECT_EQ(error("a ` b"), Code::bad_character);
  EXPECT_EQ(error("a 08 b"), Code::bad_number);
  EXPECT_EQ(error("a \"b"), Code::unterminated);
}

}  // namespace
}  // namespace stp
