// Probes of the script: aliases expanded, points resolved, handlers lowered.
#pragma once

#include <vector>

#include "probes/kind.h"
#include "sema/analyze.h"
#include "sema/scope.h"

namespace stp::sema {

// Where probe points lead, before anything is lowered.
struct ExpandedPoint {
  const ast::ProbePoint* written;
  // What could have been written instead of wildcards in the name of an alias; empty: no such name led here.
  std::string alias = {};
  // Bodies of the aliases on the way, outermost first: before the handler, and behind it.
  std::vector<const ast::Stmt*> prologues, epilogues;
  std::vector<const ast::Expr*> conditions;  // if (...)
  std::vector<probes::Found> found;
  bool sufficient = false;
};

struct Context {
  const std::vector<const ast::File*>& files;  // the script, then the library
  const Target& target;
  types::Sources& sources;
  bool guru;
};

// All that a probe point means: aliases followed, wildcards expanded. Reports what leads nowhere.
std::vector<ExpandedPoint> expand(const ast::ProbePoint&, const Context&, Diagnostics&);
// Of a list: what is behind a point that sufficed (`!`) is left out; one that may be absent (`?`)
// is absent without an error.
std::vector<ExpandedPoint> expand(const std::vector<ast::ProbePoint*>&, const Context&,
                                  Diagnostics&);

// The script's probes, each with its points and its scope, ready for type inference.
struct PendingProbe {
  const ast::Probe* declaration;
  std::vector<ExpandedPoint> points;  // that share the body
  HandlerInfo* handler;               // in the Unit
};
std::vector<PendingProbe> collect_probes(Unit&, const ast::File& script, const Context&);

// Tells the scopes of handlers which of their locals the points give a value to, and of which type.
void declare_script_variables(Unit&, const std::vector<PendingProbe>&);
// The names that @perf() may have.
void collect_counters(Unit&, const std::vector<PendingProbe>&);
// Whether the handler names one that differs from point to point.
bool names_parameters(const PendingProbe&);

// True when they name the probed code's variables or types.
bool has_targets(const std::vector<const ast::Stmt*>& statements);

// Lowers them into Program::probes: one for each set of places that variables have.
void lower_probes(Unit&, const std::vector<PendingProbe>&, const Context&);

}  // namespace stp::sema
