// What the parts of the C file call each other: one name for each thing of the Program, and the
// places that errors name.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "emit/text.h"
#include "optimize/uses.h"
#include "sema/program.h"

namespace stp::emit_c {

struct Names {
  explicit Names(const prog::Program&);

  std::vector<std::string> globals, functions, probes, regexes;
  // `&at_3_7`: a pointer to the stp_place of a span's beginning.
  std::string place(const Span&);
  // The same place as an initialiser: `{ "x.stp", 3, 7 }`.
  std::string place_value(const Span&) const;
  // Definitions of all places asked for so far.
  const std::string& place_definitions() const { return definitions_; }

 private:
  std::string script_;
  UniqueNames unique_;
  std::map<std::tuple<const SourceFile*, uint32_t, uint32_t>, std::string> places_;
  // In the order of first use: the text must not depend on where files lie in memory.
  std::string definitions_;
};

}  // namespace stp::emit_c
