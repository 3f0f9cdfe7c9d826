// Program to the C text of the script's one file. Asks nothing of anybody.
#pragma once

#include <string>

#include "sema/program.h"

namespace stp {

struct EmitOptions {
  // Texts for the ".stp.info" section.
  std::string release;
  std::string build_id;
};

std::string emit(const prog::Program&, const EmitOptions&);

}  // namespace stp
