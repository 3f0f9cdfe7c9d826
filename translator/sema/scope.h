// Names and what they stand for, while a script is being resolved.
//
// A function or handler has one scope: a local variable belongs to all of it, wherever it is first
// assigned, as in SystemTap. Types fill in as they are inferred (types.h); prog::Type::none means
// not known yet.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sema/program.h"
#include "support/diagnostics.h"
#include "syntax/ast.h"
#include "types/sources.h"

namespace stp::sema {

struct GlobalInfo {
  const ast::Global* declaration = nullptr;
  bool tapset = false;
  bool used = false;
  bool indexed = false;  // an array: its declaration or its first use says so
  bool scalar = false;   // its first use says so
  Span shape_from;       // what asked for its histogram
  // The uses that told the types of its value and of its keys.
  Span told;
  std::vector<Span> keys_told;
  size_t index = 0;      // into Program::globals, which has the types
};

// A body: a function's, or a handler's with the prologues and epilogues of its aliases.
struct Scope {
  std::vector<const ast::Stmt*> statements;
  std::map<std::string, size_t> names;  // into locals
  std::vector<prog::Local> locals;
  std::vector<Span> first_use;
  std::vector<Span> told;  // by which use its type is known
  std::vector<bool> assigned;
  size_t params = 0;
  // Expression statements whose value nobody reads (unread.cc); true: they have no effect at all.
  std::map<const ast::Stmt*, bool> unread;
  bool has_text = false;  // $value is a string
  prog::Type* result = nullptr;  // of a function; null in a handler
  Span* result_told = nullptr;
};

struct FunctionInfo {
  const ast::Function* declaration;
  size_t index;  // into Program::functions
  Scope scope;
  bool has_next = false;  // may hand the call on to the next overload
  bool taken = false;     // of one that each probe has a copy of: some probe has this one
};

// The types of a function of the library that the script's hides; none where nothing tells.
struct HiddenFunction {
  prog::Type result = prog::Type::none;
  std::vector<prog::Type> params;
};

// The functions of one name and number of parameters: overloads, in the order in which a call tries
// them. All have the same types.
struct FunctionGroup {
  std::string name;
  std::vector<std::unique_ptr<FunctionInfo>> overloads;
  std::vector<prog::Type> params;
  prog::Type result = prog::Type::none;
  // The uses that told these types.
  std::vector<Span> params_told;
  Span result_told;
  // What is called: the only overload, or a function that tries one after the other. Set by
  // close_groups().
  size_t index = 0;
  bool dispatches = false;
  size_t tried = 1;  // so many overloads can be reached
  bool unread = false;  // called only where nobody reads the result (find_unread())
  bool of_probes = false;  // names variables of the probed code: each probe has a copy (find_probe_functions())
  // The call that first led here, and the function it stands in (null: a probe).
  Span called_from;
  const FunctionGroup* caller = nullptr;
  std::optional<HiddenFunction> hides;
};

// A handler to be made into one or more Probes.
struct HandlerInfo {
  const ast::Probe* declaration;
  Scope scope;
};

// Everything of the script and of the library that the script uses.
struct Unit {
  prog::Program* program;
  const ast::File* script = nullptr;
  Diagnostics* diagnostics;
  size_t reach_depth = 0;
  const FunctionGroup* reaching = nullptr;  // whose calls are being followed
  // A private name of the library is followed by '@' and its file.
  std::map<std::string, GlobalInfo> globals;
  std::map<std::pair<std::string, size_t>, std::unique_ptr<FunctionGroup>> functions;
  std::vector<std::unique_ptr<HandlerInfo>> handlers;
  std::set<std::string> shared;  // globals that the library declares for everybody
  std::set<const ast::Stmt*> left_out;  // unread and wrong: the warning was given
  // Where those types were told of which a value was given that has the other type: uses that do not
  // agree with one are no news.
  std::set<std::pair<const SourceFile*, uint32_t>> doubted = {};
  std::set<std::string> counters = {};  // that @perf() may name
  bool addresses = false;  // a variable is at a link-time address
  std::vector<std::pair<size_t, size_t>> copies;  // a probe's own copy of a function, and the function
  types::Sources* sources;
  std::vector<const types::Provider*> modules = {};  // that the program's sections are of

  prog::Global& global(const GlobalInfo& g) { return program->globals[g.index]; }
  // What the name means where `at` is: a file's private one before everybody's. Null: nothing.
  GlobalInfo* find_global(const std::string& name, const Span& at);
  FunctionGroup* find_function(const std::string& name, size_t arity, const Span& at);
  // Point::section and Loc::section of an address that `provider` gave; enters the section into the
  // program's list.
  uint32_t section_of(const types::Provider& provider, uint64_t address);
  // The numbers of parameters that functions of this name have.
  std::vector<size_t> arities(const std::string& name) const;
};

// The name under which a private declaration of the library's file is kept.
std::string private_name(const std::string& name, const SourceFile* file);
// The file that a place belongs to, through the macros that led there.
const SourceFile* home(const Span&);

// Declares the script's globals. Functions come in as they are reached. Reports duplicates.
void collect(Unit&, const ast::File& script);
// Notes which globals the library declares for everybody.
void note_shared(Unit&, const std::vector<const ast::File*>& library);
// Fills in a scope's locals: every name in its statements that is no global.
void declare_locals(Unit&, Scope&);
// Brings in the functions that a scope's statements call, of the script and of the library, and the
// library's globals that they name. What nobody reaches is not looked at. Reports unknown functions.
void reach(Unit&, const Scope&, const std::vector<const ast::File*>& library);

// The code with the globals that its pragmas (pragma:read:NAME, pragma:write:NAME) name. Reports
// unknown ones.
prog::EmbeddedC embedded_c(Unit&, const std::string& code, const Span&);
// Reports pragmas of a function in C that do not go together.
void check_pragmas(Diagnostics&, const std::string& code, const Span&);
// A number, or a string where the C says so with a comment (language reference, 3.8).
prog::Type embedded_type(const ast::EmbeddedExpr&);
// To errors in a function of the library since `mark`, how the script came to it.
void note_calls(Diagnostics&, size_t mark, const FunctionGroup&);
// When all that is reached is known: which functions calls go to.
void close_groups(Unit&);
// Then: which functions name variables of the probed code, or call one that does.
void find_probe_functions(Unit&);
// Which statements compute what nobody reads. Not with -u.
void find_unread(Unit&);
// The script's functions against those of the library that they hide; after infer_types().
void check_hidden_functions(Unit&);
// Whether errors were reported since `mark`, and matter only to who reads the value.
bool has_errors_of_value(const Diagnostics&, size_t mark);
bool calls_probe_functions(Unit&, const std::vector<const ast::Stmt*>&);

// "number", "string", "statistic".
const char* name_of(prog::Type);

}  // namespace stp::sema
