// Statements. The action budget is paid once for a straight-line run of them; each iteration of a
// loop pays for its body.
//
// Whatever leaves a foreach early ends its walk: a failure goes through the label behind the loop,
// return and next end all open walks on their way out.
#include "emit/body.h"
#include "support/overloaded.h"

namespace stp::emit_c {

using namespace prog;

namespace {

// Statements after which another may run next than the one behind: they end a run.
bool ends_run(const Stmt* s) {
  return !std::holds_alternative<ExprStmt>(s->node) &&
         !std::holds_alternative<DeleteStmt>(s->node) &&
         !std::holds_alternative<DeleteSliceStmt>(s->node);
}

void pay(Body& b, size_t actions, const Span& span) {
  if (actions == 0 || !b.pays) return;
  b.line("if (!stp_actions(c, {}, {}))", actions, b.module.names.place(span));
  b.line("\tgoto {};", b.fail_label());
}

// Flattened, so that a run goes through nested blocks.
void collect(const Stmt* s, std::vector<const Stmt*>& list) {
  if (auto* block = std::get_if<BlockStmt>(&s->node)) {
    for (const Stmt* each : block->statements) collect(each, list);
  } else {
    list.push_back(s);
  }
}

void one(Body& b, const Stmt* s);

// The statements of `s`; `extra` actions are paid with the first of them.
void run(Body& b, const Stmt* s, size_t extra, const Span& span) {
  std::vector<const Stmt*> list;
  if (s) collect(s, list);
  if (list.empty()) return pay(b, extra, span);
  for (size_t i = 0; i < list.size();) {
    size_t end = i;
    while (end < list.size() && !ends_run(list[end])) ++end;
    if (end < list.size()) ++end;
    b.line_directive(list[i]->span);
    pay(b, end - i + (i == 0 ? extra : 0), list[i]->span);
    for (; i < end; ++i) one(b, list[i]);
  }
}

// What `write` writes, in a block of its own when it has compound literals: those live as long as
// the block they are in, and the stack is small.
template <typename F>
void effects(Body& b, F write) {
  std::string lines = b.capture(write);
  if (lines.find("[]){") == lines.npos) return b.raw(lines);
  b.line("{{");
  b.indented(lines);
  b.line("}}");
}

Value evaluate(Body& b, const Expr* e, bool wanted = true) {
  Value v;
  effects(b, [&] { v = value(b, e, wanted); });
  return v;
}

void end_walks(Body& b) {
  for (size_t i = b.walks.size(); i-- > 0;) b.line("stp_walk_end(&{});", b.walks[i].walk);
}

void if_statement(Body& b, const IfStmt& s) {
  size_t mark = b.scratch_mark();
  b.line("if ({}) {{", evaluate(b, s.condition).text);
  b.scratch_reset(mark);
  statement(b, s.then);
  if (s.otherwise) {
    b.line("}} else {{");
    statement(b, s.otherwise);
  }
  b.line("}}");
}

void expression(Body& b, const Expr* e) {
  size_t mark = b.scratch_mark();
  evaluate(b, e, false);
  b.scratch_reset(mark);
}

void loop(Body& b, const LoopStmt& s, const Span& span) {
  if (s.init) expression(b, s.init);
  size_t mark = b.scratch_mark();
  Value condition{"1"};
  std::string before = b.capture([&] {
    if (s.condition) condition = evaluate(b, s.condition);
  });
  if (before.empty()) {
    b.line("while ({}) {{", condition.text);
  } else {
    b.line("for (;;) {{");
    b.indented(before);
    b.line("if (!({}))", condition.text);
    b.line("\tbreak;");
  }
  b.scratch_reset(mark);
  b.loops.push_back({s.step ? b.label("step") : ""});
  run(b, s.body, 1, span);
  if (b.loops.back().used) b.line("{}:", b.loops.back().continue_label);
  b.loops.pop_back();
  if (s.step) expression(b, s.step);
  b.line("}}");
}

// The locals of a foreach, from the element that the walk is at.
void walk_locals(Body& b, const ForeachStmt& s, const Body::Walk& walk, const Span& span) {
  const Global& global = b.module.program.globals[s.global];
  const std::string& map = b.module.names.globals[s.global];
  for (size_t k = 0; k < s.keys.size(); ++k) {
    const std::string& local = b.local(s.keys[k]);
    if (global.keys[k] == Type::string)
      // An owned string fits: this cannot fail.
      b.line("stp_copy(c, {}, stp_entry_key_string({}, {}, {}), {});", local, map, walk.entry, k,
             b.module.names.place(span));
    else
      b.line("{} = stp_entry_key({}, {}, {});", local, map, walk.entry, k);
  }
  if (!s.value) return;
  if (global.value == Type::string)
    b.line("stp_copy(c, {}, STP_BORROW(stp_entry_text({})), {});", b.local(*s.value), walk.entry,
           b.module.names.place(span));
  else
    b.line("{} = *stp_entry_number({});", b.local(*s.value), walk.entry);
}

void begin_walk(Body& b, const ForeachStmt& s, const Body::Walk& walk, const Span& span) {
  size_t mark = b.scratch_mark();
  effects(b, [&] {
    Value limit{"-1", true};
    Slice slice = write_slice(b, s.slice);
    if (s.limit) {
      // Negative means none here, and all to the runtime.
      Value asked = b.pin(value(b, s.limit), Type::number, span);
      limit.text = fmt::format("{0} < 0 ? 0 : {0}", asked.text);
    }
    b.line("if (!stp_walk_begin(c, &{}, {}, &(struct stp_walk_order){{", walk.walk,
           b.module.names.globals[s.global]);
    b.raw(
        fmt::format("\t\t\t.direction = {}, .key = {}, .stat_op = {},\n"
                    "\t\t\t.slice_mask = {:#x}, .limit = {} }}, {}, {}))\n",
                    s.sort, s.sort_key, stat_op_name(s.sort_by.value_or(ast::AggregateOp::count)),
                    slice.mask, limit.text, slice.keys, b.module.names.place(span)));
    b.line("\tgoto {};", b.fail_label());
  });
  b.scratch_reset(mark);
}

void foreach_statement(Body& b, const ForeachStmt& s, const Span& span) {
  Body::Walk walk{s.id, s.global, b.temp("struct stp_walk "), b.temp("struct stp_entry *")};
  begin_walk(b, s, walk, span);
  std::string end = b.label("walk_end");
  b.push_failure(end);
  b.walks.push_back(walk);
  b.loops.push_back({});
  b.line("while (({} = stp_walk_next(&{}))) {{", walk.entry, walk.walk);
  walk_locals(b, s, walk, span);
  run(b, s.body, 1, span);
  b.line("}}");
  b.loops.pop_back();
  b.walks.pop_back();
  bool used = b.pop_failure();
  if (used) b.line("{}:", end);
  b.line("stp_walk_end(&{});", walk.walk);
  if (used) b.check();
}

void try_statement(Body& b, const TryStmt& s) {
  std::string caught = b.label("catch");
  b.push_failure(caught);
  statement(b, s.body);
  if (!b.pop_failure()) return;  // nothing in it can fail
  b.line("if (0) {{");
  b.line("{}:", caught);
  b.line("if (!stp_catch(c, {}))", s.message ? b.local(*s.message) : "NULL");
  b.line("\tgoto {};", b.fail_label());
  statement(b, s.handler);
  b.line("}}");
}

void return_statement(Body& b, const ReturnStmt& s, const Span& span) {
  if (s.value) {
    size_t mark = b.scratch_mark();
    Value v = evaluate(b, s.value, b.has_result);
    if (b.result_is_string) {
      b.line("stp_copy(c, result, {}, {});", v.text, b.module.names.place(span));
    } else if (b.has_result) {
      b.line("result = {};", v.text);
    }
    b.scratch_reset(mark);
  }
  end_walks(b);
  b.line("goto {};", b.out_label());
}

// The first call that is not handed on gives the result.
void overloads(Body& b, const OverloadStmt& o, const Span& span) {
  for (Expr* call : o.calls) {
    b.line("c->next_overload = false;");
    size_t mark = b.scratch_mark();
    Value v = evaluate(b, call, b.has_result);
    b.line("if (!c->next_overload) {{");
    if (b.result_is_string)
      b.line("stp_copy(c, result, {}, {});", v.text, b.module.names.place(span));
    else if (b.has_result)
      b.line("result = {};", v.text);
    b.line("goto {};", b.out_label());
    b.line("}}");
    b.scratch_reset(mark);
  }
  b.line("c->next_overload = false;");
  b.line("stp_fail(c, from, \"'next' in %s(), and no overload is left\", {});",
         c_string(b.function_name));
}

void one(Body& b, const Stmt* s) {
  b.line_directive(s->span);
  std::visit(
      Overloaded{
          [](const BlockStmt&) {},  // flattened by collect()
          [&](const IfStmt& i) { if_statement(b, i); },
          [&](const LoopStmt& l) { loop(b, l, s->span); },
          [&](const ForeachStmt& f) { foreach_statement(b, f, s->span); },
          [&](const ExprStmt& e) { expression(b, e.value); },
          [&](const ReturnStmt& r) { return_statement(b, r, s->span); },
          [&](const DeleteStmt& d) { effects(b, [&] { remove(b, d); }); },
          [&](const DeleteSliceStmt& d) { effects(b, [&] { remove_slice(b, d, s->span); }); },
          [&](const NextStmt&) {
            end_walks(b);
            if (b.is_function) b.line("c->next_overload = true;");
            b.line("goto {};", b.out_label());
          },
          [&](const BreakStmt&) { b.line("break;"); },
          [&](const ContinueStmt&) {
            Body::Loop& loop = b.loops.back();
            if (loop.continue_label.empty()) return b.line("continue;");
            loop.used = true;
            b.line("goto {};", loop.continue_label);
          },
          [&](const TryStmt& t) { try_statement(b, t); },
          [&](const OverloadStmt& o) { overloads(b, o, s->span); },
          [&](const EmbeddedStmt& e) { embedded_statement(b, e.c, s->span); },
      },
      s->node);
}

}  // namespace

void statement(Body& b, const Stmt* s) { run(b, s, 0, s ? s->span : Span{}); }

}  // namespace stp::emit_c
