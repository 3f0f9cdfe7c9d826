// What the script declares, and what of the library it reaches.
//
// The library is not part of a script until a name leads to it: a function by a call, a global by
// its use in such a function. So a script pays for what it uses, and a name of its own hides the
// library's.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "sema/builtins.h"
#include "sema/nesting.h"
#include "sema/scope.h"
#include "sema/visit.h"
#include "support/overloaded.h"
#include "syntax/habits.h"

namespace stp::sema {
namespace {

using prog::Type;

Type type_of(ast::TypeName name) {
  return name == ast::TypeName::number   ? Type::number
         : name == ast::TypeName::string ? Type::string
                                         : Type::none;
}

template <typename T>
struct Declared {
  const T* declaration = nullptr;
  const SourceFile* file = nullptr;
};

// The declarations of a name in the library: those that its own file keeps private, or everybody's.
template <typename T>
std::vector<Declared<T>> declared_in(const std::vector<const ast::File*>& library,
                                    const std::string& name, const SourceFile* from) {
  std::vector<Declared<T>> own, all;
  for (const ast::File* file : library)
    for (const auto& declaration : file->declarations) {
      auto* found = std::get_if<T*>(&declaration);
      if (!found || (*found)->name.text != name) continue;
      if (!(*found)->is_private)
        all.push_back({*found, file->source});
      else if (file->source == from)
        own.push_back({*found, file->source});
    }
  return own.empty() ? all : own;
}

void duplicate(Unit& unit, const ast::Name& name, const Span& first) {
  unit.diagnostics
      ->error(Code::duplicate, name.span, fmt::format("'{}' is declared twice", name.text))
      .note("the first declaration is here", first);
}

void add_global(Unit& unit, const ast::Global* declaration, const SourceFile* library) {
  bool hidden = library && declaration->is_private;
  std::string key =
      hidden ? private_name(declaration->name.text, library) : declaration->name.text;
  if (auto known = unit.globals.find(key); known != unit.globals.end()) {
    duplicate(unit, declaration->name, known->second.declaration->name.span);
    return;
  }
  GlobalInfo info;
  info.declaration = declaration;
  info.tapset = library != nullptr;
  info.index = unit.program->globals.size();
  info.indexed = declaration->size.has_value() || declaration->wrap;
  info.scalar = declaration->init != nullptr && !info.indexed;
  prog::Global global;
  global.name = declaration->name.text;
  global.span = declaration->name.span;
  global.wrap = declaration->wrap;
  if (declaration->size) {
    if (*declaration->size < 1 || *declaration->size > 100'000'000)
      unit.diagnostics->error(Code::bad_declaration, declaration->name.span,
                              fmt::format("an array cannot have {} entries", *declaration->size));
    else
      global.max_entries = static_cast<uint32_t>(*declaration->size);
  }
  if (declaration->init) {
    info.told = declaration->init->span;
    if (auto* number = std::get_if<ast::Number>(&declaration->init->node)) {
      global.value = Type::number;
      global.init = number->value;
    } else if (auto* text = std::get_if<ast::String>(&declaration->init->node)) {
      global.value = Type::string;
      global.init = text->value;
    }
  }
  unit.program->globals.push_back(std::move(global));
  unit.globals.emplace(key, info);
}

void declare_params(Unit& unit, FunctionInfo& info, FunctionGroup& group, const ast::Call& call) {
  Scope& scope = info.scope;
  for (const ast::Parameter& param : info.declaration->params) {
    if (!scope.names.emplace(param.name.text, scope.locals.size()).second)
      unit.diagnostics->error(Code::duplicate, param.name.span,
                              fmt::format("parameter '{}' is declared twice", param.name.text));
    Type type = type_of(param.type);
    Type& common = group.params[scope.locals.size()];
    if (type != Type::none && common != Type::none && type != common)
      unit.diagnostics
          ->error(Code::type_mismatch,
                  call.args.size() == group.params.size() ? call.args[scope.locals.size()]->span
                                                          : call.function.span,
                  fmt::format("overloads of {}() take a {} here, and a {}", group.name, name_of(common),
                              name_of(type)))
          .note("all functions of one name and number of parameters have the same types",
                param.name.span);
    Span& told = group.params_told[scope.locals.size()];
    if (common == Type::none && type != Type::none) told = param.name.span;
    if (common == Type::none) common = type;
    scope.locals.push_back({param.name.text, type});
    scope.first_use.push_back(param.name.span);
    scope.told.push_back(type == Type::none ? Span{} : param.name.span);
    scope.assigned.push_back(true);
  }
  scope.params = scope.locals.size();
}

// One function of a group.
void add_overload(Unit& unit, FunctionGroup& group, const ast::Function* declaration,
                  const ast::Call& call) {
  auto info = std::make_unique<FunctionInfo>();
  info->declaration = declaration;
  info->index = unit.program->functions.size();
  prog::Function function;
  function.name = declaration->name.text;
  function.span = declaration->name.span;
  function.params = declaration->params.size();
  unit.program->functions.push_back(std::move(function));
  Type result = type_of(declaration->type);
  if (result != Type::none && group.result != Type::none && result != group.result)
    unit.diagnostics
        ->error(Code::type_mismatch, call.function.span,
                fmt::format("overloads of {}() return a {}, and a {}", group.name,
                            name_of(group.result), name_of(result)))
        .note("all functions of one name and number of parameters have the same types",
              declaration->name.span);
  if (group.result == Type::none && result != Type::none) group.result_told = declaration->name.span;
  if (group.result == Type::none) group.result = result;
  Scope& scope = info->scope;
  scope.result = &group.result;
  scope.result_told = &group.result_told;
  declare_params(unit, *info, group, call);
  if (declaration->body) {
    scope.statements.push_back(declaration->body);
    walk(*declaration->body, {}, [&](const ast::Stmt& s) {
      info->has_next |= std::holds_alternative<ast::Next>(s.node);
    });
  } else if (declaration->embedded) {
    info->has_next = declaration->embedded->find("STAP_NEXT") != std::string::npos;
  }
  group.overloads.push_back(std::move(info));
}

// The functions of a name and number of parameters: the script's, then, where one of them may hand
// the call on, the library's. `call` is the first that leads to them; declarations that do not agree
// are an error there, as none of them is wrong by itself.
FunctionGroup* add_group(Unit& unit, const std::string& key, const ast::Call& call,
                         std::vector<const ast::Function*> functions) {
  auto priority = [](const ast::Function* f) {
    bool tapset = f->name.span.file->in_library();
    return f->priority.value_or(tapset ? 1 : 0);
  };
  std::stable_sort(functions.begin(), functions.end(), [&](auto* a, auto* b) {
    return priority(a) < priority(b);
  });
  auto group = std::make_unique<FunctionGroup>();
  group->name = call.function.text;
  group->params.resize(functions.front()->params.size(), Type::none);
  group->params_told.resize(group->params.size());
  for (const ast::Function* f : functions) add_overload(unit, *group, f, call);
  FunctionGroup* added = group.get();
  unit.functions.emplace(std::make_pair(key, functions.front()->params.size()), std::move(group));
  return added;
}

std::vector<std::string> script_functions(const Unit& unit) {
  std::vector<std::string> names;
  for (const auto& declaration : unit.script->declarations)
    if (auto* function = std::get_if<ast::Function*>(&declaration))
      names.push_back((*function)->name.text);
  return names;
}

std::vector<std::string> function_names(const Unit& unit,
                                        const std::vector<const ast::File*>& library) {
  // The parser knows these, and they are called like any other.
  std::vector<std::string> names = script_functions(unit);
  for (const char* print : {"print", "println", "printd", "printdln", "printf", "sprint", "sprintln", "sprintd",
                            "sprintdln", "sprintf"})
    names.emplace_back(print);
  for (const prog::Builtin& b : builtins()) names.push_back(b.name);
  for (const ast::File* file : library)
    for (const auto& declaration : file->declarations)
      if (auto* function = std::get_if<ast::Function*>(&declaration))
        names.push_back((*function)->name.text);
  return names;
}

// Names of variables in a body, in the order of the text.
template <typename Use>
void variables(const ast::Stmt& body, Use use) {
  walk(
      body,
      [&](const ast::Expr& e) {
        if (auto* id = std::get_if<ast::Identifier>(&e.node)) use(id->name, e.span, false);
        if (auto* assign = std::get_if<ast::Assign>(&e.node))
          if (auto* id = std::get_if<ast::Identifier>(&assign->target->node))
            use(id->name, assign->target->span, true);
        if (auto* step = std::get_if<ast::Increment>(&e.node))
          if (auto* id = std::get_if<ast::Identifier>(&step->operand->node))
            use(id->name, step->operand->span, true);
      },
      [&](const ast::Stmt& s) {
        if (auto* f = std::get_if<ast::Foreach>(&s.node)) {
          for (const ast::Name& key : f->keys) use(key.text, key.span, true);
          if (f->value) use(f->value->text, f->value->span, true);
        }
        if (auto* t = std::get_if<ast::TryCatch>(&s.node); t && t->message)
          use(t->message->text, t->message->span, true);
      });
}

}  // namespace

const char* name_of(Type type) {
  switch (type) {
    case Type::number:
      return "number";
    case Type::string:
      return "string";
    case Type::stat:
      return "statistic";
    default:
      return "value of unknown type";
  }
}

const SourceFile* home(const Span& span) {
  const Span* at = &span;
  while (at->via) at = at->via;
  return at->file;
}

std::string private_name(const std::string& name, const SourceFile* file) {
  return name + "@" + file->name();
}

GlobalInfo* Unit::find_global(const std::string& name, const Span& at) {
  const SourceFile* file = home(at);
  auto found = globals.end();
  if (file && file->in_library())
    found = globals.find(private_name(name, file));
  if (found == globals.end()) found = globals.find(name);
  return found == globals.end() ? nullptr : &found->second;
}

uint32_t Unit::section_of(const types::Provider& provider, uint64_t address) {
  auto section = provider.section_at(address);
  if (!section) return 0;
  auto& known = program->sections;
  auto at = std::find_if(known.begin(), known.end(), [&](const types::Section& s) {
    return s.module == section->module && s.begin == section->begin;
  });
  if (at == known.end()) at = known.insert(at, std::move(*section));
  if (std::find(modules.begin(), modules.end(), &provider) == modules.end())
    modules.push_back(&provider);
  return static_cast<uint32_t>(at - known.begin()) + 1;
}

FunctionGroup* Unit::find_function(const std::string& name, size_t arity, const Span& at) {
  const SourceFile* file = home(at);
  auto found = functions.end();
  if (file && file->in_library())
    found = functions.find({private_name(name, file), arity});
  if (found == functions.end()) found = functions.find({name, arity});
  return found == functions.end() ? nullptr : found->second.get();
}

std::vector<size_t> Unit::arities(const std::string& name) const {
  std::vector<size_t> found;
  for (const auto& [key, group] : functions)
    if (group->name == name) found.push_back(key.second);
  return found;
}

namespace {

void unknown_function(Unit& unit, const ast::Call& call,
                      const std::vector<const ast::File*>& library) {
  const std::string& name = call.function.text;
  auto& error = unit.diagnostics->error(Code::unknown_function, call.function.span,
                                        fmt::format("there is no function '{}'", name));
  const char* cure = cure_of_function(name);
  if (cure) error.note(cure);
  if (!unit.diagnostics->suggests()) return;
  // Of a name that has its own cure, only what the script itself declares may be meant as well.
  for (const auto& near : nearest(name, cure ? script_functions(unit) : function_names(unit, library)))
    error.note(fmt::format("did you mean '{}'?", near));
}

bool in_library(const FunctionGroup& group) {
  const Span& name = group.overloads.front()->declaration->name.span;
  return name.file && name.file->in_library();
}

// Whether one of them may hand its call on.
bool hands_on(const std::vector<const ast::Function*>& functions) {
  bool found = false;
  for (const ast::Function* f : functions) {
    if (f->embedded) found |= f->embedded->find("STAP_NEXT") != std::string::npos;
    if (f->body)
      walk(*f->body, {},
           [&](const ast::Stmt& s) { found |= std::holds_alternative<ast::Next>(s.node); });
  }
  return found;
}

// What a call can mean.
struct Meaning {
  std::vector<const ast::Function*> fitting;  // with this number of arguments
  std::vector<const ast::Function*> others;
  const SourceFile* hidden_in = nullptr;  // the library's file that alone knows it
};

Meaning meaning_of(Unit& unit, const ast::Call& call,
                   const std::vector<const ast::File*>& library) {
  Meaning meaning;
  auto sort_in = [&](const ast::Function* f) {
    (f->params.size() == call.args.size() ? meaning.fitting : meaning.others).push_back(f);
  };
  const std::string& name = call.function.text;
  for (const auto& declaration : unit.script->declarations)
    if (auto* f = std::get_if<ast::Function*>(&declaration))
      if ((*f)->name.text == name) sort_in(*f);
  // The script's hide the library's, unless they want to hand a call on.
  if (!meaning.fitting.empty() && !hands_on(meaning.fitting)) return meaning;
  bool own = !meaning.fitting.empty();
  for (const auto& found :
       declared_in<ast::Function>(library, name, home(call.function.span))) {
    sort_in(found.declaration);
    if (found.declaration->is_private && !own) meaning.hidden_in = found.file;
  }
  return meaning;
}

// The library's function that a call would mean without the script's.
std::optional<HiddenFunction> hidden_by_script(const std::vector<const ast::File*>& library,
                                               const ast::Call& call) {
  for (const auto& found : declared_in<ast::Function>(library, call.function.text, nullptr)) {
    const ast::Function& f = *found.declaration;
    if (f.params.size() != call.args.size()) continue;
    HiddenFunction hidden{type_of(f.type), {}};
    for (const ast::Parameter& param : f.params) hidden.params.push_back(type_of(param.type));
    return hidden;
  }
  const prog::Builtin* b = find_builtin(call.function.text);
  if (!b || b->args.size() != call.args.size()) return std::nullopt;
  return HiddenFunction{b->result, b->args};
}

// Brings in what a call means, and what that reaches in turn.
void reach_call(Unit& unit, const ast::Call& call, const std::vector<const ast::File*>& library) {
  const std::string& name = call.function.text;
  if (unit.find_function(name, call.args.size(), call.function.span)) return;
  Meaning meaning = meaning_of(unit, call, library);
  if (meaning.fitting.empty()) {
    if (find_builtin(name)) return;
    if (meaning.others.empty()) return unknown_function(unit, call, library);
    // With another number of arguments: lowering tells.
    for (const ast::Function* f : meaning.others)
      if (f->params.size() == meaning.others.front()->params.size()) meaning.fitting.push_back(f);
  }
  std::string key = meaning.hidden_in ? private_name(name, meaning.hidden_in) : name;
  if (unit.functions.count({key, meaning.fitting.front()->params.size()})) return;
  size_t mark = unit.diagnostics->mark();
  FunctionGroup* group = add_group(unit, key, call, meaning.fitting);
  group->called_from = call.function.span;
  if (!in_library(*group)) group->hides = hidden_by_script(library, call);
  group->caller = std::exchange(unit.reaching, group);
  // nesting.cc bounds chains as well; this one is walked first.
  if (++unit.reach_depth > deepest_call_chain)
    unit.diagnostics->error(Code::too_deep, call.function.span,
                            "functions call each other more than a thousand levels deep");
  else
    for (const auto& overload : group->overloads)
      reach(unit, overload->scope, library);
  --unit.reach_depth;
  unit.reaching = group->caller;
  if (in_library(*group))
    unit.diagnostics->note_since(mark, fmt::format("{}() is called here", name),
                                 call.function.span);
}

}  // namespace

// SystemTap takes both for overloads of one function, whose types have to agree.
void check_hidden_functions(Unit& unit) {
  for (auto& named : unit.functions) {
    const FunctionGroup& group = *named.second;
    if (!group.hides || group.unread) continue;
    auto check = [&](Type own, Type hidden, const std::string& what) {
      if (own == hidden || own == Type::none || hidden == Type::none) return;
      unit.diagnostics
          ->error(Code::type_mismatch, group.called_from,
                  fmt::format("{} {}() is a {}, of the library's function of this name a {}", what,
                              group.name, name_of(own), name_of(hidden)))
          .note("the script's function is here; it needs another name, or the library's types",
                group.overloads.front()->declaration->name.span);
    };
    check(group.result, group.hides->result, "the result of");
    for (size_t i = 0; i < group.params.size(); ++i)
      check(group.params[i], group.hides->params[i], fmt::format("parameter {} of", i + 1));
  }
}

void reach(Unit& unit, const Scope& scope, const std::vector<const ast::File*>& library) {
  for (const ast::Stmt* s : scope.statements) {
    walk(*s, [&](const ast::Expr& e) {
      if (auto* c = std::get_if<ast::Call>(&e.node)) reach_call(unit, *c, library);
    });
    // The library's globals are everybody's; its private ones, of their file.
    variables(*s, [&](const std::string& name, const Span& at, bool) {
      if (scope.names.count(name) || unit.find_global(name, at)) return;  // parameters hide them
      for (const auto& found : declared_in<ast::Global>(library, name, home(at)))
        add_global(unit, found.declaration, found.file);
    });
  }
}

namespace {

// An alias has one name: wildcards are for its use, and arguments for what is behind it.
void check_names(Unit& unit, const ast::Alias& alias) {
  for (const ast::ProbePoint* name : alias.names)
    for (const ast::Component& part : name->components)
      if (part.name.find_first_of("*?[") != part.name.npos || part.arg.index())
        unit.diagnostics->error(Code::bad_probe_point, part.span,
                                fmt::format("the name of an alias has no {}",
                                            part.arg.index() ? "arguments" : "wildcards"));
}

}  // namespace

void collect(Unit& unit, const ast::File& script) {
  unit.script = &script;
  for (const auto& declaration : script.declarations)
    std::visit(Overloaded{
                   [&](ast::Global* g) { add_global(unit, g, nullptr); },
                   [&](ast::Alias* a) { check_names(unit, *a); },
                   [&](ast::EmbeddedTop* c) {
                     unit.program->embedded_top.push_back({c->code, c->span});
                   },
                   [](const auto&) {},
               },
               declaration);
}

void note_shared(Unit& unit, const std::vector<const ast::File*>& library) {
  for (const ast::File* file : library)
    for (const auto& declaration : file->declarations)
      if (auto* g = std::get_if<ast::Global*>(&declaration); g && !(*g)->is_private)
        unit.shared.insert((*g)->name.text);
}

void note_calls(Diagnostics& d, size_t mark, const FunctionGroup& group) {
  for (const FunctionGroup* f = &group; f && in_library(*f); f = f->caller)
    d.note_since(mark, fmt::format("{}() is called here", f->name), f->called_from);
}

void close_groups(Unit& unit) {
  for (auto& [key, group] : unit.functions) {
    // Behind one that always keeps the call nothing is reached.
    group->tried = 1;
    while (group->tried < group->overloads.size() && group->overloads[group->tried - 1]->has_next)
      ++group->tried;
    FunctionInfo& first = *group->overloads.front();
    group->index = first.index;
    group->dispatches = first.has_next;
    if (!group->dispatches) continue;
    group->index = unit.program->functions.size();
    prog::Function function = unit.program->functions[first.index];
    unit.program->functions.push_back(std::move(function));
  }
}

namespace {

// A variable of a function of stp's own library is the function's, whatever the script's globals are
// called. What aliases assign is for the script, and may be a global of it.
bool is_the_functions(const Unit& unit, const Scope& scope, const GlobalInfo& global, const Span& at) {
  const SourceFile* file = home(at);
  return scope.result && file && file->role() == SourceFile::Role::standard && !global.tapset &&
         !unit.shared.count(global.declaration->name.text);
}

}  // namespace

void declare_locals(Unit& unit, Scope& scope) {
  for (const ast::Stmt* s : scope.statements)
    variables(*s, [&](const std::string& name, const Span& span, bool assigned) {
      auto [at, fresh] = scope.names.emplace(name, scope.locals.size());
      const GlobalInfo* global = fresh ? unit.find_global(name, span) : nullptr;
      if (global && !is_the_functions(unit, scope, *global, span)) {
        scope.names.erase(at);
        return;
      }
      if (fresh) {
        scope.locals.push_back({name, Type::none});
        scope.first_use.push_back(span);
        scope.told.emplace_back();
        scope.assigned.push_back(false);
      }
      if (assigned) scope.assigned[at->second] = true;
    });
}

}  // namespace stp::sema
