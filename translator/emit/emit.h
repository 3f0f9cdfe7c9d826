// Program to the C text of the script's one file. Asks nothing of anybody but re2c.
#pragma once

#include <string>

#include "sema/program.h"

namespace stp {

struct EmitOptions {
  // Texts for the ".stp.info" section.
  std::string release;
  std::string build_id;
};

// An expression of Program::regexes that needs too many states.
struct RegexTooLarge {
  size_t index;
};

// Throws RegexTooLarge.
std::string emit(const prog::Program&, const EmitOptions&);

}  // namespace stp
