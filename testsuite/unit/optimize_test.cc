// Locks and registers of handlers, on programs made by hand.
#include "optimize/optimize.h"
#include "sema/builtins.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stp {
namespace {

using namespace prog;

class OptimizeTest : public testing::Test {
 protected:
  size_t global(Type value, bool array = false) {
    Global g;
    g.name = "g" + std::to_string(program.globals.size());
    g.value = value;
    g.array = array;
    program.globals.push_back(g);
    return program.globals.size() - 1;
  }
  Expr* ref(size_t g) { return program.expr(program.globals[g].value, {}, GlobalRef{g}); }
  Expr* number(int64_t n) { return program.expr(Type::number, {}, NumberConst{n}); }
  Stmt* run(Expr* e) { return program.stmt({}, ExprStmt{e}); }
  Stmt* set(size_t g) {
    return run(program.expr(Type::number, {}, AssignExpr{std::nullopt, ref(g), number(1)}));
  }
  Stmt* increment(size_t g) {
    return run(program.expr(Type::number, {}, IncrementExpr{false, false, ref(g)}));
  }
  Stmt* accumulate(size_t g) {
    return run(program.expr(Type::none, {}, AccumulateExpr{ref(g), number(1)}));
  }
  Stmt* count(size_t g) {
    return run(program.expr(Type::number, {}, AggregateExpr{ast::AggregateOp::count, ref(g)}));
  }
  Stmt* element_increment(size_t g) {
    auto* element = program.expr(Type::number, {}, ElementRef{g, {number(1)}});
    return run(program.expr(Type::number, {}, IncrementExpr{false, false, element}));
  }
  size_t probe(PointKind kind, std::vector<Stmt*> body) {
    Probe p;
    Point point{};
    point.kind = kind;
    p.points.push_back(point);
    p.body = program.stmt({}, BlockStmt{std::move(body)});
    program.probes.push_back(std::move(p));
    return program.probes.size() - 1;
  }
  // "0r 2w": which globals a probe locks, and how.
  std::string locks(size_t probe) {
    std::string text;
    for (const LockUse& use : program.probes[probe].locks)
      text += (text.empty() ? "" : " ") + std::to_string(use.global) + (use.write ? "w" : "r");
    return text;
  }
  Program program;
};

TEST_F(OptimizeTest, WhatChangesIsLockedInAscendingOrder) {
  size_t a = global(Type::number), b = global(Type::number), c = global(Type::number, true);
  size_t writer = probe(PointKind::entry, {element_increment(c), set(a)});
  size_t reader = probe(PointKind::timer, {run(ref(b)), run(ref(a))});
  optimize(program);
  EXPECT_EQ(locks(writer), "0w 2w");
  EXPECT_EQ(locks(reader), "0r");
}

TEST_F(OptimizeTest, WhatOnlyBeginWritesNeedsNoLock) {
  size_t a = global(Type::number);
  size_t begin = probe(PointKind::begin, {set(a)});
  size_t reader = probe(PointKind::entry, {run(ref(a))});
  optimize(program);
  EXPECT_EQ(locks(begin), "");
  EXPECT_EQ(locks(reader), "");
}

TEST_F(OptimizeTest, AStatisticThatIsOnlyAddedToNeedsNoLock) {
  size_t s = global(Type::stat);
  size_t hit = probe(PointKind::entry, {accumulate(s)});
  size_t end = probe(PointKind::end, {count(s)});
  optimize(program);
  EXPECT_EQ(locks(hit), "");
  EXPECT_EQ(locks(end), "");
}

TEST_F(OptimizeTest, AddersShareTheLockOnceARunningHandlerReads) {
  size_t s = global(Type::stat);
  size_t hit = probe(PointKind::entry, {accumulate(s)});
  size_t timer = probe(PointKind::timer, {count(s)});
  optimize(program);
  EXPECT_EQ(locks(hit), "0r");
  EXPECT_EQ(locks(timer), "0w");
}

TEST_F(OptimizeTest, ANumberThatIsOnlyAddedToIsACounter) {
  size_t n = global(Type::number);
  size_t adder = probe(PointKind::entry, {increment(n)});
  size_t end = probe(PointKind::end, {run(ref(n)), set(n)});
  optimize(program);
  EXPECT_TRUE(program.globals[n].counter);
  EXPECT_EQ(locks(adder), "");
  EXPECT_EQ(locks(end), "");
  EXPECT_EQ(program.probes[adder].weight, Weight::light);
  EXPECT_EQ(program.probes[end].weight, Weight::full);
}

TEST_F(OptimizeTest, ANumberThatARunningHandlerReadsOrSetsIsNoCounter) {
  size_t read = global(Type::number), set_too = global(Type::number), by_function = global(Type::number);
  size_t adder = probe(PointKind::entry, {increment(read), increment(set_too), increment(by_function)});
  probe(PointKind::timer, {run(ref(read)), set(set_too)});
  Function f;
  f.body = run(ref(by_function));
  program.functions.push_back(f);
  optimize(program);
  for (const Global& g : program.globals) EXPECT_FALSE(g.counter) << g.name;
  EXPECT_EQ(locks(adder), "0w 1w 2w");
  EXPECT_EQ(program.probes[adder].weight, Weight::full);
}

TEST_F(OptimizeTest, WhatAnArmingConditionReadsIsNoCounter) {
  size_t n = global(Type::number);
  size_t adder = probe(PointKind::entry, {increment(n)});
  program.gates.push_back({{}, ref(n)});
  optimize(program);
  EXPECT_FALSE(program.globals[n].counter);
  EXPECT_EQ(locks(adder), "0w");
}

TEST_F(OptimizeTest, AHandlerThatAddsToAStatisticIsGuardedUnlessThatIsAllSums) {
  size_t s = global(Type::stat), least = global(Type::stat);
  size_t adder = probe(PointKind::entry, {accumulate(s)});
  size_t compares = probe(PointKind::entry, {accumulate(s), accumulate(least)});
  size_t end = probe(PointKind::end, {count(s), run(program.expr(Type::number, {},
                                                   AggregateExpr{ast::AggregateOp::min, ref(least)}))});
  optimize(program);
  EXPECT_EQ(program.probes[adder].weight, Weight::light);
  EXPECT_EQ(program.probes[compares].weight, Weight::guarded);
  EXPECT_TRUE(program.globals[s].shape.counted);
  EXPECT_FALSE(program.globals[least].shape.counted);
  EXPECT_EQ(program.probes[end].weight, Weight::full);
  EXPECT_FALSE(program.globals[s].shape.sum);
  EXPECT_FALSE(program.globals[s].shape.extremes);
}

TEST_F(OptimizeTest, WhatMayFailWantsAContext) {
  size_t n = global(Type::number), a = global(Type::number, true);
  auto binary = [&](ast::BinaryOp op, Expr* left, Expr* right) {
    return program.expr(Type::number, {}, BinaryExpr{op, left, right});
  };
  auto weight = [&](std::vector<Stmt*> body) {
    program.probes.clear();
    probe(PointKind::entry, std::move(body));
    optimize(program);
    return program.probes[0].weight;
  };
  Expr* local = program.expr(Type::number, {}, LocalRef{0});
  auto when = [&](Expr* condition) {
    return program.stmt({}, IfStmt{condition, increment(n), nullptr});
  };
  auto place = [&](types::LocPtr loc) { return program.expr(Type::number, {}, LocExpr{loc}); };
  EXPECT_EQ(weight({when(local)}), Weight::light);
  EXPECT_EQ(weight({when(binary(ast::BinaryOp::div, local, number(3)))}), Weight::light);
  EXPECT_EQ(weight({when(binary(ast::BinaryOp::div, local, number(0)))}), Weight::full);
  EXPECT_EQ(weight({when(binary(ast::BinaryOp::mod, number(3), local))}), Weight::full);
  EXPECT_EQ(weight({when(place(types::loc_reg(5)))}), Weight::light);
  EXPECT_EQ(weight({when(place(types::loc_deref(types::loc_reg(5), 4)))}), Weight::full);
  types::LocPtr of_thread = types::loc_binary(types::LocOp::add, types::loc_reg(5), types::loc_thread());
  EXPECT_EQ(weight({when(place(of_thread))}), Weight::full);
  types::Loc passed{types::LocOp::by_caller, 0, 8,
                    {types::loc_reg(7), types::loc_address(16), types::loc_constant(1)}};
  EXPECT_EQ(weight({when(place(std::make_shared<types::Loc>(passed)))}), Weight::full);
  Expr* name = program.expr(Type::string, {}, BuiltinCall{sema::find_builtin("execname"), {}});
  Expr* parent = program.expr(Type::string, {}, BuiltinCall{sema::find_builtin("pexecname"), {}});
  Expr* text = program.expr(Type::string, {}, StringConst{"sshd"});
  EXPECT_EQ(weight({when(binary(ast::BinaryOp::eq, name, text))}), Weight::guarded);
  EXPECT_EQ(weight({when(binary(ast::BinaryOp::eq, parent, text))}), Weight::full);
  Expr* joined = program.expr(Type::string, {}, BinaryExpr{ast::BinaryOp::concat, name, text});
  EXPECT_EQ(weight({when(binary(ast::BinaryOp::eq, joined, text))}), Weight::full);
  Expr* matches = program.expr(Type::number, {}, RegexExpr{false, name, 0});
  EXPECT_EQ(weight({when(matches)}), Weight::guarded);
  program.keeps_match = true;
  EXPECT_EQ(weight({when(matches)}), Weight::full);
  program.keeps_match = false;
  EXPECT_EQ(weight({element_increment(a)}), Weight::full);
  EXPECT_EQ(weight({program.stmt({}, LoopStmt{nullptr, number(0), nullptr, increment(n)})}), Weight::full);
  program.limits.actions = 2;
  EXPECT_EQ(weight({increment(n), increment(n), increment(n)}), Weight::full);
}

TEST_F(OptimizeTest, LocksReachThroughFunctionsThatCallEachOther) {
  size_t a = global(Type::number), b = global(Type::number);
  program.functions.resize(2);
  auto call = [&](size_t f) { return run(program.expr(Type::none, {}, CallExpr{f, {}})); };
  program.functions[0].body = program.stmt({}, BlockStmt{{set(a), call(1)}});
  program.functions[1].body = program.stmt({}, BlockStmt{{set(b), call(0)}});
  size_t hit = probe(PointKind::entry, {call(1)});
  optimize(program);
  EXPECT_EQ(locks(hit), "0w 1w");
}

TEST_F(OptimizeTest, OnlyRegistersThatEntriesLackAskForAll) {
  auto read = [&](int reg) {
    return run(program.expr(Type::number, {}, LocExpr{types::loc_reg(reg)}));
  };
  size_t argument = probe(PointKind::entry, {read(5)});  // rdi
  size_t other = probe(PointKind::entry, {read(3)});     // rbx
  size_t statement = probe(PointKind::statement, {});
  size_t returned = probe(PointKind::function_return, {read(3)});
  size_t kept = probe(PointKind::function_return, {});
  program.probes[kept].entry_values = {program.expr(Type::number, {}, LocExpr{types::loc_reg(3)})};
  size_t both = probe(PointKind::function_return, {read(3)});
  program.probes[both].points.push_back(program.probes[other].points[0]);
  optimize(program);
  EXPECT_FALSE(program.probes[argument].all_registers);
  EXPECT_TRUE(program.probes[other].all_registers);
  EXPECT_TRUE(program.probes[statement].all_registers);
  EXPECT_FALSE(program.probes[returned].all_registers);
  EXPECT_TRUE(program.probes[kept].all_registers);
  EXPECT_TRUE(program.probes[both].all_registers);
}

// What a condition reads is locked by those who write it, and evaluated by nobody else.
TEST_F(OptimizeTest, ConditionsAreEvaluatedByThoseWhoChangeThem) {
  size_t on = global(Type::number), limit = global(Type::number), n = global(Type::number);
  auto* both = program.expr(Type::number, {},
                            BinaryExpr{ast::BinaryOp::lt, ref(on), ref(limit)});
  program.gates.push_back({{}, both});
  size_t writes = probe(PointKind::entry, {set(on)}), other = probe(PointKind::entry, {set(n)}),
         writes_both = probe(PointKind::entry, {set(limit), set(n)}),
         before = probe(PointKind::begin, {set(on)});
  optimize(program);
  EXPECT_EQ(program.probes[writes].gates, std::vector<size_t>{0});
  EXPECT_EQ(locks(writes), "0w 1r");
  EXPECT_TRUE(program.probes[other].gates.empty());
  EXPECT_EQ(locks(other), "2w");
  EXPECT_EQ(program.probes[writes_both].gates, std::vector<size_t>{0});
  EXPECT_EQ(locks(writes_both), "0r 1w 2w");
  EXPECT_TRUE(program.probes[before].gates.empty());
}

}  // namespace
}  // namespace stp
