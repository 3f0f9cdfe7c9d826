// Plain recursion; the parser has bounded the depth.
#include "sema/visit.h"

#include "support/overloaded.h"

namespace stp::sema {
namespace {

using Use = std::function<void(const ast::Expr&)>;

void one(const ast::Expr* e, const Use& use) {
  if (e) use(*e);
}
void each(const std::vector<ast::Expr*>& list, const Use& use) {
  for (const ast::Expr* e : list) one(e, use);
}
void indices(const std::vector<ast::Access>& accesses, const Use& use) {
  for (const ast::Access& access : accesses) one(access.index, use);
}

}  // namespace

void children(const ast::Expr& e, const Use& use) {
  std::visit(Overloaded{
                 [&](const ast::Index& x) {
                   one(x.base, use);
                   each(x.keys, use);
                 },
                 [&](const ast::Call& x) { each(x.args, use); },
                 [&](const ast::Unary& x) { one(x.operand, use); },
                 [&](const ast::Increment& x) { one(x.operand, use); },
                 [&](const ast::Binary& x) {
                   one(x.left, use);
                   one(x.right, use);
                 },
                 [&](const ast::Assign& x) {
                   one(x.target, use);
                   one(x.value, use);
                 },
                 [&](const ast::Accumulate& x) {
                   one(x.target, use);
                   one(x.value, use);
                 },
                 [&](const ast::Ternary& x) {
                   one(x.condition, use);
                   one(x.then, use);
                   one(x.otherwise, use);
                 },
                 [&](const ast::In& x) {
                   each(x.keys, use);
                   one(x.array, use);
                 },
                 [&](const ast::RegexMatch& x) { one(x.text, use); },
                 [&](const ast::Target& x) { indices(x.accesses, use); },
                 [&](const ast::Cast& x) {
                   one(x.operand, use);
                   indices(x.accesses, use);
                 },
                 [&](const ast::Dereference& x) {
                   one(x.operand, use);
                   indices(x.accesses, use);
                 },
                 [&](const ast::Aggregate& x) {
                   one(x.operand, use);
                   each(x.params, use);
                 },
                 [&](const ast::AtOperator& x) { each(x.args, use); },
                 [&](const ast::Print& x) { each(x.args, use); },
                 [](const auto&) {},
             },
             e.node);
}

void walk(const ast::Expr& e, const Use& expression) {
  if (expression) expression(e);
  children(e, [&](const ast::Expr& child) { walk(child, expression); });
}

void parts(const ast::Stmt& s, const Use& expression,
           const std::function<void(const ast::Stmt&)>& statement) {
  auto expr = [&](const ast::Expr* e) {
    if (e) expression(*e);
  };
  auto stmt = [&](const ast::Stmt* inner) {
    if (inner) statement(*inner);
  };
  std::visit(Overloaded{
                 [&](const ast::Block& b) {
                   for (const ast::Stmt* inner : b.statements) stmt(inner);
                 },
                 [&](const ast::If& i) {
                   expr(i.condition);
                   stmt(i.then);
                   stmt(i.otherwise);
                 },
                 [&](const ast::While& w) {
                   expr(w.condition);
                   stmt(w.body);
                 },
                 [&](const ast::For& f) {
                   expr(f.init);
                   expr(f.condition);
                   expr(f.step);
                   stmt(f.body);
                 },
                 [&](const ast::Foreach& f) {
                   expr(f.array);
                   for (const ast::Expr* e : f.slice) expr(e);
                   expr(f.limit);
                   stmt(f.body);
                 },
                 [&](const ast::ExprStmt& e) { expr(e.value); },
                 [&](const ast::Return& r) { expr(r.value); },
                 [&](const ast::Delete& d) { expr(d.target); },
                 [&](const ast::TryCatch& t) {
                   stmt(t.body);
                   stmt(t.handler);
                 },
                 [](const auto&) {},
             },
             s.node);
}

void walk(const ast::Stmt& s, const Use& expression,
          const std::function<void(const ast::Stmt&)>& statement) {
  if (statement) statement(s);
  parts(
      s, [&](const ast::Expr& e) { walk(e, expression); },
      [&](const ast::Stmt& inner) { walk(inner, expression, statement); });
}

}  // namespace stp::sema
