// What happens to a file's tokens before they are parsed.
#pragma once

#include <string>
#include <vector>

#include "syntax/parser.h"
#include "syntax/token.h"

namespace stp {

struct Preprocessed {
  Tokens tokens;                    // the last one is of Kind::end; none is Kind::bad
  std::vector<std::string> macros;  // every name an @name could have meant
  size_t used_args = 0;             // see parse()
};

// Lexes `file`, puts in the arguments, expands macros, decides conditionals, and
// reports what is wrong with the tokens that are left.
Preprocessed preprocess(const SourceFile& file, const PreprocessorContext&, const MacroLibrary&,
                        SourceMap&, Diagnostics&);

}  // namespace stp
