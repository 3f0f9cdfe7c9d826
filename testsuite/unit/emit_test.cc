// What the emitted C does: order of evaluation, failures and their handlers, owned and borrowed
// strings, walks, the probed code's values, the tables.
#include <gmock/gmock.h>

#include "emit_program.h"

namespace stp::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using types::LocOp;
using Agg = ast::AggregateOp;
constexpr Type N = Type::number, S = Type::string, NONE = Type::none, STAT = Type::stat;

// ------------------------------------------------------------- expressions

TEST_F(EmitTest, ArithmeticWrapsAndDividesAsTheLanguageSays) {
  probe({print({op(Op::add, n(2), op(Op::mul, n(3), n(4))), op(Op::div, n(-7), n(2)),
                op(Op::mod, n(-7), n(2)), op(Op::shr, n(-8), n(1)),
                op(Op::shr_unsigned, n(-1), n(63)), op(Op::shl, n(1), n(65)), n(INT64_MIN),
                op(Op::add, n(INT64_MAX), n(1))}),
         print({op(Op::lt, n(1), n(2)), op(Op::eq, op(Op::lt, n(1), n(2)), n(5)),
                op(Op::lt, s("a"), s("b")), op(Op::eq, s("a"), s("a")), op(Op::ne, s("a"), s("a")),
                program.expr(N, {}, UnaryExpr{ast::UnaryOp::bit_not, op(Op::lt, n(1), n(2))})})});
  EXPECT_EQ(output(),
            "0 14 -3 -1 -4 1 2 -9223372036854775808 -9223372036854775808\n"
            "1 1 0 1 1 0 -2\n");
}

TEST_F(EmitTest, OperandsAreEvaluatedLeftToRight) {
  size_t a = global(N), b = global(S);
  size_t f = function(N, 0, {});
  body(f, {run(set(g(a), n(100))), give(n(1))});
  probe({run(set(g(a), n(5))), print({op(Op::add, g(a), call(f, {})), g(a)}), run(set(ln(0), n(1))),
         print({op(Op::sub, increment(ln(0)), op(Op::mul, increment(ln(0)), n(10))), ln(0)}),
         run(set(g(b), s("old"))), print({op(Op::concat, g(b), set(g(b), s("new"))), g(b)}),
         print({ln(0), increment(ln(0), true), increment(ln(0), false, true), ln(0)})},
        {N});
  EXPECT_EQ(output(), "0 6 100\n1 -19 3\n2 oldnew new\n3 3 4 4 3\n");
}

TEST_F(EmitTest, TheRightSideRunsOnlyWhenItDecides) {
  auto divides = [&] { return op(Op::div, n(1), ln(0)); };
  probe({print({op(Op::logical_and, n(0), divides()), op(Op::logical_or, n(7), divides()),
                op(Op::logical_and, n(7), n(8)), select(n(0), divides(), n(3)),
                select(n(1), s("then"), op(Op::concat, s("other"), s("wise"))),
                select(n(0), s("then"), op(Op::concat, s("other"), s("wise")))}),
         print({op(Op::logical_or, n(0), increment(ln(0))), ln(0)})},
        {N});
  EXPECT_EQ(output(), "0 0 1 1 3 then otherwise\n1 0 1\n");
}

TEST_F(EmitTest, AssignmentsAreValues) {
  size_t a = global(N, {N}), t = global(S, {N});
  probe({run(set(ln(0), set(ln(1), op(Op::add, n(2), n(3))))), print({ln(0), ln(1)}),
         print({set(el(a, {n(1)}), n(9)), set(el(a, {n(1)}), n(4), Op::add),
                set(el(a, {n(1)}), n(2), Op::div), set(el(a, {n(1)}), n(1), Op::shl),
                increment(el(a, {n(1)})), el(a, {n(1)}), el(a, {n(2)})}),
         print({set(el(t, {n(1)}), s("x")), set(el(t, {n(1)}), s("y"), Op::concat),
                set(ls(2), el(t, {n(1)})), el(t, {n(5)})})},
        {N, N, S});
  EXPECT_EQ(output(), "0 5 5\n1 9 13 6 12 12 13 0\n2 x xy xy \n");
}

// The element that is read moves when the one that is written is made.
TEST_F(EmitTest, AnElementIsAssignedFromAnotherOfItsArray) {
  size_t t = global(S, {S}), a = global(N, {S});
  probe({run(set(el(t, {s("a")}), s("text"))), run(set(el(t, {s("b")}), el(t, {s("a")}))),
         run(set(el(t, {el(t, {s("b")})}), op(Op::concat, el(t, {s("a")}), el(t, {s("b")})))),
         print({el(t, {s("b")}), el(t, {s("text")})}), run(set(el(a, {s("a")}), n(3))),
         run(set(el(a, {s("b")}), op(Op::add, el(a, {s("a")}), increment(el(a, {s("c")}), true)))),
         print({el(a, {s("b")}), program.expr(N, {}, InExpr{a, {s("c")}}),
                program.expr(N, {}, InExpr{a, {s("d")}})})});
  EXPECT_EQ(output(), "0 text texttext\n1 4 1 0\n");
}

TEST_F(EmitTest, ConcatenationUsesOneBufferForAChain) {
  Expr* chain = s("a");
  for (int i = 0; i < 5; ++i) chain = op(Op::concat, chain, s("b"));
  probe({print({chain})});
  EXPECT_EQ(output(), "0 abbbbb\n");
  EXPECT_THAT(text(), Not(HasSubstr("scratch_2")));
}

TEST_F(EmitTest, AnyBytesOfAStringArriveUnchanged) {
  std::string hostile =
      "\"\\ \?\?/ */ %d \x01"
      "1\x7f\xff"
      "0 \t end";
  probe({print({s(hostile)})}).name = "evil */ name";
  program.name = "a\"b*/.stp";
  EXPECT_EQ(output(), "0 " + hostile + "\n");
}

TEST_F(EmitTest, SprintAndBuiltInsMakeStrings) {
  probe({print(
      {op(Op::concat, sprint({n(1), s("x")}), sprint({n(2)})), builtin("execname", S, {}),
       builtin("pid", N, {}), builtin("strlen", N, {op(Op::concat, s("ab"), s("cde"))}),
       op(Op::concat, builtin("substr", S, {op(Op::concat, s("ab"), s("cde")), n(1), n(3)}, true),
          s("!"))})});
  EXPECT_EQ(output(), "2 [1][x][2] fake 42 5 bcd!\n");
}

// ---------------------------------------------------------------- failures

TEST_F(EmitTest, AFailureEndsTheHandlerAndNamesItsPlace) {
  probe({print({n(1)}), print({op(Op::div, n(1), ln(0))}), print({n(2)})}, {N});
  probe({print({n(3)})});
  EXPECT_EQ(output(), "0 1\nERROR: division by 0 at t.stp:7:1\n3 3\n");
}

TEST_F(EmitTest, TryRunsItsHandlerAndGoesOn) {
  auto fails = [&](const char* text) { return run(builtin("error", NONE, {s(text)}, true)); };
  Stmt* one = print({n(1)});
  Stmt* caught = print({ls(0)});
  Stmt* never = print({n(99)});
  Stmt* last = print({n(3)});
  probe({attempt({one, fails("first"), never}, 0, {caught}),
         attempt({attempt({fails("in")}, {}, {fails("out")})}, 0, {caught}),
         attempt({one}, 0, {never}), last},
        {S});
  EXPECT_EQ(output(), "0 1\n1 first\n1 out\n0 1\n3 3\n");
}

TEST_F(EmitTest, AnEndlessLoopEndsAndCannotBeCaught) {
  probe({attempt({loop(nullptr, nullptr, nullptr, {})}, {}, {print({n(1)})})});
  probe({loop(nullptr, n(1), nullptr, {run(increment(ln(0)))})}, {N});
  EXPECT_THAT(output(), testing::MatchesRegex("ERROR: MAXACTION.*\nERROR: MAXACTION.*\n"));
}

TEST_F(EmitTest, RecursionIsBoundedAndItsFramesAreLeft) {
  size_t f = function(N, 1, {N, S});
  program.functions[f].recursive = true;
  body(f, {run(set(ls(1), op(Op::concat, s("a"), s("b")))),
           give(call(f, {op(Op::add, ln(0), n(1))}))});
  size_t sum = function(N, 1, {N});
  program.functions[sum].recursive = true;
  body(sum, {when(ln(0), {give(op(Op::add, ln(0), call(sum, {op(Op::sub, ln(0), n(1))})))}),
             give(n(0))});
  probe({print({call(sum, {n(10)})}), attempt({run(call(f, {n(0)}))}, 0, {print({ls(0)})})}, {S});
  EXPECT_EQ(output(), "0 55\n1 MAXNESTING\n");
}

TEST_F(EmitTest, NestingIsWhatTheCommandLineSays) {
  size_t sum = function(N, 1, {N});
  program.functions[sum].recursive = true;
  body(sum, {when(ln(0), {give(op(Op::add, ln(0), call(sum, {op(Op::sub, ln(0), n(1))})))}),
             give(n(0))});
  program.limits.nesting = 5;
  probe({print({call(sum, {n(4)})}), print({call(sum, {n(5)})})});
  EXPECT_EQ(output(), "0 10\nERROR: MAXNESTING at t.stp:9:1\n");
}

TEST_F(EmitTest, TooLongAStringIsAnError) {
  program.limits.string_size = 8;
  probe({run(set(ls(0), s("1234567"))), print({ls(0)}), print({op(Op::concat, ls(0), s("8"))})},
        {S});
  EXPECT_EQ(output(), "0 1234567\nERROR: MAXSTRINGLEN at t.stp:7:1\n");
}

// --------------------------------------------------------------- functions

TEST_F(EmitTest, StringResultsOutliveTheFunctionsFrame) {
  size_t twice = function(S, 1, {S});
  body(twice, {give(op(Op::concat, ls(0), ls(0)))});
  size_t nothing = function(S, 0, {});
  body(nothing, {});
  probe({print({op(Op::concat, call(twice, {s("ab")}), call(twice, {call(twice, {s("c")})})),
                call(nothing, {})})});
  EXPECT_EQ(output(), "0 ababcccc \n");
}

TEST_F(EmitTest, ParametersAreTheFunctionsOwn) {
  size_t a = global(S);
  size_t changes = function(S, 1, {S});
  body(changes, {run(set(g(a), s("changed"))), give(ls(0))});
  size_t assigns = function(S, 1, {S});
  body(assigns, {run(set(ls(0), s("!"), Op::concat)), give(ls(0))});
  size_t reads = function(N, 1, {S});
  body(reads, {give(builtin("strlen", N, {ls(0)}))});
  probe({run(set(g(a), s("first"))), print({call(changes, {g(a)}), g(a)}),
         run(set(ls(0), s("mine"))), print({call(assigns, {ls(0)}), ls(0), call(reads, {ls(0)})})},
        {S});
  EXPECT_EQ(output(), "0 first changed\n1 mine! mine 4\n");
  EXPECT_THAT(text(), Not(HasSubstr("frame_fn_f2")));  // borrowed: no copy
}

// ------------------------------------------------------------------- loops

TEST_F(EmitTest, ContinueRunsTheStepAndBreakDoesNot) {
  auto is = [&](int64_t v) { return op(Op::eq, ln(0), n(v)); };
  probe({loop(set(ln(0), n(0)), op(Op::lt, op(Op::div, n(100), op(Op::add, ln(0), n(1))), n(200)),
              increment(ln(0)),
              {when(is(1), {bare<ContinueStmt>()}), when(is(3), {bare<BreakStmt>()}),
               print({ln(0)})}),
         print({ln(0)})},
        {N});
  EXPECT_EQ(output(), "0 0\n0 2\n1 3\n");
}

TEST_F(EmitTest, ForeachSortsLimitsAndSlices) {
  size_t a = global(N, {S, N});
  auto fill = [&](const char* k, int64_t m, int64_t v) {
    return run(set(el(a, {s(k), n(m)}), n(v)));
  };
  ForeachStmt by_value = walk(a, {0, 1}, {print({ls(0), ln(1), ln(2)})});
  by_value.value = 2;
  by_value.sort = -1;
  by_value.limit = n(2);
  ForeachStmt sliced = walk(a, {0, 1}, {print({ls(0), ln(1)})});
  sliced.slice = {op(Op::concat, s("o"), s("ne")), nullptr};
  sliced.sort = 1;
  sliced.sort_key = 2;
  ForeachStmt none = walk(a, {0, 1}, {print({n(99)})});
  none.limit = n(-3);
  auto remaining = [&] { return walk(a, {0, 1}, {print({ls(0), ln(1)})}); };
  probe({fill("one", 3, 10), fill("two", 2, 30), fill("one", 1, 20), stmt(by_value), stmt(sliced),
         stmt(none), program.stmt({}, DeleteSliceStmt{a, {s("one"), nullptr}}), stmt(remaining()),
         program.stmt({}, DeleteStmt{el(a, {s("two"), n(2)})}), fill("x", 1, 1),
         program.stmt({}, DeleteStmt{g(a)}), stmt(remaining())},
        {S, N, N});
  EXPECT_EQ(output(), "0 two 2 30\n0 one 1 20\n1 one 1\n1 one 3\n3 two 2\n");
}

// The stand-in's run() tells when a walk stays open.
TEST_F(EmitTest, WalksEndHoweverTheyAreLeft) {
  size_t a = global(N, {N}), f = function(N, 1, {N, N, N});
  auto two_deep = [&](Stmt* leave) {
    return stmt(walk(a, {1}, {stmt(walk(a, {2}, {leave, print({n(99)})}))}));
  };
  body(f, {two_deep(give(op(Op::add, ln(0), ln(2)))), give(n(-1))});
  auto fails = [&] { return run(op(Op::div, n(1), ln(0))); };
  probe({run(set(el(a, {n(5)}), n(1))), run(set(el(a, {n(6)}), n(1))), print({call(f, {n(10)})}),
         attempt({two_deep(fails())}, {}, {print({n(2)})}),
         stmt(walk(a, {1}, {attempt({fails()}, {}, {bare<ContinueStmt>()})})),
         stmt(walk(a, {1}, {bare<BreakStmt>()})), print({ln(1)}), two_deep(bare<NextStmt>()),
         print({n(98)})},
        {N, N, N});
  EXPECT_EQ(output(), "1 15\n2 2\n4 5\n");
}

// -------------------------------------------------------------- statistics

TEST_F(EmitTest, StatisticsAreAccumulatedAndAsked) {
  size_t scalar = global(STAT), by = global(STAT, {S});
  auto all = [&](auto of) {
    return print({aggregate(Agg::count, of()), aggregate(Agg::sum, of()), aggregate(Agg::min, of()),
                  aggregate(Agg::max, of()), aggregate(Agg::avg, of())});
  };
  ForeachStmt sorted = walk(by, {0}, {});
  sorted.sort = -1;
  sorted.sort_by = Agg::sum;
  Expr* current = program.expr(STAT, {}, WalkValueRef{sorted.id});
  sorted.body = block({print({ls(0), aggregate(Agg::sum, current)})});
  probe({run(accumulate(g(scalar), n(4))), run(accumulate(g(scalar), n(8))),
         all([&] { return g(scalar); }), run(accumulate(el(by, {s("a")}), n(1))),
         run(accumulate(el(by, {s("a")}), n(1))), run(accumulate(el(by, {s("b")}), n(7))),
         stmt(sorted), print({aggregate(Agg::count, el(by, {s("none")}))}),
         program.stmt({}, DeleteStmt{g(scalar)}), print({aggregate(Agg::count, g(scalar))}),
         print({aggregate(Agg::avg, g(scalar))})},
        {S});
  EXPECT_EQ(output(), "1 2 12 4 8 6\n0 b 7\n0 a 2\n2 0\n3 0\nERROR: empty aggregate at t.stp:0:0\n");
}

TEST_F(EmitTest, HistogramsArePrintedAndIndexed) {
  size_t by = global(STAT, {N});
  StatShape& shape = program.globals[by].shape;
  shape.histogram = StatShape::Histogram::linear;
  shape.low = 0, shape.high = 20, shape.step = 10;
  auto histogram = [&] { return program.expr(NONE, {}, HistogramExpr{el(by, {n(1)})}); };
  probe({run(accumulate(el(by, {n(1)}), n(3))), run(accumulate(el(by, {n(1)}), n(15))),
         print({s("<"), histogram(), n(-1)}),
         print({program.expr(N, {}, BucketExpr{histogram(), n(2)})})});
  EXPECT_EQ(output(), "0 < 0 1 1 0 0 -1\n1 1\n");
}

// -------------------------------------------------------- the probed code

TEST_F(EmitTest, RegistersAreTheOnesThatDwarfNumbers) {
  auto reg = [&](int i) {
    return program.expr(N, {},
                        LocExpr{std::make_shared<types::Loc>(types::Loc{LocOp::reg, i, 8, {}})});
  };
  // The stand-in's pt_regs hold 1, 2, 3, ... from r15 on: rdi is the 15th, rax the 11th.
  probe({print({reg(5), reg(4), reg(1), reg(2), reg(8), reg(9), reg(0), reg(7), reg(15)})});
  EXPECT_EQ(output(), "0 15 14 13 12 10 9 11 20 1\n");
}

TEST_F(EmitTest, RegistersAreWrittenByTheWidthOfTheirVariable) {
  auto reg = [&] {
    return program.expr(N, {},
                        LocExpr{std::make_shared<types::Loc>(types::Loc{LocOp::reg, 5, 8, {}})});
  };
  auto part = [&](uint8_t bits) { return program.expr(N, {}, NarrowExpr{reg(), bits, true}); };
  probe({run(set(reg(), n(-1))), run(set(part(8), n(0x101))), print({reg(), part(8)}),
         run(set(part(16), n(0x10002))), print({reg()}), run(set(part(32), n(-2))),
         print({reg(), part(32)}), run(increment(part(32))), print({reg()})});
  EXPECT_EQ(output(), "0 -255 1\n1 -65534\n2 4294967294 -2\n3 4294967295\n");
}

TEST_F(EmitTest, LocationsAreComputed) {
  using types::Loc;
  auto node = [](LocOp op, int64_t v, std::vector<types::LocPtr> args = {}, uint8_t size = 8) {
    return std::make_shared<Loc>(Loc{op, v, size, std::move(args)});
  };
  auto c = [&](int64_t v) { return node(LocOp::constant, v); };
  auto value = [&](types::LocPtr loc) { return program.expr(N, {}, LocExpr{loc}); };
  probe({print({value(node(LocOp::argument, 2)), value(node(LocOp::address, 0x2000)),
                value(node(LocOp::add, 0, {c(2), node(LocOp::neg, 0, {c(3)})})),
                value(node(LocOp::shr, 0, {c(-1), c(60)})),
                value(node(LocOp::sar, 0, {c(-16), c(2)})),
                value(node(LocOp::lt, 0, {c(-1), c(0)})),
                value(node(LocOp::ult, 0, {c(-1), c(0)})),
                value(node(LocOp::udiv, 0, {c(-2), c(2)})),
                value(node(LocOp::umod, 0, {c(-1), c(10)})), value(node(LocOp::abs, 0, {c(-9)})),
                value(node(LocOp::select, 0, {c(0), node(LocOp::deref, 0, {c(0)}), c(6)}))}),
         print({value(node(LocOp::div, 0, {c(1), c(0)}))})});
  probe({print({value(node(LocOp::deref, 0, {c(1)}))})});
  EXPECT_EQ(
      output(),
      "0 102 12288 -1 15 -4 1 0 9223372036854775807 5 9 6\nERROR: division by 0 at t.stp:0:0\nERROR: bad address at t.stp:0:0\n");
}

TEST_F(EmitTest, WhatWasPassedGoesByTheCaller) {
  using types::loc_constant;
  auto passed = [&](int64_t back) {
    std::vector<types::LocPtr> args = {loc_constant(back)};
    for (auto [address, value] : {std::pair{1, 10}, {2, 10}, {3, 0}, {4, 40}})
      args.insert(args.end(), {loc_constant(address),
                               value ? loc_constant(value) : types::loc_deref(loc_constant(0))});
    types::Loc loc{LocOp::by_caller, 0, 8, args};
    return program.expr(N, {}, LocExpr{std::make_shared<types::Loc>(loc)});
  };
  probe({print({passed(1), passed(2), passed(4)}), print({passed(3)})});
  probe({print({passed(5)})});
  probe({print({program.expr(N, {}, LocExpr{types::loc_thread()})})});
  EXPECT_EQ(output(), "0 10 10 40\nERROR: bad address at t.stp:0:0\n"
                      "ERROR: unknown caller at t.stp:0:0\n3 28672\n");
}

TEST_F(EmitTest, MemoryIsReadAndWrittenByTheWidthOfItsType) {
  // The word 0xfedcba9876543210 lies in the emitted program itself.
  program.embedded_top = {{"static u64 word = 0xfedcba9876543210ULL;", {}}};
  auto field = [&](uint8_t size, bool is_signed, uint8_t offset = 0, uint8_t bits = 0) {
    Expr* address = program.expr(N, {}, EmbeddedCExpr{{"(s64)&word", {}}});
    return program.expr(N, {}, LoadExpr{address, size, is_signed, offset, bits, false});
  };
  probe({print({field(1, false), field(2, true), field(4, false), field(8, true),
                field(8, true, 60, 4), field(8, false, 60, 4), field(4, true, 4, 4)}),
         run(set(field(1, false), n(0x1ff))), run(set(field(4, false, 8, 4), n(0xf5))),
         run(increment(field(8, false, 60, 4))), print({field(2, false), field(8, false, 60, 4)}),
         print({program.expr(N, {}, NarrowExpr{n(0x1ff), 8, true}),
                program.expr(N, {}, NarrowExpr{n(0x1ff), 8, false}),
                program.expr(N, {}, NarrowExpr{n(-1), 32, false}),
                program.expr(N, {}, NarrowExpr{n(6), 2, true})})});
  EXPECT_EQ(
      output(),
      "0 16 12816 1985229328 -81985529216486896 -1 15 1\n1 13823 0\n2 -1 255 4294967295 -2\n");
}

TEST_F(EmitTest, ValuesOfTheEntryAreKeptForTheReturn) {
  Probe& p = probe({print({program.expr(N, {}, EntryExpr{0}), program.expr(S, {}, EntryExpr{1})})});
  p.entry_values = {op(Op::add, n(40), n(2)), op(Op::concat, s("kept "), s("text"))};
  probe({}).entry_values = {op(Op::div, n(1), op(Op::sub, n(1), n(1)))};
  EXPECT_EQ(output(), "0 42 kept text\nERROR: division by 0 at t.stp:7:1\n");
}

// ------------------------------------------------------------------ tables

TEST_F(EmitTest, ArraysGrowUnlessTheyWrapOrSomebodyGaveThemASize) {
  global(N, {N});
  program.globals[global(N, {N})].max_entries = 2048;
  program.globals[global(N, {N})].wrap = true;
  probe({});
  auto grow = [&] {
    std::string c = text(), row = ".grows = 1, .max_entries = 2048";
    size_t n = 0;
    for (size_t at = c.find(row); at != c.npos; at = c.find(row, at + 1)) ++n;
    return n;
  };
  EXPECT_EQ(grow(), 1u);
  program.limits.map_entries = 2048;
  EXPECT_EQ(grow(), 0u);
}

TEST_F(EmitTest, TablesTellTheRuntimeOfPointsLocksAndLimits) {
  size_t a = global(N, {S, N});
  program.globals[a].max_entries = 77;
  program.globals[a].wrap = true;
  program.globals.back().name = "counts";
  program.anchor = 0xffffffff81000000;
  program.limits.actions = 5;
  Probe& p = probe({});
  p.locks = {{a, true}};
  p.all_registers = true;
  Point entry{};
  entry.kind = PointKind::entry;
  entry.address = 0xffffffff81234567;
  entry.name = "kernel.function(\"f\")";
  entry.function = "f";
  p.points.push_back(entry);
  Point never{};
  never.kind = PointKind::never;
  p.points.push_back(never);
  std::string c = text();
  EXPECT_THAT(c,
              HasSubstr(".name = \"counts\", .type = STP_NUMBER, .is_array = 1, .wrap = 1, "
                        ".n_keys = 2, .key_types = { STP_STRING, STP_NUMBER }, .max_entries = 77"));
  EXPECT_THAT(c,
              HasSubstr(".kind = STP_KIND_ENTRY, .probe = 0, .address = 0xffffffff81234567ULL,"));
  EXPECT_THAT(c, HasSubstr(".name = \"kernel.function(\\\"f\\\")\", .function = \"f\""));
  EXPECT_THAT(c, HasSubstr("locks_0[] = { { 0, STP_LOCK_WRITE }, };"));
  EXPECT_THAT(c, HasSubstr(".flags = STP_PROBE_ALL_REGS,"));
  EXPECT_THAT(c, HasSubstr(".anchor = 0xffffffff81000000ULL"));
  EXPECT_THAT(c, HasSubstr(".actions = 5,\n\t\t.actions_interruptible = 50,"));
  EXPECT_EQ(c.find("STP_KIND_BEGIN"), c.rfind("STP_KIND_BEGIN"));
  EXPECT_EQ(output(), "");
}

TEST_F(EmitTest, GlobalsBeginWithTheirInitialValues) {
  size_t a = global(N), b = global(S);
  program.globals[a].init = int64_t{-3};
  program.globals[b].init = std::string("start");
  probe({print({g(a), g(b)})});
  EXPECT_EQ(output(), "0 -3 start\n");
}

TEST_F(EmitTest, SectionsHoldFormatsAndInfoEndToEnd) {
  probe({print({n(1), s("x")}), print({})});
  program.formats[0].text = "%d \"%s\"\n";
  program.formats[1].text = "0";
  write("script.c", text());
  std::string runtime = (home_dir() / "runtime").string();
  ASSERT_EQ(run_logged({"gcc", "-c", "-I", runtime, "script.c"}, folder / "log", folder), 0)
      << read("log");
  for (const char* section : {".stp.formats", ".stp.info"})
    ASSERT_EQ(run_logged({"objcopy", "-O", "binary", std::string("--only-section=") + section,
                          "script.o", section},
                         folder / "log", folder),
              0)
        << read("log");
  EXPECT_EQ(read(".stp.formats"), std::string("ls\0%d \"%s\"\n\0\0"
                                              "0\0",
                                              15));
  EXPECT_EQ(read(".stp.info"),
            std::string("abi=3\0release=6.1.0-test\0script=t.stp\0buildid=abcdef\0", 53));
}

TEST_F(EmitTest, TheTextLeadsBackToTheScript) {
  Probe& p = probe({});
  p.body = block({program.stmt(at(3), ExprStmt{increment(ln(0))}),
                  program.stmt(at(4), ExprStmt{increment(ln(0))})});
  p.locals = {{"hits", N}};
  std::string c = text();
  EXPECT_THAT(c, HasSubstr("/* probe begin */"));
  EXPECT_THAT(c, HasSubstr("#line 4 \"t.stp\"\n\tl_hits += 1;"));
  EXPECT_THAT(c, HasSubstr("stp_actions(c, 2, &at_3_1)"));
  EXPECT_EQ(c, text());  // the cache is keyed by it
  // Behind the bodies, lines are the file's own again.
  size_t back = c.find("\"script.c\"");
  ASSERT_NE(back, c.npos);
  size_t line = std::count(c.begin(), c.begin() + back, '\n') + 2;
  EXPECT_THAT(c, HasSubstr(fmt::format("#line {} \"script.c\"", line)));
}

TEST_F(EmitTest, HandlersAreTimedOnlyWhenAsked) {
  probe({print({n(1)})});
  EXPECT_THAT(text(), Not(HasSubstr("timed")));
  EXPECT_THAT(text(), Not(HasSubstr("cycles")));
  program.timing = true;
  EXPECT_THAT(text(), HasSubstr("stp_timed(c, stp_cycles() - from);"));
  EXPECT_THAT(text(), HasSubstr(".timing = &stp_timing_part"));
}

}  // namespace
}  // namespace stp::test
