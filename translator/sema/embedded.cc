// Embedded C is transcribed, not understood; what the translator looks for in it are the pragmas that name
// globals, because these must be locked while the C runs (language reference, 3.8).
#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "sema/scope.h"

namespace stp::sema {

prog::EmbeddedC embedded_c(Unit& unit, const std::string& code, const Span& span) {
  prog::EmbeddedC c{code, span};
  static const std::regex pragma(R"(/\*\s*pragma:(read|write):([A-Za-z_$][A-Za-z0-9_$]*)\s*\*/)");
  for (std::sregex_iterator at(code.begin(), code.end(), pragma), end; at != end; ++at) {
    std::string name = (*at)[2];
    GlobalInfo* global = unit.find_global(name, span);
    if (!global) {
      unit.diagnostics->error(Code::unknown_name, span,
                              fmt::format("a pragma names '{}', and there is no such global", name));
      continue;
    }
    global->used = true;
    auto known = std::find_if(c.globals.begin(), c.globals.end(),
                              [&](const auto& use) { return use.global == global->index; });
    if (known == c.globals.end())
      known = c.globals.insert(known, {global->index, false, false});
    ((*at)[1] == "read" ? known->read : known->write) = true;
  }
  return c;
}

void check_pragmas(Diagnostics& d, const std::string& code, const Span& span) {
  auto has = [&](const char* pragma) { return code.find(pragma) != code.npos; };
  if (has("/* stable */") && !has("/* pure */"))
    d.error(Code::bad_declaration, span,
            "a function whose result is stable has no effect either: it must say /* pure */ as well");
}

prog::Type embedded_type(const ast::EmbeddedExpr& x) {
  bool string = x.code.find("/* string */") != std::string::npos;
  return string ? prog::Type::string : prog::Type::number;
}

}  // namespace stp::sema
