// Variables of the probed code that a script writes to, in guru mode: memory, down to single bits, and
// registers, which the probed code finds changed when it goes on.
#include "sema/lower.h"

namespace stp::sema {

using prog::Expr;
using prog::Type;

namespace {

// DWARF's numbers of rsp and of the return address: what hangs on them is not the variable's alone.
bool is_general(int64_t dwarf_register) { return dwarf_register != 7 && dwarf_register < 16; }

}  // namespace

// A load, whose address is where the value goes; or a register, perhaps some bits of it.
Expr* Lowering::assignable_target(const ast::Expr& e) {
  auto* variable = std::get_if<ast::Target>(&e.node);
  if (variable && variable->kind == ast::Target::Kind::variable && surroundings_ && surroundings_->has_text())
    return text_value(*variable, e.span, true);
  if (!guru_)
    return error(Code::needs_guru, e.span,
                 "writing to the probed code's variables needs guru mode (-g)");
  Expr* to = value(e, Type::number);
  if (bad_.count(to) || std::holds_alternative<prog::LoadExpr>(to->node)) return to;
  if (std::holds_alternative<prog::EntryExpr>(to->node))
    return error(Code::bad_operand, e.span,
                 "this is what the parameter was at the function's entry: it cannot be changed");
  if (auto* part = std::get_if<prog::RegisterBitsExpr>(&to->node); part && is_general(part->dwarf_register))
    return to;
  const Expr* bare = to;
  if (auto* narrow = std::get_if<prog::NarrowExpr>(&to->node)) bare = narrow->operand;
  auto* location = std::get_if<prog::LocExpr>(&bare->node);
  if (location && surroundings_ && surroundings_->kind == probes::Surroundings::Kind::hook)
    return assignable_argument(to, e.span);
  if (location && location->loc->op == types::LocOp::reg && is_general(location->loc->value))
    return to;
  if (location)
    return error(Code::no_location, e.span,
                 "this is computed here: it has no place that could be written to");
  return error(Code::bad_operand, e.span, "this is no value in memory that could be assigned to");
}

}  // namespace stp::sema
