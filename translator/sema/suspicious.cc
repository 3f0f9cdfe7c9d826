// `=` where `==` is meant cannot be told from an assignment that is meant, but for what is assigned:
// the value of a constant is no question. A second pair of parentheses says that it is meant all the
// same, as for C's compilers. SystemTap says nothing here, so this is a warning.
#include "sema/suspicious.h"

#include <fmt/format.h>

#include "sema/visit.h"

namespace stp::sema {
namespace {

class Suspicious {
 public:
  explicit Suspicious(Diagnostics& d) : diagnostics_(d) {}

  void check(const ast::Function& function) { body(function.body); }
  void check(const ast::Probe& probe) { body(probe.body); }
  void check(const ast::Alias& alias) {
    body(alias.body);
    body(alias.second);
  }
  void check(const ast::Global&) {}
  void check(const ast::EmbeddedTop&) {}

 private:
  void body(const ast::Stmt* s) {
    if (!s) return;
    walk(
        *s,
        [&](const ast::Expr& e) {
          if (auto* ternary = std::get_if<ast::Ternary>(&e.node)) condition(ternary->condition);
        },
        [&](const ast::Stmt& inner) {
          if (auto* i = std::get_if<ast::If>(&inner.node)) condition(i->condition);
          if (auto* w = std::get_if<ast::While>(&inner.node)) condition(w->condition);
          if (auto* f = std::get_if<ast::For>(&inner.node)) condition(f->condition);
        });
  }

  void condition(const ast::Expr* e) {
    auto* assign = e && !e->parenthesised ? std::get_if<ast::Assign>(&e->node) : nullptr;
    if (!assign || assign->op) return;
    auto* number = std::get_if<ast::Number>(&assign->value->node);
    if (!number && !std::holds_alternative<ast::String>(assign->value->node)) return;
    auto& warning = diagnostics_.warning(
        Code::constant_condition, e->span,
        number ? fmt::format("this condition is always {}: '=' assigns", number->value ? "true" : "false")
               : "this condition assigns");
    warning.note("'==' compares; where it shall assign, a second pair of parentheses says so");
  }

  Diagnostics& diagnostics_;
};

}  // namespace

void warn_of_suspicious(const ast::File& script, Diagnostics& d) {
  Suspicious suspicious(d);
  for (const auto& declaration : script.declarations)
    std::visit([&](const auto* one) { suspicious.check(*one); }, declaration);
}

}  // namespace stp::sema
