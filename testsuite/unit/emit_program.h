// Programs made by hand, in few words, and what becomes of them: the C that emit() wrote, compiled
// with a stand-in for the runtime (emit_fake_runtime.c) and run.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "build/home.h"
#include "case_files.h"
#include "emit/emit.h"
#include "sema/program.h"
#include "support/subprocess.h"

namespace stp::test {

using namespace prog;
using Op = ast::BinaryOp;

class EmitTest : public testing::Test {
 protected:
  EmitTest() {
    program.name = "t.stp";
    char name[] = "/tmp/stp-emit-XXXXXX";
    folder = mkdtemp(name);
  }
  ~EmitTest() override { std::filesystem::remove_all(folder); }

  // ---- variables
  size_t global(Type value, std::vector<Type> keys = {}) {
    Global g;
    g.name = fmt::format("g{}", program.globals.size());
    g.value = value;
    g.array = !keys.empty();
    g.keys = std::move(keys);
    program.globals.push_back(g);
    return program.globals.size() - 1;
  }
  // A span whose error text is "t.stp:LINE:1".
  Span at(uint32_t line) { return {&source, line - 1, line}; }

  // ---- expressions
  Expr* n(int64_t v) { return program.expr(Type::number, {}, NumberConst{v}); }
  Expr* s(const std::string& v) { return program.expr(Type::string, {}, StringConst{v}); }
  Expr* g(size_t i) { return program.expr(program.globals[i].value, {}, GlobalRef{i}); }
  Expr* ln(size_t i) { return program.expr(Type::number, {}, LocalRef{i}); }
  Expr* ls(size_t i) { return program.expr(Type::string, {}, LocalRef{i}); }
  Expr* el(size_t i, std::vector<Expr*> keys) {
    return program.expr(program.globals[i].value, {}, ElementRef{i, std::move(keys)});
  }
  Expr* op(Op o, Expr* a, Expr* b) {
    return program.expr(o == Op::concat ? Type::string : Type::number, at(7), BinaryExpr{o, a, b});
  }
  Expr* set(Expr* to, Expr* v, std::optional<Op> o = {}) {
    return program.expr(to->type, {}, AssignExpr{o, to, v});
  }
  Expr* increment(Expr* to, bool prefix = false, bool decrement = false) {
    return program.expr(Type::number, {}, IncrementExpr{prefix, decrement, to});
  }
  Expr* accumulate(Expr* to, Expr* v) {
    return program.expr(Type::none, {}, AccumulateExpr{to, v});
  }
  Expr* aggregate(ast::AggregateOp o, Expr* of) {
    return program.expr(Type::number, {}, AggregateExpr{o, of});
  }
  Expr* call(size_t f, std::vector<Expr*> args) {
    return program.expr(program.functions[f].result, at(9), CallExpr{f, std::move(args)});
  }
  Expr* builtin(const std::string& name, Type result, std::vector<Expr*> args,
                bool can_fail = false) {
    std::vector<Type> types;
    for (Expr* e : args) types.push_back(e->type);
    rows.push_back({name, result, types, can_fail, false, false, false, false, false, false});
    return program.expr(result, {}, BuiltinCall{&rows.back(), std::move(args)});
  }
  Expr* select(Expr* c, Expr* a, Expr* b) {
    return program.expr(a->type, {}, TernaryExpr{c, a, b});
  }
  Expr* sprint(std::vector<Expr*> args) {
    return program.expr(Type::string, {}, PrintExpr{format(args), args, true});
  }

  // ---- statements
  Stmt* run(Expr* e) { return program.stmt({}, ExprStmt{e}); }
  Stmt* print(std::vector<Expr*> args) {
    return run(program.expr(Type::none, {}, PrintExpr{format(args), args, false}));
  }
  Stmt* block(std::vector<Stmt*> list) { return program.stmt({}, BlockStmt{std::move(list)}); }
  Stmt* when(Expr* c, std::vector<Stmt*> then, std::vector<Stmt*> otherwise = {}) {
    return program.stmt({}, IfStmt{c, block(then), otherwise.empty() ? nullptr : block(otherwise)});
  }
  Stmt* loop(Expr* init, Expr* condition, Expr* step, std::vector<Stmt*> body) {
    return program.stmt({}, LoopStmt{init, condition, step, block(std::move(body))});
  }
  Stmt* give(Expr* e = nullptr) { return program.stmt({}, ReturnStmt{e}); }
  Stmt* attempt(std::vector<Stmt*> body, std::optional<size_t> message,
                std::vector<Stmt*> handler) {
    return program.stmt({}, TryStmt{block(std::move(body)), message, block(std::move(handler))});
  }
  ForeachStmt walk(size_t array, std::vector<size_t> keys, std::vector<Stmt*> body) {
    ForeachStmt f{};
    f.id = ++walks;
    f.global = array;
    f.keys = std::move(keys);
    f.body = block(std::move(body));
    return f;
  }
  Stmt* stmt(ForeachStmt f) { return program.stmt({}, std::move(f)); }
  template <typename Node>
  Stmt* bare() {
    return program.stmt({}, Node{});
  }

  // ---- parts
  size_t function(Type result, size_t params, std::vector<Type> locals) {
    Function f;
    f.name = fmt::format("f{}", program.functions.size());
    f.result = result;
    f.params = params;
    f.locals = named(locals);
    program.functions.push_back(f);
    return program.functions.size() - 1;
  }
  void body(size_t f, std::vector<Stmt*> list) {
    program.functions[f].body = block(std::move(list));
  }
  Probe& probe(std::vector<Stmt*> list, std::vector<Type> locals = {}) {
    Probe p;
    Point point{};
    point.kind = PointKind::begin;
    p.name = point.name = "begin";
    p.points.push_back(point);
    p.locals = named(locals);
    p.body = block(std::move(list));
    program.probes.push_back(std::move(p));
    return program.probes.back();
  }

  // ---- what becomes of it
  std::string text() { return emit(program, {"6.1.0-test", "abcdef"}); }
  // The output of the handlers; compiled with all warnings as errors. `before` tells what failed.
  std::string output() {
    std::string letters;
    for (const Format& f : program.formats) letters += fmt::format("\"{}\",", f.letters);
    write("script.c", text());
    std::filesystem::path home = home_dir();
    std::string runtime = (home / "runtime").string();
    std::vector<std::string> flags = {"-std=gnu11", "-Wall", "-fno-strict-aliasing",
                                      "-fwrapv",    "-g",    "-fsanitize=address,undefined",
                                      "-I",         runtime + "/../testsuite/unit/emit_shim", "-I", runtime};
    auto compile = [&](std::vector<std::string> rest) {
      std::vector<std::string> command = {"gcc"};
      command.insert(command.end(), flags.begin(), flags.end());
      command.insert(command.end(), rest.begin(), rest.end());
      return run_logged(command, folder / "log", folder) == 0;
    };
    if (!compile({"-Werror", "-c", "script.c"}) ||
        !compile({"-DLETTERS=" + letters, "-o", "script", "script.o",
                  (home / "testsuite/unit/emit_fake_runtime.c").string()}))
      return "does not compile:\n" + read("log") + read("script.c");
    int status = run_logged({"./script"}, folder / "out", folder);
    return status == 0 ? read("out") : fmt::format("status {}\n{}", status, read("out"));
  }
  std::string read(const std::string& name) {
    return text_of_file(folder / name);
  }
  void write(const std::string& name, const std::string& contents) {
    std::ofstream(folder / name, std::ios::binary) << contents;
  }

  Program program;
  std::filesystem::path folder;

 private:
  size_t format(const std::vector<Expr*>& args) {
    std::string letters;
    for (Expr* e : args)
      letters += std::holds_alternative<HistogramExpr>(e->node) ? 'h'
                 : e->type == Type::string                      ? 's'
                                                                : 'l';
    program.formats.push_back({"%", letters});
    return program.formats.size() - 1;
  }
  // Two of one name, as a script may have in two blocks.
  static std::vector<Local> named(const std::vector<Type>& types) {
    std::vector<Local> locals;
    for (Type type : types) locals.push_back({"x", type});
    return locals;
  }
  SourceFile source{"t.stp", std::string(100, '\n')};
  std::deque<Builtin> rows;
  size_t walks = 0;
};

}  // namespace stp::test
