// Names, types, tapset linking, alias expansion, probe resolution: AST to Program.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sema/program.h"
#include "support/diagnostics.h"
#include "syntax/ast.h"
#include "syntax/parser.h"
#include "target/target.h"
#include "types/sources.h"

namespace stp {

struct SemaOptions {
  bool guru = false;
  bool suppress_warnings = false;              // -w
  std::map<std::string, std::string> globals;  // -G name=value: initial values
  bool unoptimized = false;                    // -u
  prog::Limits limits;                         // -D
  std::vector<std::string> modules;            // -d: to tell lines and inlined functions of
  bool display_globals = true;                 // what is written and never read, at the end
};

// The whole script with its library. `library` holds every tapset file; only what the script
// uses comes in. Errors go to the diagnostics, as many as can be found; the Program is
// usable only when none was reported.
std::unique_ptr<prog::Program> analyze(const ast::File& script,
                                       const std::vector<const ast::File*>& library, const Target&,
                                       types::Sources&, const SemaOptions&, Diagnostics&);

// The points that a probe point expands to, for `stp list`; with their variables when asked for.
struct ListedVariable {
  std::string name;
  const types::Type* type;  // null: void
  std::string place;        // in words: where it is, or why it has no value
  // Of a local variable that the point gives a value to: "string" or "long". It has no `type`.
  std::string script_type = {};
  bool has_value = true;  // at this point; false: the compiler keeps none here
  std::string text() const;  // "$file:struct file *", "name:string"
  std::string text_with_place() const;  // "$file: struct file *, in rdi"
};
struct ListedPoint {
  prog::Point point;
  std::vector<ListedVariable> variables;
  std::string alias = {};  // that a wildcard found
};
std::vector<ListedPoint> list_points(const ast::ProbePoint&,
                                     const std::vector<const ast::File*>& library, const Target&,
                                     types::Sources&, bool with_variables, Diagnostics&);

}  // namespace stp
