// The order of the passes of sema, and what is left when they are done.
#include "sema/analyze.h"

#include <fmt/format.h>

#include <charconv>
#include <set>

#include "sema/display.h"
#include "sema/handlers.h"
#include "sema/lower.h"
#include "sema/nesting.h"
#include "sema/suspicious.h"
#include "sema/types.h"
#include "sema/visit.h"
#include "support/overloaded.h"
#include "types/calling_convention.h"

namespace stp {
namespace {

using namespace sema;
using prog::Type;

constexpr size_t most_keys = 32;  // STP_MOST_KEYS of runtime/script.h

// -G name=value: the value is what the global's use says, or what it looks like.
void set_initial_values(Unit& unit, const SemaOptions& options) {
  for (const auto& [name, text] : options.globals) {
    auto found = unit.globals.find(name);
    if (found == unit.globals.end()) continue;  // the command line reports it
    prog::Global& g = unit.global(found->second);
    int64_t number = 0;
    const char* start = text.data() + (text.compare(0, 2, "0x") == 0 ? 2 : 0);
    auto [end, error] =
        std::from_chars(start, text.data() + text.size(), number, start == text.data() ? 10 : 16);
    bool is_number = error == std::errc() && end == text.data() + text.size();
    if (found->second.indexed || g.value == Type::stat)
      unit.diagnostics->error(Code::bad_option, g.span,
                              fmt::format("-G {}: only numbers and strings can be set", name));
    else if (g.value == Type::number && !is_number)
      unit.diagnostics->error(Code::bad_option, g.span,
                              fmt::format("-G {}={}: '{}' is a number", name, text, name));
    else if (g.value == Type::string)
      g.init = text;
    else if (is_number)
      g.init = number;
    if (g.value == Type::none) g.value = is_number ? Type::number : Type::string;
  }
}

void finish_globals(Unit& unit, bool warn) {
  for (auto& [name, info] : unit.globals) {
    prog::Global& g = unit.global(info);
    g.array = info.indexed;
    if (!info.used && !info.tapset && warn && !unit.diagnostics->failed())
      unit.diagnostics->warning(Code::unused, g.span, fmt::format("'{}' is never used", name));
    // What nothing uses still needs a type to exist.
    if (!info.used && g.value == Type::none) g.value = Type::number;
    if (g.array && g.value == Type::none) g.value = Type::number;
    if (g.array && g.keys.empty()) g.keys.push_back(Type::number);
    for (Type& key : g.keys)
      if (key == Type::none) key = Type::number;
    if (g.keys.size() > most_keys)
      unit.diagnostics->error(Code::wrong_arity, g.span,
                              fmt::format("an array has at most {} keys", most_keys));
    if (g.array && g.init.index())
      unit.diagnostics->error(Code::bad_declaration, g.span, "an array has no initial value");
  }
}

// Calls the overloads of a group in their order, until one keeps the call.
prog::Function dispatcher(Unit& unit, const FunctionGroup& group) {
  prog::Function f = unit.program->functions[group.overloads.front()->index];
  f.locals.resize(f.params);
  f.recursive = false;
  f.embedded.reset();
  prog::OverloadStmt calls;
  for (size_t i = 0; i < group.tried; ++i) {
    std::vector<prog::Expr*> args;
    for (size_t p = 0; p < f.params; ++p)
      args.push_back(unit.program->expr(f.locals[p].type, f.span, prog::LocalRef{p}));
    calls.calls.push_back(unit.program->expr(
        f.result, f.span, prog::CallExpr{group.overloads[i]->index, std::move(args)}));
  }
  f.body = unit.program->stmt(f.span, std::move(calls));
  return f;
}

bool looks_at(const FunctionGroup& group, size_t parameter) {
  bool found = false;
  for (const auto& overload : group.overloads) {
    const std::string& name = overload->declaration->params[parameter].name.text;
    for (const ast::Stmt* s : overload->scope.statements)
      walk(*s, [&](const ast::Expr& e) {
        auto* id = std::get_if<ast::Identifier>(&e.node);
        found |= id && id->name == name;
      });
  }
  return found;
}

void lower_functions(Unit& unit, const Context& context) {
  for (auto& [key, group] : unit.functions) {
    // Parameters that nothing looks at may be anything.
    for (size_t i = 0; i < group->params.size(); ++i)
      if (group->params[i] == Type::none && !looks_at(*group, i)) group->params[i] = Type::number;
    // Those of probes are lowered where they are called.
    for (auto& overload : group->overloads) {
      FunctionInfo& f = *overload;
      if (group->of_probes) continue;
      for (size_t i = 0; i < f.scope.params; ++i)
        if (f.scope.locals[i].type == Type::none) f.scope.locals[i].type = group->params[i];
      size_t mark = unit.diagnostics->mark();
      bool typed = has_targets(f.scope.statements);
      Lowering lowering(unit, f.scope, nullptr, typed ? context.sources.kernel(*unit.diagnostics) : nullptr,
                        nullptr, context.guru);
      prog::Stmt* body = lowering.statements(f.scope.statements);
      if (group->unread && has_errors_of_value(*unit.diagnostics, mark)) {
        unit.diagnostics->rewind(mark);
        body = unit.program->stmt(body->span, prog::BlockStmt{});
      }
      prog::Function& out = unit.program->functions[f.index];
      out.body = body;
      if (const auto& code = f.declaration->embedded) {
        out.embedded = embedded_c(unit, *code, f.declaration->embedded_span);
        check_pragmas(*unit.diagnostics, *code, f.declaration->embedded_span);
      }
      out.result = group->result;
      out.locals = f.scope.locals;
      note_calls(*unit.diagnostics, mark, *group);
    }
    if (group->dispatches) unit.program->functions[group->index] = dispatcher(unit, *group);
  }
}

std::vector<size_t> calls_in(Unit& unit, const std::vector<const ast::Stmt*>& statements) {
  std::set<size_t> calls;
  for (const ast::Stmt* s : statements)
    walk(*s, [&](const ast::Expr& e) {
      if (auto* c = std::get_if<ast::Call>(&e.node))
        if (auto* f = unit.find_function(c->function.text, c->args.size(), c->function.span))
          calls.insert(f->index);
    });
  return {calls.begin(), calls.end()};
}

void bound_nesting(Unit& unit) {
  // A copy is called as its original is.
  std::vector<std::vector<size_t>> calls(unit.program->functions.size());
  for (const auto& [key, group] : unit.functions)
    for (size_t i = 0; i < group->overloads.size(); ++i) {
      const FunctionInfo& f = *group->overloads[i];
      calls[f.index] = calls_in(unit, f.scope.statements);
      if (group->dispatches && i < group->tried) calls[group->index].push_back(f.index);
    }
  std::set<size_t> roots;
  for (const auto& handler : unit.handlers)
    for (size_t f : calls_in(unit, handler->scope.statements)) roots.insert(f);
  if (!set_nesting(*unit.program, calls, {roots.begin(), roots.end()}))
    unit.diagnostics->error(Code::too_deep, unit.handlers.front()->declaration->span,
                            "functions call each other more than a thousand levels deep");
  auto& functions = unit.program->functions;
  for (auto [copy, original] : unit.copies) functions[copy].recursive = functions[original].recursive;
}

void warn_of_unused_locals(Unit& unit) {
  for (const auto& handler : unit.handlers) {
    const Scope& scope = handler->scope;
    std::map<std::string, int> uses;
    for (const ast::Stmt* s : scope.statements)
      walk(*s, [&](const ast::Expr& e) {
        if (auto* id = std::get_if<ast::Identifier>(&e.node)) ++uses[id->name];
      });
    for (const ast::Stmt* s : scope.statements)
      walk(*s, {}, [&](const ast::Stmt& inner) {
        auto* e = std::get_if<ast::ExprStmt>(&inner.node);
        auto* a = e ? std::get_if<ast::Assign>(&e->value->node) : nullptr;
        auto* id = a ? std::get_if<ast::Identifier>(&a->target->node) : nullptr;
        if (!id || uses[id->name] != 1 || !scope.names.count(id->name)) return;
        if (unit.left_out.count(&inner)) return;
        if (a->target->span.file && !a->target->span.file->in_library())
          unit.diagnostics->warning(Code::unused, a->target->span,
                                    fmt::format("'{}' is given a value and never read", id->name));
      });
  }
}

std::vector<const ast::Expr*> conditions_of(const std::vector<PendingProbe>& pending) {
  std::vector<const ast::Expr*> conditions;
  for (const PendingProbe& probe : pending)
    for (const ExpandedPoint& point : probe.points)
      conditions.insert(conditions.end(), point.conditions.begin(), point.conditions.end());
  return conditions;
}

// What a condition may not have, as it is said of it; null: e itself may stand in one.
const char* not_in_condition(const ast::Expr& e) {
  using Found = const char*;
  return std::visit(
      Overloaded{
          [](const ast::Increment&) -> Found { return "changes no variable"; },
          [](const ast::Assign&) -> Found { return "changes no variable"; },
          [](const ast::Accumulate&) -> Found { return "changes no variable"; },
          [](const ast::Call&) -> Found { return "calls no function"; },
          [](const ast::Print& p) -> Found { return p.to_string ? nullptr : "prints nothing"; },
          [](const ast::EmbeddedExpr&) -> Found { return "has no embedded C"; },
          [](const ast::Target&) -> Found { return "reads nothing of the probed code, only globals"; },
          [](const ast::Cast&) -> Found { return "reads nothing of the probed code, only globals"; },
          [](const ast::Dereference&) -> Found { return "reads nothing of the probed code, only globals"; },
          [](const ast::AtOperator& a) -> Found {
            bool at_hit = a.name == "entry" || a.name.ends_with("register") || a.name == "probewrite";
            return at_hit ? "reads nothing of the probed code, only globals" : nullptr;
          },
          [](const auto&) -> Found { return nullptr; }},
      e.node);
}

// A condition is over global variables alone (stapprobes(3stap)): it is asked when one of them
// changes, from wherever that is, and nobody may depend on how often. What is wrong is left out.
void check_conditions(Unit& unit, std::vector<PendingProbe>& pending) {
  std::vector<const ast::Expr*> all = conditions_of(pending);
  std::set<const ast::Expr*> wrong;
  for (const ast::Expr* condition : std::set(all.begin(), all.end()))
    walk(*condition, [&](const ast::Expr& e) {
      if (const char* what = not_in_condition(e)) {
        unit.diagnostics->error(Code::not_allowed_here, e.span,
                                fmt::format("the condition of a probe {}", what));
        wrong.insert(condition);
      }
      auto* id = std::get_if<ast::Identifier>(&e.node);
      if (!id || unit.find_global(id->name, e.span)) return;
      auto& error = unit.diagnostics->error(
          Code::unknown_name, e.span,
          fmt::format("there is no global variable '{}' for this condition", id->name));
      std::vector<std::string> names;
      for (const auto& [name, info] : unit.globals) names.push_back(name);
      for (const auto& near : nearest(id->name, names))
        error.note(fmt::format("did you mean '{}'?", near));
      wrong.insert(condition);
    });
  for (PendingProbe& probe : pending)
    for (ExpandedPoint& point : probe.points)
      std::erase_if(point.conditions, [&](const ast::Expr* e) { return wrong.count(e) != 0; });
}

void used(Unit& unit, size_t index) {
  for (auto& [name, info] : unit.globals)
    if (info.index == index) info.used = true;
}

// The addresses of points, and of variables (`any`), are those of the image that the anchor's address
// comes from; those of modules have anchors of their own.
void set_anchor(prog::Program& program, bool any, types::Sources& sources, Diagnostics& d) {
  for (const auto& probe : program.probes)
    for (const auto& point : probe.points)
      any |= point.program.empty() && ((point.address != 0 && !point.section) ||
                                       point.kind == prog::PointKind::tracepoint);
  for (const auto& table : program.places) any |= !table.section;
  const types::Provider* source = any ? sources.kernel(d) : nullptr;
  if (source) program.anchor = source->symbol("_printk").value_or(0);
  if (program.anchor) {
    program.clock = source->symbol("_vdso_data").value_or(0);
    return;
  }
  // Without it addresses cannot be told from one boot to the next: names must do.
  for (auto& probe : program.probes)
    for (auto& point : probe.points)
      if (!point.section) point.address = 0;
}

// Tables of lines and inlined copies: of the kernel, of the modules that have points, and of those that were
// named.
void carry_places(Unit& unit, const std::vector<std::string>& named) {
  prog::Program& program = *unit.program;
  Diagnostics nobody;  // without debug information nothing is told, as documented
  std::vector<const types::Provider*> modules = {unit.sources->kernel(nobody)};
  modules.insert(modules.end(), unit.modules.begin(), unit.modules.end());
  for (const auto& name : named)
    if (auto* module = unit.sources->module(name, {}, *unit.diagnostics);
        std::find(modules.begin(), modules.end(), module) == modules.end())
      modules.push_back(module);
  auto carry = [&](const types::Provider& provider, types::PlaceKind kind) {
    std::filesystem::path file = provider.places(kind);
    if (file.empty()) return;
    if (provider.module().empty()) program.places.push_back({kind, file, 0, UINT64_MAX});
    for (const types::Section& s : provider.code_sections())
      program.places.push_back({kind, file, s.begin, s.end, unit.section_of(provider, s.begin)});
  };
  for (const types::Provider* provider : modules) {
    if (provider && program.tells_lines) carry(*provider, types::PlaceKind::lines);
    if (provider && program.tells_inlined) carry(*provider, types::PlaceKind::inlined);
  }
}

// The place of the first probe; empty when there is none.
Span first_probe(const ast::File& script) {
  for (const auto& declaration : script.declarations)
    if (auto* probe = std::get_if<ast::Probe*>(&declaration)) return (*probe)->span;
  return {};
}

std::vector<const ast::File*> all_files(const ast::File& script,
                                        const std::vector<const ast::File*>& library) {
  std::vector<const ast::File*> files = {&script};
  files.insert(files.end(), library.begin(), library.end());
  return files;
}

std::vector<ListedVariable> listed_variables(const types::Provider& source,
                                             const probes::Surroundings& around) {
  using Surround = probes::Surroundings::Kind;
  std::vector<ListedVariable> listed;
  static const types::Type text{types::Kind::integer, "string"};
  if (around.has_text()) listed.push_back({"value", &text, "a text of the script"});
  for (size_t i = 0; i < around.arguments.size(); ++i) {
    auto type = source.type(around.arguments[i].type);
    types::Location place{types::Location::Kind::value, types::loc_argument(static_cast<int>(i)), {}};
    if (auto* known = types::get(type)) listed.push_back({around.arguments[i].name, *known, types::spell(place)});
  }
  if (around.kind == Surround::tracepoint)
    for (const auto& v : types::tracepoint_arguments(source, around.tracepoint.params).each)
      listed.push_back({v.name, v.type, types::spell(v.location)});
  for (const probes::ScriptVariable& v : around.script_variables)
    listed.push_back({v.name, nullptr, "", type_of(v) == Type::string ? "string" : "long"});
  for (const auto& v : around.call_variables.value_or(std::vector<types::Variable>{}))
    listed.push_back({v.name, v.type, types::spell(v.location)});
  if (around.call_variables || (around.kind != Surround::place && around.kind != Surround::at_return))
    return listed;
  auto result = source.return_value(around.place.function);
  if (auto* value = types::get(result); value && around.kind == Surround::at_return)
    listed.push_back({"return", value->type, types::spell(value->location)});
  auto variables = source.variables(around.place);
  if (auto* all = types::get(variables))
    for (const auto& v : *all) {
      listed.push_back({v.name, v.type, types::spell(v.location)});
      if (v.location.known()) continue;
      auto why = source.variable(around.place, v.name);
      listed.back().place = "no value: " + (types::get(why) ? "" : types::lack(why).detail);
      listed.back().has_value = false;
    }
  return listed;
}

}  // namespace

std::unique_ptr<prog::Program> analyze(const ast::File& script,
                                       const std::vector<const ast::File*>& library,
                                       const Target& target, types::Sources& sources,
                                       const SemaOptions& options, Diagnostics& d) {
  auto program = std::make_unique<prog::Program>();
  program->name = script.source ? script.source->name() : "script";
  program->limits = options.limits;
  Unit unit;
  unit.program = program.get();
  unit.diagnostics = &d;
  unit.sources = &sources;
  std::vector<const ast::File*> files = all_files(script, library);
  Context context{files, target, sources, options.guru};

  // Declarations, and the places that probe points mean.
  collect(unit, script);
  note_shared(unit, library);
  std::vector<PendingProbe> pending = collect_probes(unit, script, context);
  if (pending.empty() && !d.failed())
    d.error(Code::no_probes, first_probe(script), "the script has no probe to run");

  // Functions and globals of the library that the handlers reach; then every local variable.
  for (const auto& handler : unit.handlers) reach(unit, handler->scope, library);
  for (const auto& handler : unit.handlers) declare_locals(unit, handler->scope);
  for (auto& [key, group] : unit.functions)
    for (auto& overload : group->overloads) declare_locals(unit, overload->scope);
  declare_script_variables(unit, pending);
  collect_counters(unit, pending);
  close_groups(unit);
  find_probe_functions(unit);
  if (!options.unoptimized) find_unread(unit);

  if (!options.suppress_warnings) warn_of_suspicious(script, d);

  // Types, then everything that depends on them.
  check_conditions(unit, pending);
  infer_types(unit, conditions_of(pending));
  check_hidden_functions(unit);
  set_initial_values(unit, options);
  lower_functions(unit, context);
  lower_probes(unit, pending, context);
  std::vector<size_t> shown;
  if (options.display_globals) shown = unread_globals(unit, conditions_of(pending));
  for (size_t index : shown) used(unit, index);
  finish_globals(unit, !options.suppress_warnings);
  if (!options.suppress_warnings && !d.failed()) warn_of_unused_locals(unit);
  if (!d.failed()) display_globals(unit, shown);
  bound_nesting(unit);
  for (const prog::Function& f : program->functions)
    if (f.embedded) program->embedded.push_back(&*f.embedded);
  if (!d.failed() && (program->tells_lines || program->tells_inlined)) carry_places(unit, options.modules);
  set_anchor(*program, unit.addresses, sources, d);
  d.put_last(Code::unresolved_type);
  return program;
}

std::string ListedVariable::text() const {
  if (!script_type.empty()) return fmt::format("{}:{}", name, script_type);
  return fmt::format("${}:{}", name, types::spell(type));
}

std::string ListedVariable::text_with_place() const {
  if (!script_type.empty()) return fmt::format("{}: {}", name, script_type);
  return fmt::format("${}: {}, {}", name, types::spell(type), place);
}

std::vector<ListedPoint> list_points(const ast::ProbePoint& point,
                                     const std::vector<const ast::File*>& library,
                                     const Target& target, types::Sources& sources,
                                     bool with_variables, Diagnostics& d) {
  std::vector<ListedPoint> listed;
  Context context{library, target, sources, false};
  for (const ExpandedPoint& expanded : expand(point, context, d))
    for (const probes::Found& found : expanded.found) {
      const types::Provider* source = with_variables ? found.surroundings.provider : nullptr;
      if (with_variables && !source) source = sources.kernel(d);
      listed.push_back({found.point, {}, expanded.alias});
      if (source) listed.back().variables = listed_variables(*source, found.surroundings);
    }
  return listed;
}

}  // namespace stp
