// Statements.
#include <fmt/format.h>

#include "sema/lower.h"
#include "sema/visit.h"
#include "support/overloaded.h"

namespace stp::sema {

using prog::Expr;
using prog::Stmt;
using prog::Type;

Stmt* Lowering::optional(const ast::Stmt* s) { return s ? statement(*s) : nullptr; }

Stmt* Lowering::loop(prog::LoopStmt loop, const ast::Stmt* body, const Span& span) {
  ++loops_;
  loop.body = body ? statement(*body) : program().stmt(span, prog::BlockStmt{});
  --loops_;
  return program().stmt(span, loop);
}

Stmt* Lowering::statement(const ast::Stmt& s) {
  const Span& span = s.span;
  auto in_loop = [&](auto node, const char* word) {
    if (!loops_)
      diagnostics().error(Code::not_allowed_here, span,
                          fmt::format("'{}' stands outside of any loop", word));
    return program().stmt(span, node);
  };
  return std::visit(
      Overloaded{
          [&](const ast::Block& b) {
            prog::BlockStmt block;
            for (const ast::Stmt* each : b.statements) block.statements.push_back(statement(*each));
            return program().stmt(span, std::move(block));
          },
          [&](const ast::If& i) {
            if (auto known = decided(*i.condition)) {
              Stmt* taken = *known ? statement(*i.then) : optional(i.otherwise);
              return taken ? taken : program().stmt(span, prog::BlockStmt{});
            }
            Expr* condition = value(*i.condition, Type::number);
            Stmt* then = statement(*i.then);
            return program().stmt(span, prog::IfStmt{condition, then, optional(i.otherwise)});
          },
          [&](const ast::While& w) {
            if (decided(*w.condition) == false) return program().stmt(span, prog::BlockStmt{});
            return loop({nullptr, value(*w.condition, Type::number), nullptr, nullptr}, w.body,
                        span);
          },
          [&](const ast::For& f) {
            prog::LoopStmt l{};
            l.init = f.init ? any(*f.init) : nullptr;
            if (f.condition && decided(*f.condition) == false)
              return l.init ? program().stmt(span, prog::ExprStmt{l.init})
                            : program().stmt(span, prog::BlockStmt{});
            l.condition = f.condition ? value(*f.condition, Type::number) : nullptr;
            l.step = f.step ? any(*f.step) : nullptr;
            return loop(l, f.body, span);
          },
          [&](const ast::Foreach& f) { return foreach_statement(f, span); },
          [&](const ast::ExprStmt& e) {
            if (auto unread = scope_.unread.find(&s); unread != scope_.unread.end())
              return unread_statement(s, unread->second);
            statement_ = e.value;
            return program().stmt(span, prog::ExprStmt{any(*e.value)});
          },
          [&](const ast::Return& r) { return return_statement(r, span); },
          [&](const ast::Delete& d) { return delete_statement(d, span); },
          [&](const ast::Next&) { return program().stmt(span, prog::NextStmt{}); },
          [&](const ast::Break&) { return in_loop(prog::BreakStmt{}, "break"); },
          [&](const ast::Continue&) { return in_loop(prog::ContinueStmt{}, "continue"); },
          [&](const ast::TryCatch& t) { return try_statement(t, span); },
          [&](const ast::Empty&) { return program().stmt(span, prog::BlockStmt{}); },
          [&](const ast::EmbeddedStmt& e) {
            Stmt* lowered = program().stmt(span, prog::EmbeddedStmt{embedded_c(unit_, e.code, span)});
            program().embedded.push_back(&std::get<prog::EmbeddedStmt>(lowered->node).c);
            return lowered;
          },
      },
      s.node);
}

Stmt* Lowering::return_statement(const ast::Return& r, const Span& span) {
  if (!scope_.result) {
    diagnostics().error(Code::not_allowed_here, span,
                        "'return' stands only in functions; 'next' ends a handler");
    return program().stmt(span, prog::NextStmt{});
  }
  Expr* result = r.value ? value(*r.value, *scope_.result, reason_of_result()) : nullptr;
  if (result && result->type == Type::stat)
    error(Code::type_mismatch, r.value->span,
          "a function gives a number or a string; of a statistic that is @count() or its kin");
  if (!result && *scope_.result != Type::none)
    diagnostics()
        .error(Code::type_mismatch, span,
               fmt::format("this function returns a {}", name_of(*scope_.result)))
        .note(reason_of_result().text, reason_of_result().told);
  return program().stmt(span, prog::ReturnStmt{result});
}

std::optional<size_t> Lowering::receiver(const ast::Name& name, Type type,
                                         std::vector<Stmt*>& first) {
  auto mismatch = [&](Type other, const Span& told) {
    if (told) unit_.doubted.insert({told.file, told.begin});
    auto& error = diagnostics().error(Code::type_mismatch, name.span,
                                      fmt::format("'{}' is a {} elsewhere and a {} here", name.text,
                                                  name_of(other), name_of(type)));
    if (told) error.note(fmt::format("'{}' is a {} because of this", name.text, name_of(other)), told);
    return std::nullopt;
  };
  if (auto local = scope_.names.find(name.text); local != scope_.names.end()) {
    Type own = scope_.locals[local->second].type;
    if (own != type && type != Type::none) return mismatch(own, scope_.told[local->second]);
    return local->second;
  }
  GlobalInfo* info = unit_.find_global(name.text, name.span);
  Type own = info ? unit_.global(*info).value : Type::none;
  if (!info || info->indexed || (own != type && type != Type::none))
    return mismatch(own, info ? info->told : Span{});
  check_not_walked(info->index, name.span);
  info->used = true;
  scope_.locals.push_back({name.text, own});
  Expr* to = program().expr(own, name.span, prog::GlobalRef{info->index});
  Expr* from = program().expr(own, name.span, prog::LocalRef{scope_.locals.size() - 1});
  Expr* assign = program().expr(own, name.span, prog::AssignExpr{std::nullopt, to, from});
  first.push_back(program().stmt(name.span, prog::ExprStmt{assign}));
  return scope_.locals.size() - 1;
}

Stmt* Lowering::try_statement(const ast::TryCatch& t, const Span& span) {
  prog::TryStmt lowered{};
  lowered.body = statement(*t.body);
  prog::BlockStmt handler;
  if (t.message) lowered.message = receiver(*t.message, Type::string, handler.statements);
  handler.statements.push_back(statement(*t.handler));
  lowered.handler = program().stmt(span, std::move(handler));
  return program().stmt(span, lowered);
}

void Lowering::check_not_walked(size_t global, const Span& span) {
  for (const Walk& walk : walks_) {
    if (walk.global != global) continue;
    diagnostics().error(Code::modified_in_foreach, span,
                        fmt::format("array '{}' is changed while foreach walks it",
                                    program().globals[global].name));
    return;
  }
}

// A function that is called in a walk and changes the array itself. What it calls in turn is not looked
// at, as in SystemTap: such a change is carried out.
void Lowering::check_not_walked(const FunctionGroup& called, const Span& span) {
  if (walks_.empty()) return;
  for (const auto& overload : called.overloads) {
    const Span* change = nullptr;
    auto changed = [&](const ast::Expr& target) {
      auto* index = std::get_if<ast::Index>(&target.node);
      auto* id = index ? std::get_if<ast::Identifier>(&index->base->node) : nullptr;
      GlobalInfo* info = id ? unit_.find_global(id->name, index->base->span) : nullptr;
      for (const Walk& walk : walks_)
        if (info && !change && walk.global == info->index) change = &target.span;
    };
    for (const ast::Stmt* s : overload->scope.statements)
      walk(*s,
           [&](const ast::Expr& e) {
             if (auto* a = std::get_if<ast::Assign>(&e.node)) changed(*a->target);
             if (auto* a = std::get_if<ast::Accumulate>(&e.node)) changed(*a->target);
             if (auto* i = std::get_if<ast::Increment>(&e.node)) changed(*i->operand);
           },
           [&](const ast::Stmt& inner) {
             if (auto* d = std::get_if<ast::Delete>(&inner.node)) changed(*d->target);
           });
    if (!change) continue;
    diagnostics()
        .error(Code::modified_in_foreach, span,
               fmt::format("{}() changes the array while foreach walks it", called.name))
        .note("it is changed here", *change);
    return;
  }
}

Stmt* Lowering::foreach_statement(const ast::Foreach& f, const Span& span) {
  prog::ForeachStmt lowered{};
  if (!std::holds_alternative<ast::Identifier>(f.array->node)) {
    auto* histogram = std::get_if<ast::Aggregate>(&f.array->node);
    if (histogram) return foreach_bucket(f, *histogram, span);
  }
  const GlobalInfo* info = array(*f.array, "foreach");
  if (!info) return program().stmt(span, prog::BlockStmt{});
  const prog::Global& g = program().globals[info->index];
  lowered.id = foreach_count_++;
  lowered.global = info->index;
  if (f.keys.size() != g.keys.size())
    diagnostics().error(Code::wrong_arity, span,
                        fmt::format("array '{}' has {} key{}, not {}", g.name, g.keys.size(),
                                    g.keys.size() == 1 ? "" : "s", f.keys.size()));
  prog::BlockStmt body;
  for (size_t i = 0; i < f.keys.size() && i < g.keys.size(); ++i)
    lowered.keys.push_back(receiver(f.keys[i], g.keys[i], body.statements).value_or(0));
  std::string walk_value;
  if (f.value && g.value == Type::stat)
    walk_value = f.value->text;
  else if (f.value)
    lowered.value = receiver(*f.value, g.value, body.statements);
  if (!f.slice.empty()) lowered.slice = keys(*info, f.slice, span, true);
  lowered.sort = f.sort;
  lowered.sort_key = f.sort_key;
  lowered.sort_by = f.sort_by;
  if (f.sort_by && g.value != Type::stat)
    diagnostics().error(Code::type_mismatch, span,
                        fmt::format("'{}' holds no statistics to sort by", g.name));
  if (f.sort && !f.sort_key && g.value == Type::stat && !lowered.sort_by)
    lowered.sort_by = ast::AggregateOp::count;
  if (lowered.sort_by == ast::AggregateOp::variance)
    program().globals[info->index].shape.variance = true;
  walks_.push_back({lowered.id, lowered.global, ""});
  if (f.limit) lowered.limit = value(*f.limit, Type::number);
  walks_.back().value = walk_value;
  ++loops_;
  body.statements.push_back(statement(*f.body));
  lowered.body = program().stmt(span, std::move(body));
  --loops_;
  walks_.pop_back();
  return program().stmt(span, std::move(lowered));
}

// A histogram's buckets, from the one below its range to the one above: a loop over their numbers.
Stmt* Lowering::foreach_bucket(const ast::Foreach& f, const ast::Aggregate& a, const Span& span) {
  using ast::BinaryOp;
  Expr* whole = histogram(a, f.array->span);
  auto* h = std::get_if<prog::HistogramExpr>(&whole->node);
  if (!h) return program().stmt(span, prog::BlockStmt{});
  if (f.keys.size() != 1 || !f.slice.empty() || (f.sort && f.sort_key == 0)) {
    diagnostics().error(Code::not_allowed_here, span,
                        "the buckets of a histogram have one key, no slices and no order by value");
    return program().stmt(span, prog::BlockStmt{});
  }
  auto local = [&](const ast::Name& name) -> Expr* {
    auto found = scope_.names.find(name.text);
    bool number =
        found != scope_.names.end() && scope_.locals[found->second].type == Type::number;
    return number ? program().expr(Type::number, name.span, prog::LocalRef{found->second})
                  : error(Code::type_mismatch, name.span,
                          fmt::format("'{}' must be a local variable and a number", name.text));
  };
  auto binary = [&](BinaryOp op, Expr* left, Expr* right) {
    return program().expr(Type::number, span, prog::BinaryExpr{op, left, right});
  };
  auto assign = [&](Expr* to, Expr* from) {
    return program().expr(Type::number, span, prog::AssignExpr{std::nullopt, to, from});
  };
  // A counter of its own: the loop ends whatever the body does to the script's variable.
  scope_.locals.push_back({"bucket", Type::number});
  Expr* counter =
      program().expr(Type::number, span, prog::LocalRef{scope_.locals.size() - 1});
  int64_t last = static_cast<int64_t>(statistic_global(*h->operand)->shape.buckets()) - 1;
  Expr* key = local(f.keys[0]);
  prog::LoopStmt loop{};
  Expr* limit = f.limit ? value(*f.limit, Type::number) : constant(last + 1, span);
  scope_.locals.push_back({"limit", Type::number});
  Expr* end = program().expr(Type::number, span, prog::LocalRef{scope_.locals.size() - 1});
  prog::BlockStmt all, body;
  all.statements.push_back(program().stmt(span, prog::ExprStmt{assign(end, limit)}));
  loop.init = assign(counter, constant(0, span));
  loop.condition = binary(BinaryOp::logical_and, binary(BinaryOp::lt, counter, end),
                          binary(BinaryOp::le, counter, constant(last, span)));
  loop.step = program().expr(Type::number, span, prog::IncrementExpr{false, false, counter});
  Expr* at = f.sort < 0 ? binary(BinaryOp::sub, constant(last, span), counter) : counter;
  body.statements.push_back(program().stmt(span, prog::ExprStmt{assign(key, at)}));
  if (f.value) {
    Expr* bucket = program().expr(Type::number, span, prog::BucketExpr{h->operand, at});
    body.statements.push_back(
        program().stmt(span, prog::ExprStmt{assign(local(*f.value), bucket)}));
  }
  ++loops_;
  body.statements.push_back(statement(*f.body));
  --loops_;
  loop.body = program().stmt(span, std::move(body));
  all.statements.push_back(program().stmt(span, loop));
  return program().stmt(span, std::move(all));
}

Stmt* Lowering::delete_statement(const ast::Delete& d, const Span& span) {
  if (auto* index = std::get_if<ast::Index>(&d.target->node)) {
    const GlobalInfo* info = array(*index->base, "delete");
    if (!info) return program().stmt(span, prog::BlockStmt{});
    check_not_walked(info->index, span);
    std::vector<Expr*> lowered = keys(*info, index->keys, span, true);
    bool slice = false;
    for (const ast::Expr* key : index->keys) slice |= key == nullptr;
    if (slice) return program().stmt(span, prog::DeleteSliceStmt{info->index, std::move(lowered)});
    Type type = program().globals[info->index].value;
    return program().stmt(
        span, prog::DeleteStmt{program().expr(type, span, prog::ElementRef{info->index, lowered})});
  }
  auto* id = std::get_if<ast::Identifier>(&d.target->node);
  if (!id) {
    diagnostics().error(Code::bad_operand, d.target->span, "only variables can be deleted");
    return program().stmt(span, prog::BlockStmt{});
  }
  auto local = scope_.names.find(id->name);
  if (local != scope_.names.end() && local->second < scope_.params) {
    diagnostics().error(Code::bad_operand, d.target->span,
                        fmt::format("'{}' is a parameter, which is not deleted", id->name));
    return program().stmt(span, prog::BlockStmt{});
  }
  GlobalInfo* global = unit_.find_global(id->name, d.target->span);
  if (global && !scope_.names.count(id->name)) {
    global->used = true;
    if (program().globals[global->index].value == Type::none && !global->indexed) {
      unresolved(span, fmt::format("nothing tells what '{}' holds", id->name));
      return program().stmt(span, prog::BlockStmt{});
    }
    return program().stmt(
        span, prog::DeleteStmt{program().expr(program().globals[global->index].value, span,
                                              prog::GlobalRef{global->index})});
  }
  return program().stmt(span, prog::DeleteStmt{value(*d.target)});
}

}  // namespace stp::sema
