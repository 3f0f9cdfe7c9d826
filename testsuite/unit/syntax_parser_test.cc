// Trees out of text, and what is said about text that is no script.
#include "syntax/parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "syntax/printer.h"

namespace stp {
namespace {

using ast::Expr;

class Parse : public testing::Test {
 protected:
  ast::File& parse_text(const std::string& text, SourceFile::Role role = SourceFile::Role::user) {
    diagnostics_ = Diagnostics();
    used_ = 99;
    file_ = parse(map_.add("t.stp", text, role), context_, library_, map_, diagnostics_, &used_);
    return *file_;
  }
  ast::File& good(const std::string& text) {
    ast::File& file = parse_text(text);
    EXPECT_FALSE(diagnostics_.failed()) << text << "\n" << messages();
    return file;
  }
  std::string messages() const {
    std::string out;
    for (const Diagnostic& d : diagnostics_.all()) out += render(d);
    return out;
  }
  // "code@line:column" of every error, in order.
  std::vector<std::string> errors(const std::string& text) {
    parse_text(text);
    std::vector<std::string> out;
    for (const Diagnostic& d : diagnostics_.all()) {
      LineColumn at = d.span.file->position(d.span.begin);
      out.push_back(std::string(name_of(d.code)) + "@" + std::to_string(at.line) + ":" +
                    std::to_string(at.column));
    }
    return out;
  }
  const Expr& expr(const std::string& text) {
    auto& file = good("probe p { " + text + " }");
    auto* probe = std::get<ast::Probe*>(file.declarations.at(0));
    auto& block = std::get<ast::Block>(probe->body->node);
    return *std::get<ast::ExprStmt>(block.statements.at(0)->node).value;
  }
  // The grouping of an expression, all of it in parentheses.
  std::string grouped(const Expr& e) {
    if (auto* n = std::get_if<ast::Binary>(&e.node)) {
      ast::Binary shell = *n;
      ast::Expr a{{}, ast::Identifier{"L"}}, b{{}, ast::Identifier{"R"}};
      shell.left = &a, shell.right = &b;
      std::string op = print(ast::Expr{{}, shell});
      return "(" + grouped(*n->left) + op.substr(1, op.size() - 2) + grouped(*n->right) + ")";
    }
    if (auto* n = std::get_if<ast::Assign>(&e.node))
      return "(" + grouped(*n->target) + " = " + grouped(*n->value) + ")";
    if (auto* n = std::get_if<ast::Accumulate>(&e.node))
      return "(" + grouped(*n->target) + " <<< " + grouped(*n->value) + ")";
    if (auto* n = std::get_if<ast::Ternary>(&e.node))
      return "(" + grouped(*n->condition) + " ? " + grouped(*n->then) + " : " +
             grouped(*n->otherwise) + ")";
    if (auto* n = std::get_if<ast::In>(&e.node))
      return "(" + grouped(*n->keys.at(0)) + " in " + grouped(*n->array) + ")";
    if (auto* n = std::get_if<ast::Unary>(&e.node)) return "<" + grouped(*n->operand) + ">";
    if (auto* n = std::get_if<ast::RegexMatch>(&e.node)) return "(" + grouped(*n->text) + " =~)";
    return print(e);
  }
  std::string group(const std::string& text) { return grouped(expr(text)); }

  PreprocessorContext context_;
  MacroLibrary library_;
  SourceMap map_;
  Diagnostics diagnostics_;
  std::unique_ptr<ast::File> file_;
  size_t used_ = 0;
};

using Strings = std::vector<std::string>;

// ------------------------------------------------------------------ precedence

TEST_F(Parse, SumsAndProducts) {
  EXPECT_EQ(group("a + b * c - d % e"), "((a + (b * c)) - (d % e))");
  EXPECT_EQ(group("a << b + c"), "(a << (b + c))");
}

TEST_F(Parse, ConcatenationIsLooserThanSumsAndTighterThanShifts) {
  EXPECT_EQ(group("a . b + c"), "(a . (b + c))");
  EXPECT_EQ(group("a + b . c"), "((a + b) . c)");
  EXPECT_EQ(group("a << b . c"), "(a << (b . c))");
}

TEST_F(Parse, ComparisonsAndEqualityAreOneLevel) {
  EXPECT_EQ(group("a < b == c < d"), "(((a < b) == c) < d)");
  EXPECT_EQ(group("a & b == c"), "(a & (b == c))");
}

TEST_F(Parse, BitwiseOperators) { EXPECT_EQ(group("a | b ^ c & d"), "(a | (b ^ (c & d)))"); }

TEST_F(Parse, InIsBetweenComparisonsAndBitwiseAnd) {
  EXPECT_EQ(group("a == b in c"), "((a == b) in c)");
  EXPECT_EQ(group("a & b in c"), "(a & (b in c))");
  EXPECT_EQ(group("!a in b && c"), "((<a> in b) && c)");
}

TEST_F(Parse, MatchesDoNotGroup) {
  EXPECT_EQ(group("a . b =~ \"c\" && d"), "(((a . b) =~) && d)");
  EXPECT_EQ(errors("probe p { a =~ \"b\" == c }"), Strings{"expected@1:20"});
}

TEST_F(Parse, LogicalOperators) { EXPECT_EQ(group("a && b || c && d"), "((a && b) || (c && d))"); }

TEST_F(Parse, TernariesGroupToTheRight) {
  EXPECT_EQ(group("a ? b : c ? d : e"), "(a ? b : (c ? d : e))");
  EXPECT_EQ(group("a || b ? c = 1 : d"), "((a || b) ? (c = 1) : d)");
}

TEST_F(Parse, AssignmentsGroupToTheRight) {
  EXPECT_EQ(group("a = b <<< c = d"), "(a = (b <<< (c = d)))");
  EXPECT_EQ(group("a <<< b ? c : d"), "(a <<< (b ? c : d))");
}

// -------------------------------------------------------------------- operands

TEST_F(Parse, AdjacentStringsAreJoined) {
  EXPECT_EQ(std::get<ast::String>(expr("\"a\" \"b\"\n\"c\"").node).value, "abc");
}

TEST_F(Parse, TargetsKeepTheirAccesses) {
  auto& target = std::get<ast::Target>(expr("&$a->b[1]->c$$").node);
  EXPECT_EQ(target.name, "a");
  EXPECT_TRUE(target.address_of);
  EXPECT_EQ(target.pretty, 2);
  ASSERT_EQ(target.accesses.size(), 3u);
  EXPECT_EQ(target.accesses[0].member, "b");
  EXPECT_EQ(target.accesses[1].kind, ast::Access::Kind::index);
  EXPECT_EQ(target.accesses[2].member, "c");
}

TEST_F(Parse, ContextListsAreTargets) {
  auto& target = std::get<ast::Target>(expr("$$parms$").node);
  EXPECT_EQ(target.name, "$parms");
  EXPECT_EQ(target.pretty, 1);
}

TEST_F(Parse, DotIsConcatenationEvenBehindATarget) { EXPECT_EQ(group("$a.b"), "($a . b)"); }

TEST_F(Parse, AtVarHasNameAndModule) {
  auto& target = std::get<ast::Target>(expr("@var(\"x@f.c\", \"ext4\")->y").node);
  EXPECT_EQ(target.kind, ast::Target::Kind::at_var);
  EXPECT_EQ(target.name, "x@f.c");
  EXPECT_EQ(target.module, "ext4");
  EXPECT_EQ(target.accesses.size(), 1u);
}

TEST_F(Parse, CastsTakeAnyOperand) {
  auto& cast = std::get<ast::Cast>(expr("@cast(a + 1, \"struct s\", \"kernel\")->x").node);
  EXPECT_TRUE(std::holds_alternative<ast::Binary>(cast.operand->node));
  EXPECT_EQ(cast.type, "struct s");
  EXPECT_EQ(cast.module, "kernel");
}

TEST_F(Parse, AccessesOfValuesAreDereferences) {
  auto& deref = std::get<ast::Dereference>(expr("f(1)->x[2]->y").node);
  EXPECT_TRUE(std::holds_alternative<ast::Call>(deref.operand->node));
  EXPECT_EQ(deref.accesses.size(), 3u);
  auto& second = std::get<ast::Dereference>(expr("a[1][2]").node);
  EXPECT_TRUE(std::holds_alternative<ast::Index>(second.operand->node));
}

TEST_F(Parse, HistogramsAreIndexedOrPrinted) {
  auto& index = std::get<ast::Index>(expr("@hist_linear(a[1], -10, 10, 2)[3]").node);
  auto& histogram = std::get<ast::Aggregate>(index.base->node);
  ASSERT_EQ(histogram.params.size(), 3u);
  EXPECT_EQ(std::get<ast::Number>(histogram.params[0]->node).value, -10);
  EXPECT_EQ(std::get<ast::Print>(expr("print(@hist_log(a))").node).args.size(), 1u);
  EXPECT_EQ(errors("probe p { x = @hist_log(a) }"), Strings{"expected@1:15"});
}

TEST_F(Parse, PrintFamily) {
  auto& print = std::get<ast::Print>(expr("sprintdln(\", \", 1, 2)").node);
  EXPECT_EQ(print.kind, ast::Print::Kind::printdln);
  EXPECT_TRUE(print.to_string);
  EXPECT_EQ(print.literal->text, ", ");
  EXPECT_EQ(print.args.size(), 2u);
}

TEST_F(Parse, SpansCoverWholeExpressions) {
  const std::string text = "probe p { aa = (bb + cc) * dd->ee }";
  auto& file = good(text);
  auto& block = std::get<ast::Block>(std::get<ast::Probe*>(file.declarations[0])->body->node);
  const Expr* assign = std::get<ast::ExprStmt>(block.statements[0]->node).value;
  auto spelled = [&](const Expr* e) {
    return text.substr(e->span.begin, e->span.end - e->span.begin);
  };
  EXPECT_EQ(spelled(assign), "aa = (bb + cc) * dd->ee");
  const Expr* product = std::get<ast::Assign>(assign->node).value;
  EXPECT_EQ(spelled(product), "(bb + cc) * dd->ee");
  EXPECT_EQ(spelled(std::get<ast::Binary>(product->node).left), "bb + cc");
  EXPECT_EQ(spelled(std::get<ast::Binary>(product->node).right), "dd->ee");
}

// ---------------------------------------------------------------- declarations

TEST_F(Parse, GlobalsOfAllShapes) {
  auto& file = good("global a, b = -1, c[100], d%[50], e%\nprivate f = \"x\"; private global g");
  ASSERT_EQ(file.declarations.size(), 7u);
  auto global = [&](size_t i) { return std::get<ast::Global*>(file.declarations[i]); };
  EXPECT_EQ(std::get<ast::Number>(global(1)->init->node).value, -1);
  EXPECT_EQ(global(2)->size, 100);
  EXPECT_TRUE(global(3)->wrap);
  EXPECT_EQ(global(3)->size, 50);
  EXPECT_TRUE(global(4)->wrap);
  EXPECT_TRUE(global(5)->is_private);
  EXPECT_TRUE(global(6)->is_private);
  EXPECT_FALSE(global(0)->is_private);
}

TEST_F(Parse, FunctionsWithTypesAndPriority) {
  auto& file = good("private function f:string(a:long, b, c:string) :7 { return a }");
  auto* f = std::get<ast::Function*>(file.declarations[0]);
  EXPECT_TRUE(f->is_private);
  EXPECT_EQ(f->type, ast::TypeName::string);
  ASSERT_EQ(f->params.size(), 3u);
  EXPECT_EQ(f->params[0].type, ast::TypeName::number);
  EXPECT_EQ(f->params[1].type, ast::TypeName::none);
  EXPECT_EQ(f->params[2].type, ast::TypeName::string);
  EXPECT_EQ(f->priority, 7);
}

TEST_F(Parse, BracesOfProbePointsAreMultipliedOut) {
  auto& file = good("probe k.{a(\"x\"), b.c}.{d,e}? if (g) {}");
  auto* probe = std::get<ast::Probe*>(file.declarations[0]);
  Strings points;
  for (auto* point : probe->points) points.push_back(print(*point));
  EXPECT_EQ(points, (Strings{"k.a(\"x\").d ? if (g)", "k.a(\"x\").e ? if (g)", "k.b.c.d ? if (g)",
                             "k.b.c.e ? if (g)"}));
}

TEST_F(Parse, AliasesOfAllShapes) {
  auto& file = good("probe a = b.c = d, e {}\nprobe f += g {}\nprobe h = i { x }, { y }");
  auto alias = [&](size_t i) { return std::get<ast::Alias*>(file.declarations[i]); };
  EXPECT_EQ(alias(0)->names.size(), 2u);
  EXPECT_EQ(alias(0)->points.size(), 2u);
  EXPECT_FALSE(alias(0)->epilogue);
  EXPECT_EQ(alias(0)->second, nullptr);
  EXPECT_TRUE(alias(1)->epilogue);
  EXPECT_NE(alias(2)->second, nullptr);
}

TEST_F(Parse, ForeachOfAllShapes) {
  auto& file = good("probe p { foreach (v = [a, b-] in c[*, 1] limit 2 + 3) x }");
  auto& block = std::get<ast::Block>(std::get<ast::Probe*>(file.declarations[0])->body->node);
  auto& loop = std::get<ast::Foreach>(block.statements[0]->node);
  EXPECT_EQ(loop.value->text, "v");
  EXPECT_EQ(loop.keys.size(), 2u);
  EXPECT_EQ(loop.sort, -1);
  EXPECT_EQ(loop.sort_key, 2u);
  ASSERT_EQ(loop.slice.size(), 2u);
  EXPECT_EQ(loop.slice[0], nullptr);
  EXPECT_NE(loop.limit, nullptr);
}

TEST_F(Parse, ForeachSortedByAnAggregate) {
  auto& file = good("probe p { foreach (a in b @max- limit 3) x }");
  auto& block = std::get<ast::Block>(std::get<ast::Probe*>(file.declarations[0])->body->node);
  auto& loop = std::get<ast::Foreach>(block.statements[0]->node);
  EXPECT_EQ(loop.sort, -1);
  EXPECT_EQ(loop.sort_key, 0u);
  EXPECT_EQ(loop.sort_by, ast::AggregateOp::max);
}

// ----------------------------------------------------------------------- errors

TEST_F(Parse, EveryBadStatementIsReportedOnce) {
  EXPECT_EQ(errors("probe p {\n"
                   "  a = ;\n"
                   "  b = 1\n"
                   "  if (c d) e; else f\n"
                   "  foreach (g g) { h = ( }\n"
                   "  i = \"j\n"
                   "  k[1\n"
                   "}\n"
                   "probe q { l = }\n"),
            (Strings{"unterminated@6:7", "expected@2:7", "expected@4:9", "expected@5:14",
                     "expected@5:25", "expected@8:1", "expected@9:15"}));
}

TEST_F(Parse, BadHeadersDoNotHideTheirBodies) {
  EXPECT_EQ(errors("probe a..b { x = }\nfunction f(3) { y = }\nglobal 5\nglobal z\nprobe c { * }"),
            (Strings{"expected@1:9", "expected@1:18", "expected@2:12", "expected@2:21",
                     "expected@3:8", "expected@5:11"}));
}

TEST_F(Parse, MissingBraceIsFoundAtTheNextDeclaration) {
  EXPECT_EQ(errors("probe a {\n  if (x) {\n    y\n}\nprobe b { z }\n"), Strings{"expected@5:1"});
}

TEST_F(Parse, ExtraBraceIsOneError) {
  EXPECT_EQ(errors("probe a { x }\n}\nprobe b { z }\n"), Strings{"expected@2:1"});
}

TEST_F(Parse, UnknownAtWordNamesTheNearest) {
  parse_text("@define total %( 1 %)\nprobe p { x = @totl + @coun(y) }");
  ASSERT_EQ(diagnostics_.errors(), 2u);
  EXPECT_EQ(diagnostics_.all()[0].code, Code::bad_macro);
  ASSERT_FALSE(diagnostics_.all()[0].notes.empty());
  EXPECT_NE(diagnostics_.all()[0].notes[0].text.find("@total"), std::string::npos);
  EXPECT_NE(diagnostics_.all()[1].notes.at(0).text.find("@count"), std::string::npos);
}

TEST_F(Parse, MisspeltDeclarationNamesTheNearest) {
  parse_text("gloabl x\nprobe p { }");
  ASSERT_EQ(diagnostics_.errors(), 1u);
  EXPECT_EQ(diagnostics_.all()[0].notes.at(0).text, "did you mean 'global'?");
}

TEST_F(Parse, BadNumbersSayWhy) {
  parse_text("probe p { x = 08; y = 99999999999999999999; z = 12ab }");
  ASSERT_EQ(diagnostics_.errors(), 3u);
  EXPECT_NE(diagnostics_.all()[0].text.find("octal"), std::string::npos);
  EXPECT_NE(diagnostics_.all()[1].text.find("does not fit 64 bits"), std::string::npos);
  EXPECT_EQ(diagnostics_.all()[2].text, "'12ab' is not a number");
}

TEST_F(Parse, EmbeddedCNeedsGuruInUserFilesOnly) {
  const std::string text = "%{ int i; %}\nfunction f() %{ %}\nprobe p { %{ x %} y = %{ 1 %} }";
  EXPECT_EQ(errors(text),
            (Strings{"needs-guru@1:1", "needs-guru@2:14", "needs-guru@3:11", "needs-guru@3:23"}));
  parse_text(text, SourceFile::Role::tapset);
  EXPECT_FALSE(diagnostics_.failed());
  context_.guru = true;
  parse_text(text);
  EXPECT_FALSE(diagnostics_.failed());
}

TEST_F(Parse, AnyNestingIsBounded) {
  const int n = 20'000;
  auto repeat = [](const std::string& part, int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += part;
    return out;
  };
  for (const std::string& text : {
           "probe p { x = " + repeat("(", n) + "1" + repeat(")", n) + " }",
           "probe p { x = " + repeat("-", 1) + repeat(" - ", n) + "1 }",
           "probe p { x = 1" + repeat("+1", n) + " }",
           "probe p { x = a" + repeat("[1", n) + repeat("]", n) + " }",
           "probe p { x = " + repeat("f(", n) + repeat(")", n) + " }",
           "probe p { " + repeat("x = ", n) + "1 }",
           "probe p { x = " + repeat("a ? b : ", n) + "1 }",
           "probe p { " + repeat("{", n) + repeat("}", n) + " }",
           "probe p { " + repeat("if (a) ", n) + "b }",
           "probe p { " + repeat("if (a) b else ", n) + "c }",
           "probe p { " + repeat("try {", n) + repeat("} catch {}", n) + " }",
           "probe " + repeat("{", n) + "a" + repeat("}", n) + " {}",
           "probe p { x = " + repeat("@cast(", n) + " }",
           repeat("%( 1 == 1 %? ", n) + "probe p {}" + repeat("%)", n),
       }) {
    ASSERT_EQ(errors(text).size(), 1u) << text.substr(0, 40);
    EXPECT_EQ(diagnostics_.all()[0].code, Code::too_deep) << text.substr(0, 40);
    print(*file_);
  }
}

TEST_F(Parse, AccessChainsMayBeLongButNotEndless) {
  std::string text = "probe p { x = $a";
  for (int i = 0; i < 100; ++i) text += "->b";
  good(text + " }");
  for (int i = 0; i < 10'000; ++i) text += "->b";
  EXPECT_EQ(errors(text + " }"), std::vector<std::string>{"too-deep@1:15"});
}

TEST_F(Parse, BracesOfProbePointsAreBounded) {
  std::string text = "probe a";
  for (int i = 0; i < 40; ++i) text += ".{b,c}";
  EXPECT_EQ(errors(text + " {}"), Strings{"bad-probe-point@1:7"});
}

// -------------------------------------------------------------------- arguments

TEST_F(Parse, ArgumentsAreTokensOrStrings) {
  context_.args = {"kernel.function(\"f\")", "3 + 4", "a\"b"};
  auto& file = good("probe $1 { x = $2; y = @3 . @2; z = $#; w = @# }");
  EXPECT_EQ(print(file),
            "probe kernel.function(\"f\")\n{\n  x = 3 + 4;\n  y = \"a\\\"b\" . \"3 + 4\";\n"
            "  z = 3;\n  w = \"3\";\n}\n\n");
}

TEST_F(Parse, MissingArgumentIsReportedAtItsUse) {
  context_.args = {"a"};
  EXPECT_EQ(errors("probe p { x = $1 + $2; y = @3 }"),
            (Strings{"missing-argument@1:20", "missing-argument@1:28"}));
}

TEST_F(Parse, UsedArgumentsAreCounted) {
  context_.args = {"a", "b", "c"};
  good("probe p {}");
  EXPECT_EQ(used_, 0u);
  good("probe p { x = $2 . @1 }");
  EXPECT_EQ(used_, 2u);
  good("probe p { x = $# }");
  EXPECT_EQ(used_, 3u);
}

TEST_F(Parse, ErrorInAnArgumentLeadsToItsUse) {
  context_.args = {"3 +"};
  parse_text("probe p { x = $1 }");
  ASSERT_EQ(diagnostics_.errors(), 1u);
  context_.args = {"a b = *"};
  parse_text("probe p { x = ($1) }");
  ASSERT_EQ(diagnostics_.errors(), 1u);
  ASSERT_NE(diagnostics_.all()[0].span.via, nullptr);
  EXPECT_EQ(diagnostics_.all()[0].span.via->begin, 15u);
  // The line of the script is what the header tells; the argument comes behind it.
  EXPECT_THAT(render(diagnostics_.all()[0]), testing::StartsWith("t.stp:1:16: error: "));
  EXPECT_THAT(render(diagnostics_.all()[0]), testing::HasSubstr("argument $1:1:3: note: in this"));
}

TEST_F(Parse, ErrorInAnArgumentOfAMacroLeadsToBoth) {
  context_.args = {"a b"};
  parse_text("@define m %( ($1) %)\nprobe p { x = @m }");
  ASSERT_EQ(diagnostics_.errors(), 1u);
  std::string text = render(diagnostics_.all()[0]);
  EXPECT_THAT(text, testing::StartsWith("t.stp:1:15: error: "));
  EXPECT_THAT(text, testing::HasSubstr("t.stp:2:15: note: from here"));
}

}  // namespace
}  // namespace stp
