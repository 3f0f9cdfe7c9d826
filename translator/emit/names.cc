// Names begin with what they name (g_ global, fn_ function, l_ local), so that no name of a script
// can be one of C's, of the runtime's, or of another kind.
#include "emit/names.h"

namespace stp::emit_c {

Names::Names(const prog::Program& program) : script_(program.name) {
  for (const prog::Global& g : program.globals)
    globals.push_back(unique_.unique("g_" + c_identifier(g.name)));
  for (const prog::Function& f : program.functions)
    functions.push_back(unique_.unique("fn_" + c_identifier(f.name)));
  for (size_t i = 0; i < program.probes.size(); ++i)
    probes.push_back(unique_.unique(fmt::format("probe_{}", i)));
  for (size_t i = 0; i < program.regexes.size(); ++i)
    regexes.push_back(unique_.unique(fmt::format("regex_{}", i)));
}

std::string Names::place_value(const Span& span) const {
  LineColumn at = span.file ? span.file->position(span.begin) : LineColumn{};
  return fmt::format("{{ {}, {}, {} }}", c_string(span.file ? span.file->name() : script_), at.line,
                     at.column);
}

std::string Names::place(const Span& span) {
  LineColumn at = span.file ? span.file->position(span.begin) : LineColumn{};
  auto [it, added] = places_.try_emplace({span.file, at.line, at.column});
  if (added) {
    it->second = unique_.unique(fmt::format("at_{}_{}", at.line, at.column));
    definitions_ +=
        fmt::format("static const struct stp_place {} = {};\n", it->second, place_value(span));
  }
  return "&" + it->second;
}

}  // namespace stp::emit_c
