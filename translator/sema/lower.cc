// What every part of lowering uses.
#include "sema/lower.h"

namespace stp::sema {

using prog::Expr;
using prog::Type;

Lowering::Lowering(Unit& unit, Scope& scope, const probes::Surroundings* surroundings,
                   const types::Provider* provider, std::vector<Expr*>* entry_values, bool guru)
    : unit_(unit),
      scope_(scope),
      surroundings_(surroundings),
      provider_(provider),
      entry_values_(entry_values),
      guru_(guru) {}

prog::Stmt* Lowering::statements(const std::vector<const ast::Stmt*>& list) {
  prog::BlockStmt block;
  for (const ast::Stmt* s : list) block.statements.push_back(statement(*s));
  return program().stmt(list.empty() ? Span{} : list.back()->span, std::move(block));
}

Expr* Lowering::constant(int64_t value, const Span& span) {
  return program().expr(Type::number, span, prog::NumberConst{value});
}

Expr* Lowering::nothing(Type type, const Span& span) {
  if (type == Type::string) return program().expr(Type::string, span, prog::StringConst{""});
  return constant(0, span);
}

Expr* Lowering::error(Code code, const Span& span, const std::string& text, Type type) {
  diagnostics().error(code, span, text);
  return bad(type, span);
}

Expr* Lowering::bad(Type type, const Span& span) {
  Expr* e = nothing(type, span);
  bad_.insert(e);
  return e;
}

}  // namespace stp::sema
