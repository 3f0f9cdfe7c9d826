// @define: macros with and without parameters.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/diagnostics.h"
#include "syntax/parser.h"
#include "syntax/token.h"

namespace stp {

struct Macro {
  std::string name;
  std::vector<std::string> params;
  Tokens body;          // without the end token
  Span span;            // the name, at its definition
  bool broken = false;  // an error was reported; uses shall not cause further ones
};

using MacroMap = std::map<std::string, std::unique_ptr<Macro>>;

// Takes the @define blocks out of `tokens` into `macros` and returns the rest. Names
// defined twice are errors, and the first definition counts.
Tokens take_definitions(Tokens tokens, MacroMap& macros, Diagnostics&);

// Replaces every use of a macro of `local`, or else of `library`, by its tokens, which
// then carry the place of the use as `via`. An @name that is no macro is left alone.
Tokens expand_macros(Tokens tokens, const MacroMap& local, const MacroLibrary& library, SourceMap&,
                     Diagnostics&);

}  // namespace stp
