// Text to tokens.
#pragma once

#include "support/source.h"
#include "syntax/token.h"

namespace stp {

// All tokens of a file, the last one of Kind::end. Nothing is reported: what is
// wrong hangs at the token concerned. Never fails, whatever the bytes are.
Tokens lex(const SourceFile&);

}  // namespace stp
