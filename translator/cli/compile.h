// The passes: from the text of a script to a module.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "build/module.h"
#include "cli/library.h"
#include "cli/options.h"
#include "sema/analyze.h"
#include "sema/program.h"
#include "support/diagnostics.h"
#include "support/source.h"
#include "syntax/ast.h"
#include "syntax/parser.h"
#include "target/target.h"

namespace stp::cli {

// With -v, one line to stderr for each pass: what it made and how long it took.
class Progress {
 public:
  explicit Progress(bool wanted) : wanted_(wanted) { begin(); }
  void begin() { start_ = std::chrono::steady_clock::now(); }
  // Ends the pass that begin(), or the last end(), started.
  void end(const std::string& what);
  bool wanted() const { return wanted_; }

 private:
  bool wanted_;
  std::chrono::steady_clock::time_point start_;
};

// What analyze() is told. Reports bad_option.
SemaOptions sema_options(const ScriptOptions&, Diagnostics&);
// -G names that the script does not have.
void check_globals(const SemaOptions&, const ast::File& script, Diagnostics&);

// Parse and resolve: what `stp check` does. Null when an error was reported.
std::unique_ptr<prog::Program> resolve(const SourceFile& script, const Target&,
                                       const ScriptOptions&, SourceMap&, Diagnostics&, Progress&);

// All passes. Empty when an error was reported.
// The program as C. Reports bad_regex.
std::string emit_program(const prog::Program&, const Target&, Diagnostics&);
// Where the script's own C is, for BuildOptions::embedded.
std::vector<Span> embedded_spans(const prog::Program&);

std::optional<BuiltModule> compile(const SourceFile& script, const Target&, const ScriptOptions&,
                                   SourceMap&, Diagnostics&, Progress&);

}  // namespace stp::cli
