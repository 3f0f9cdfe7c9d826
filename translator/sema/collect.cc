// What the script declares, and what of the library it reaches.
//
// The library is not part of a script until a name leads to it: a function by a call, a global by
// its use in such a function. So a script pays for what it uses, and a name of its own hides the
// library's.
#include <fmt/format.h>

#include <set>

#include "sema/builtins.h"
#include "sema/scope.h"
#include "sema/visit.h"
#include "support/overloaded.h"

namespace stp::sema {
namespace {

using prog::Type;

Type type_of(ast::TypeName name) {
  return name == ast::TypeName::number   ? Type::number
         : name == ast::TypeName::string ? Type::string
                                         : Type::none;
}

const ast::Global* library_global(const std::vector<const ast::File*>& library,
                                  const std::string& name) {
  for (const ast::File* file : library)
    for (const auto& declaration : file->declarations)
      if (auto* global = std::get_if<ast::Global*>(&declaration))
        if ((*global)->name.text == name) return *global;
  return nullptr;
}

const ast::Function* library_function(const std::vector<const ast::File*>& library,
                                      const std::string& name) {
  for (const ast::File* file : library)
    for (const auto& declaration : file->declarations)
      if (auto* function = std::get_if<ast::Function*>(&declaration))
        if ((*function)->name.text == name) return *function;
  return nullptr;
}

void duplicate(Unit& unit, const ast::Name& name, const Span& first) {
  unit.diagnostics
      ->error(Code::duplicate, name.span, fmt::format("'{}' is declared twice", name.text))
      .note("the first declaration is here", first);
}

void add_global(Unit& unit, const ast::Global* declaration, bool tapset) {
  if (auto known = unit.globals.find(declaration->name.text); known != unit.globals.end()) {
    duplicate(unit, declaration->name, known->second.declaration->name.span);
    return;
  }
  GlobalInfo info;
  info.declaration = declaration;
  info.tapset = tapset;
  info.index = unit.program->globals.size();
  info.indexed = declaration->size.has_value() || declaration->wrap;
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
    if (auto* number = std::get_if<ast::Number>(&declaration->init->node)) {
      global.value = Type::number;
      global.init = number->value;
    } else if (auto* text = std::get_if<ast::String>(&declaration->init->node)) {
      global.value = Type::string;
      global.init = text->value;
    }
  }
  unit.program->globals.push_back(std::move(global));
  unit.globals.emplace(declaration->name.text, info);
}

FunctionInfo* add_function(Unit& unit, const ast::Function* declaration) {
  if (auto known = unit.functions.find(declaration->name.text); known != unit.functions.end()) {
    duplicate(unit, declaration->name, known->second->declaration->name.span);
    return nullptr;
  }
  auto info = std::make_unique<FunctionInfo>();
  info->declaration = declaration;
  info->index = unit.program->functions.size();
  info->result = type_of(declaration->type);
  prog::Function function;
  function.name = declaration->name.text;
  function.span = declaration->name.span;
  function.params = declaration->params.size();
  unit.program->functions.push_back(std::move(function));
  FunctionInfo* added = info.get();
  unit.functions.emplace(declaration->name.text, std::move(info));
  return added;
}

// Its scope, once the globals that it names are known.
void open_function(Unit& unit, FunctionInfo& info) {
  const ast::Function* declaration = info.declaration;
  if (declaration->embedded) {
    unit.diagnostics->error(Code::unsupported, declaration->name.span,
                            "functions in embedded C are not run by this version");
    return;
  }
  Scope& scope = info.scope;
  scope.result = &info.result;
  for (const ast::Parameter& param : declaration->params) {
    if (!scope.names.emplace(param.name.text, scope.locals.size()).second)
      unit.diagnostics->error(Code::duplicate, param.name.span,
                              fmt::format("parameter '{}' is declared twice", param.name.text));
    scope.locals.push_back({param.name.text, type_of(param.type)});
    scope.first_use.push_back(param.name.span);
    scope.assigned.push_back(true);
  }
  scope.params = scope.locals.size();
  if (declaration->body) scope.statements.push_back(declaration->body);
}

std::vector<std::string> function_names(const Unit& unit,
                                        const std::vector<const ast::File*>& library) {
  std::vector<std::string> names;
  for (const auto& [name, info] : unit.functions) names.push_back(name);
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

void reach(Unit& unit, const std::vector<const ast::Stmt*>& statements,
           const std::vector<const ast::File*>& library) {
  for (const ast::Stmt* s : statements) {
    auto call = [&](const ast::Expr& e) {
      auto* c = std::get_if<ast::Call>(&e.node);
      if (!c || unit.functions.count(c->function.text)) return;
      const std::string& name = c->function.text;
      if (const ast::Function* found = library_function(library, name)) {
        FunctionInfo* info = add_function(unit, found);
        open_function(unit, *info);
        reach(unit, info->scope.statements, library);
      } else if (!find_builtin(name)) {
        auto& error = unit.diagnostics->error(Code::unknown_function, c->function.span,
                                              fmt::format("there is no function '{}'", name));
        for (const auto& near : nearest(name, function_names(unit, library)))
          error.note(fmt::format("did you mean '{}'?", near));
      }
    };
    walk(*s, call);
    // A library's body names the library's globals.
    if (s->span.file && s->span.file->role() == SourceFile::Role::tapset)
      variables(*s, [&](const std::string& name, const Span&, bool) {
        if (unit.globals.count(name)) return;
        if (const ast::Global* global = library_global(library, name))
          add_global(unit, global, true);
      });
  }
}

void collect(Unit& unit, const ast::File& script, const std::vector<const ast::File*>& library) {
  std::vector<FunctionInfo*> functions;
  for (const auto& declaration : script.declarations)
    std::visit(Overloaded{
                   [&](ast::Global* g) { add_global(unit, g, false); },
                   [&](ast::Function* f) {
                     if (FunctionInfo* info = add_function(unit, f)) functions.push_back(info);
                   },
                   [&](ast::EmbeddedTop* c) { unit.program->embedded_top.push_back(c->code); },
                   [](const auto&) {},
               },
               declaration);
  for (FunctionInfo* info : functions) open_function(unit, *info);
  for (FunctionInfo* info : functions) reach(unit, info->scope.statements, library);
}

void declare_locals(Unit& unit, Scope& scope) {
  for (const ast::Stmt* s : scope.statements)
    variables(*s, [&](const std::string& name, const Span& span, bool assigned) {
      auto [at, fresh] = scope.names.emplace(name, scope.locals.size());
      if (fresh && unit.globals.count(name)) {
        scope.names.erase(at);
        return;
      }
      if (fresh) {
        scope.locals.push_back({name, Type::none});
        scope.first_use.push_back(span);
        scope.assigned.push_back(false);
      }
      if (assigned) scope.assigned[at->second] = true;
    });
}

}  // namespace stp::sema
