// Trees printed as text: what is parsed again gives the same text, also for trees that no
// parser built.
#include "syntax/printer.h"

#include <gtest/gtest.h>

#include "syntax/parser.h"

namespace stp {
namespace {

using ast::BinaryOp;
using ast::Expr;
using ast::UnaryOp;

class Print : public testing::Test {
 protected:
  std::string reprint(const std::string& text, std::string (*form)(const ast::File&) = print) {
    Diagnostics diagnostics;
    PreprocessorContext context;
    context.guru = true;
    auto file = parse(map_.add("t.stp", text), context, library_, map_, diagnostics);
    for (const Diagnostic& d : diagnostics.all()) ADD_FAILURE() << render(d) << "in:\n" << text;
    return form(*file);
  }
  Expr* name(const char* text) { return arena_.make<Expr>(Span{}, ast::Identifier{text}); }
  template <typename T>
  Expr* make(T node) {
    return arena_.make<Expr>(Span{}, std::move(node));
  }
  Expr* binary(BinaryOp op, Expr* a, Expr* b) { return make(ast::Binary{op, a, b}); }

  SourceMap map_;
  MacroLibrary library_;
  Arena arena_;
};

TEST_F(Print, ParenthesesOfTheTextAreKept) {
  EXPECT_EQ(reprint("probe p { x = (a + b) . (c); }"), "probe p\n{\n  x = (a + b) . (c);\n}\n\n");
}

TEST_F(Print, BuiltTreesGetTheParenthesesTheyNeed) {
  Expr *a = name("a"), *b = name("b"), *c = name("c");
  EXPECT_EQ(print(*binary(BinaryOp::mul, binary(BinaryOp::add, a, b), c)), "(a + b) * c");
  EXPECT_EQ(print(*binary(BinaryOp::sub, a, binary(BinaryOp::sub, b, c))), "a - (b - c)");
  EXPECT_EQ(print(*binary(BinaryOp::sub, binary(BinaryOp::sub, a, b), c)), "a - b - c");
  EXPECT_EQ(print(*make(ast::Unary{UnaryOp::logical_not, make(ast::In{{a}, b})})), "!(a in b)");
  EXPECT_EQ(print(*binary(BinaryOp::add, a, make(ast::Assign{std::nullopt, b, c}))), "a + (b = c)");
  EXPECT_EQ(print(*make(ast::Ternary{make(ast::Ternary{a, b, c}), a, b})), "(a ? b : c) ? a : b");
  EXPECT_EQ(print(*binary(BinaryOp::eq, make(ast::RegexMatch{false, a, {"x", {}}}), b)),
            "(a =~ \"x\") == b");
  EXPECT_EQ(print(*make(ast::In{{make(ast::In{{a}, b})}, c})), "(a in b) in c");
}

TEST_F(Print, NeighbouringSignsDoNotMelt) {
  Expr* a = name("a");
  Expr* minus = make(ast::Unary{UnaryOp::negate, a});
  EXPECT_EQ(print(*make(ast::Unary{UnaryOp::negate, minus})), "- -a");
  EXPECT_EQ(print(*binary(BinaryOp::sub, a, minus)), "a - -a");
  EXPECT_EQ(print(*make(ast::Unary{UnaryOp::logical_not, make(ast::Unary{UnaryOp::bit_not, a})})),
            "! ~a");
  EXPECT_EQ(print(*make(ast::Unary{UnaryOp::plus, make(ast::Increment{true, false, a})})), "+ ++a");
}

TEST_F(Print, AccessesGoToTheNodeThatHadThem) {
  Expr* target = make(ast::Target{ast::Target::Kind::variable, "t", "", {}, false, 0});
  ast::Access member{ast::Access::Kind::member, "m", nullptr, {}};
  EXPECT_EQ(print(*make(ast::Dereference{target, {member}, false, 0})), "($t)->m");
  ast::Access index{ast::Access::Kind::index, "", name("i"), {}};
  EXPECT_EQ(print(*make(ast::Dereference{name("a"), {index}, false, 0})), "(a)[i]");
  EXPECT_EQ(print(*make(ast::Dereference{name("a"), {member}, true, 1})), "&a->m$");
}

TEST_F(Print, NumbersOfTheUpperHalfStayNumbers) {
  EXPECT_EQ(print(*make(ast::Number{-1})), "18446744073709551615");
  EXPECT_EQ(reprint("global g = -1"), "global g = -1\n\n");
  EXPECT_EQ(reprint("probe a(-5) {}"), "probe a(-5)\n{\n}\n\n");
}

TEST_F(Print, EveryByteOfAStringSurvives) {
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c), all += '7';
  all += std::string(1, '\0') + "1";
  Diagnostics diagnostics;
  auto file = parse(map_.add("t", "probe p { " + print(*make(ast::String{all})) + " }"), {},
                    library_, map_, diagnostics);
  ASSERT_FALSE(diagnostics.failed());
  auto& block = std::get<ast::Block>(std::get<ast::Probe*>(file->declarations[0])->body->node);
  auto* value = std::get<ast::ExprStmt>(block.statements.at(0)->node).value;
  EXPECT_EQ(std::get<ast::String>(value->node).value, all);
}

TEST_F(Print, EveryPairOfOperatorsKeepsItsGrouping) {
  for (int i = 0; i <= static_cast<int>(BinaryOp::logical_or); ++i) {
    for (int j = 0; j <= static_cast<int>(BinaryOp::logical_or); ++j) {
      auto outer = static_cast<BinaryOp>(i), inner = static_cast<BinaryOp>(j);
      Expr *a = name("a"), *b = name("b"), *c = name("c");
      for (Expr* e :
           {binary(outer, binary(inner, a, b), c), binary(outer, a, binary(inner, b, c))}) {
        Diagnostics diagnostics;
        auto file =
            parse(map_.add("t", "probe p { " + print(*e) + " }"), {}, library_, map_, diagnostics);
        ASSERT_FALSE(diagnostics.failed());
        auto& block =
            std::get<ast::Block>(std::get<ast::Probe*>(file->declarations[0])->body->node);
        ASSERT_EQ(block.statements.size(), 1u);
        auto* value = std::get<ast::ExprStmt>(block.statements[0]->node).value;
        auto& parsed = std::get<ast::Binary>(value->node);
        auto& wanted = std::get<ast::Binary>(e->node);
        EXPECT_EQ(parsed.op, outer) << print(*e);
        EXPECT_EQ(std::holds_alternative<ast::Binary>(parsed.left->node),
                  std::holds_alternative<ast::Binary>(wanted.left->node))
            << print(*e);
      }
    }
  }
}

// The tokens of SystemTap 4.8's -p1 of the same text; types of functions are our addition.
TEST_F(Print, SortedFormHasOperandsInParentheses) {
  const std::string text =
      "function f:string(a:long) { return a . \"x\" }\n"
      "probe begin { x = (a + b) * -3; n[1, 2]++; x = !y ? 1 : k in n; --x; s <<< 2\n"
      "  y = (t)->m + t->m; z = \"a\" =~ \"b\"; print((a + b)); if ((x = y)) next; a .= b . c }\n"
      "probe al = begin { next }\nglobal n\n%{ int q; %}\n";
  const std::string sorted =
      "%{ int q; %}\n\nglobal n\n\nprobe al = begin\n{\n  next;\n}\n\nprobe begin\n{\n"
      "  (x) = (((a) + (b)) * (-(3)));\n  (n[1, 2])++;\n  (x) = ((!(y)) ? (1) : ([k] in n));\n"
      "  --(x);\n  (s) <<< (2);\n  (y) = (((t)->m) + ((t)->m));\n  (z) = ((\"a\") =~ \"b\");\n"
      "  print((a) + (b));\n  if (((x) = (y)))\n    next;\n  (a) .= ((b) . (c));\n}\n\n"
      "function f:string(a:long)\n{\n  return (a) . (\"x\");\n}\n\n";
  EXPECT_EQ(reprint(text, print_sorted), sorted);
  EXPECT_EQ(reprint(sorted, print_sorted), sorted);
}

TEST_F(Print, SortedFormOfALongSumIsParsedAgain) {
  std::string text = "probe p { a";
  for (int i = 0; i < 900; ++i) text += " + a";
  const std::string once = reprint(text + " }", print_sorted);
  EXPECT_NE(once.find("((((a + a + "), once.npos);
  EXPECT_EQ(reprint(once, print_sorted), once);
}

TEST_F(Print, DeclarationsAndStatementsRoundTrip) {
  const std::string text =
      "global a, b%[3], c = \"x\"\nprivate global d\n"
      "%{ #include <x.h> %}\n"
      "private function f:long(x:string, y) :3 { return x }\n"
      "function g() %{ STAP_RETURN(); %}\n"
      "probe n1 = n2 = p.q(\"a\\n\").r(3)?, s! if (c) { x }, { y }\n"
      "probe e += z.* { next }\n"
      "probe begin {\n"
      "  if (a) if (b) c; else d\n"
      "  if (a) { if (b) c } else d\n"
      "  for (;;) break\n  for (i = 0; i < 3; i++) continue\n  while (1) ;\n"
      "  foreach (v = [k+, l] in b[*, 1] limit 3) delete b[k, *]\n"
      "  foreach (k in s @avg-) {}\n  foreach (k in @hist_log(s)) print(k)\n"
      "  try { error(\"x\") } catch (m) { println(m) }\n  try {} catch {}\n"
      "  s <<< @cast(p, \"t\", \"m\")->f[1]$ + @entry($x) . @var(\"v\")\n"
      "  %{ code; %}\n  x = %{ 1 %} + @hist_linear(s, -1, 10, 2)[0]\n"
      "  a ? b : c ? d : e; [1, *] in b; &$x; &(a); -a++; !(a =~ \"r\" \"s\")\n"
      "  printf(\"%d\", 1); sprintd(\",\", 1, 2); return\n"
      "}\n";
  std::string once = reprint(text);
  EXPECT_EQ(once, reprint(once));
  EXPECT_NE(once.find("@cast(p, \"t\", \"m\")->f[1]$"), std::string::npos);
  EXPECT_NE(once.find("foreach (v = [k+, l] in b[*, 1] limit 3)"), std::string::npos);
}

}  // namespace
}  // namespace stp
