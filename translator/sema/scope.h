// Names and what they stand for, while a script is being resolved.
//
// A function or handler has one scope: a local variable belongs to all of it, wherever it is first
// assigned, as in SystemTap. Types fill in as they are inferred (types.h); prog::Type::none means
// not known yet.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sema/program.h"
#include "support/diagnostics.h"
#include "syntax/ast.h"

namespace stp::sema {

struct GlobalInfo {
  const ast::Global* declaration = nullptr;
  bool tapset = false;
  bool used = false;
  bool indexed = false;  // an array
  Span shape_from;       // what asked for its histogram
  size_t index = 0;      // into Program::globals, which has the types
};

// A body: a function's, or a handler's with the prologues and epilogues of its aliases.
struct Scope {
  std::vector<const ast::Stmt*> statements;
  std::map<std::string, size_t> names;  // into locals
  std::vector<prog::Local> locals;
  std::vector<Span> first_use;
  std::vector<bool> assigned;
  size_t params = 0;
  prog::Type* result = nullptr;  // of a function; null in a handler
  bool returns_value = false;
};

struct FunctionInfo {
  const ast::Function* declaration;
  size_t index;  // into Program::functions
  prog::Type result = prog::Type::none;
  Scope scope;
};

// A handler to be made into one or more Probes.
struct HandlerInfo {
  const ast::Probe* declaration;
  Scope scope;
};

// Everything of the script and of the library that the script uses.
struct Unit {
  prog::Program* program;
  Diagnostics* diagnostics;
  std::map<std::string, GlobalInfo> globals;
  std::map<std::string, std::unique_ptr<FunctionInfo>> functions;
  std::vector<std::unique_ptr<HandlerInfo>> handlers;

  prog::Global& global(const GlobalInfo& g) { return program->globals[g.index]; }
};

// Declares what the script has and, of the library, what the script reaches: functions by their
// calls, globals by their names. Reports duplicates and unknown functions.
void collect(Unit&, const ast::File& script, const std::vector<const ast::File*>& library);
// Fills in a scope's locals: every name in its statements that is no global.
void declare_locals(Unit&, Scope&);
// Brings in the functions and globals that these statements reach.
void reach(Unit&, const std::vector<const ast::Stmt*>& statements,
           const std::vector<const ast::File*>& library);

// "number", "string", "statistic".
const char* name_of(prog::Type);

}  // namespace stp::sema
