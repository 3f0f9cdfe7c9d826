// Globals that are written and never read are shown when the session ends (stap(1), VARIABLES), in the
// order of their declarations: numbers `n=5`, strings `s="text"`, arrays an element a line, the largest
// first, statistics `s @count=2 @min=1 @max=3 @sum=4 @avg=2`.
//
// An assignment reads its target in no form, also not += or as the value of an expression; ++ does
// when its value is used. What deletes a variable or asks for its elements reads it.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "sema/display.h"
#include "sema/visit.h"

namespace stp::sema {
namespace {

using namespace prog;

// Names that a body reads and writes, as indices of globals.
class Accesses {
 public:
  explicit Accesses(Unit& unit) : unit_(unit) {}

  void body(const Scope& scope) {
    scope_ = &scope;
    for (const ast::Stmt* s : scope.statements) statement(*s);
  }
  void condition(const ast::Expr& e) { read(e); }
  void function(const FunctionInfo& f) {
    body(f.scope);
    if (!f.declaration->embedded) return;
    // A pragma's reading is enough; what C only writes is shown.
    for (const GlobalUse& use :
         embedded_c(unit_, *f.declaration->embedded, f.declaration->embedded_span).globals)
      (use.read ? reads : writes).insert(use.global);
  }

  std::set<size_t> reads, writes;

 private:
  GlobalInfo* global(const ast::Expr& e) {
    auto* id = std::get_if<ast::Identifier>(&e.node);
    if (!id || (scope_ && scope_->names.count(id->name))) return nullptr;
    return unit_.find_global(id->name, e.span);
  }

  // The target of an assignment: its keys are read, it is not.
  void target(const ast::Expr& e) {
    if (auto* index = std::get_if<ast::Index>(&e.node)) {
      if (GlobalInfo* g = global(*index->base)) writes.insert(g->index);
      for (const ast::Expr* key : index->keys)
        if (key) read(*key);
    } else if (GlobalInfo* g = global(e)) {
      writes.insert(g->index);
    } else {
      read(e);
    }
  }

  void read(const ast::Expr& e) {
    if (GlobalInfo* g = global(e)) reads.insert(g->index);
    if (auto* a = std::get_if<ast::Assign>(&e.node)) {
      target(*a->target);
      read(*a->value);
    } else if (auto* a = std::get_if<ast::Accumulate>(&e.node)) {
      target(*a->target);
      read(*a->value);
    } else {
      if (auto* i = std::get_if<ast::Increment>(&e.node)) target(*i->operand);
      children(e, [&](const ast::Expr& child) { read(child); });
    }
  }

  // Evaluated for its effect alone.
  void effect(const ast::Expr& e) {
    if (auto* step = std::get_if<ast::Increment>(&e.node))
      target(*step->operand);
    else
      read(e);
  }

  void statement(const ast::Stmt& s) {
    auto* loop = std::get_if<ast::For>(&s.node);
    bool is_effect = std::holds_alternative<ast::ExprStmt>(s.node);
    parts(
        s,
        [&](const ast::Expr& e) {
          bool effect_only = is_effect || (loop && (&e == loop->init || &e == loop->step));
          effect_only ? effect(e) : read(e);
        },
        [&](const ast::Stmt& inner) { statement(inner); });
  }

  Unit& unit_;
  const Scope* scope_ = nullptr;
};

// The functions that handlers call, and those that these call.
std::set<const FunctionGroup*> reached_functions(Unit& unit) {
  std::set<const FunctionGroup*> reached;
  // A list and no recursion: a chain of calls is as long as the script.
  std::vector<const Scope*> left;
  for (const auto& handler : unit.handlers) left.push_back(&handler->scope);
  while (!left.empty()) {
    const Scope* scope = left.back();
    left.pop_back();
    for (const ast::Stmt* s : scope->statements)
      walk(*s, [&](const ast::Expr& e) {
        auto* c = std::get_if<ast::Call>(&e.node);
        auto* group =
            c ? unit.find_function(c->function.text, c->args.size(), c->function.span) : nullptr;
        if (!group || !reached.insert(group).second) return;
        for (const auto& overload : group->overloads) left.push_back(&overload->scope);
      });
  }
  return reached;
}

Point end_point() {
  Point p{};
  p.kind = PointKind::end;
  p.name = "end";
  return p;
}

// The handler that shows one global.
class Display {
 public:
  Display(Program& program, size_t index)
      : program_(program), index_(index), global_(program.globals[index]) {}

  Probe probe() {
    Probe p;
    p.span = global_.span;
    p.name = fmt::format("end (shows {})", global_.name);
    p.points.push_back(end_point());
    p.body = global_.array ? each_element(p) : whole();
    return p;
  }

 private:
  Expr* expr(Type type, auto node) { return program_.expr(type, global_.span, std::move(node)); }
  Stmt* stmt(auto node) { return program_.stmt(global_.span, std::move(node)); }

  Stmt* print(const std::string& text, const std::string& letters, std::vector<Expr*> args) {
    program_.formats.push_back({text + "\n", letters});
    return stmt(ExprStmt{
        expr(Type::none, PrintExpr{program_.formats.size() - 1, std::move(args), false})});
  }

  Stmt* statistic(std::string text, std::string letters, std::vector<Expr*> args, auto operand) {
    constexpr std::pair<const char*, ast::AggregateOp> parts[] = {
        {"count", ast::AggregateOp::count},
        {"min", ast::AggregateOp::min},
        {"max", ast::AggregateOp::max},
        {"sum", ast::AggregateOp::sum},
        {"avg", ast::AggregateOp::avg}};
    for (const auto& [name, op] : parts) {
      text += fmt::format(" @{}=%d", name);
      letters += 'l';
      args.push_back(expr(Type::number, AggregateExpr{op, expr(Type::stat, operand), 0}));
    }
    return print(text, letters, std::move(args));
  }

  Stmt* whole() {
    GlobalRef ref{index_};
    if (global_.value == Type::stat) {
      Expr* count =
          expr(Type::number, AggregateExpr{ast::AggregateOp::count, expr(Type::stat, ref), 0});
      return stmt(IfStmt{count, statistic(global_.name, "", {}, ref),
                         print(global_.name + " @count=0", "", {})});
    }
    bool string = global_.value == Type::string;
    return print(global_.name + (string ? "=\"%#s\"" : "=%d"), string ? "s" : "l",
                 {expr(global_.value, ref)});
  }

  Stmt* each_element(Probe& p) {
    ForeachStmt walk{};
    walk.global = index_;
    walk.sort = -1;
    std::string text = global_.name + "[", letters;
    std::vector<Expr*> args;
    for (size_t i = 0; i < global_.keys.size(); ++i) {
      bool string = global_.keys[i] == Type::string;
      text += fmt::format("{}{}", i ? "," : "", string ? "\"%#s\"" : "%d");
      letters += string ? 's' : 'l';
      walk.keys.push_back(p.locals.size());
      args.push_back(expr(global_.keys[i], LocalRef{p.locals.size()}));
      p.locals.push_back({fmt::format("key{}", i), global_.keys[i]});
    }
    text += "]";
    if (global_.value == Type::stat) {
      walk.sort_by = ast::AggregateOp::count;
      walk.body = statistic(text, letters, std::move(args), WalkValueRef{walk.id});
    } else {
      bool string = global_.value == Type::string;
      walk.value = p.locals.size();
      args.push_back(expr(global_.value, LocalRef{p.locals.size()}));
      p.locals.push_back({"value", global_.value});
      walk.body = print(text + (string ? "=\"%#s\"" : "=%d"), letters + (string ? 's' : 'l'),
                        std::move(args));
    }
    return stmt(std::move(walk));
  }

  Program& program_;
  size_t index_;
  const Global& global_;
};

}  // namespace

std::vector<size_t> unread_globals(Unit& unit, const std::vector<const ast::Expr*>& conditions) {
  Accesses accesses(unit);
  for (const ast::Expr* e : conditions) accesses.condition(*e);
  for (const auto& handler : unit.handlers) accesses.body(handler->scope);
  for (const FunctionGroup* group : reached_functions(unit))
    for (const auto& overload : group->overloads) accesses.function(*overload);
  std::vector<size_t> unread;
  for (const auto& [name, info] : unit.globals)
    if (!info.tapset && accesses.writes.count(info.index) && !accesses.reads.count(info.index))
      unread.push_back(info.index);
  std::sort(unread.begin(), unread.end());
  return unread;
}

void display_globals(Unit& unit, const std::vector<size_t>& globals) {
  for (size_t index : globals)
    unit.program->probes.push_back(Display(*unit.program, index).probe());
}

}  // namespace stp::sema
