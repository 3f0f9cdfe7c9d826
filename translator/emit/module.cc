// The C file, from top to bottom: this is its table of contents.
//
// The text of bodies is written first, because it tells which places, frames and temporaries there
// are; then the parts are put in the order that C wants. What never changes is in runtime/script.h,
// not here. The file depends on the Program alone: the same script gives the same bytes, which the
// cache of modules is keyed by.
#include <algorithm>

#include "emit/body.h"
#include "emit/emit.h"
#include "regex/matcher.h"

namespace stp {

using namespace emit_c;

namespace {

// Strings that the script owns, and warnings that would be about the script and not about us.
constexpr const char* head = R"(/* {comment}: made by stp; #line leads to the script. */
{include}#include "script.h"
#include "builtins.h"
{embedded}#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wbool-compare"
#pragma GCC diagnostic ignored "-Wbool-operation"
#pragma GCC diagnostic ignored "-Wint-in-bool-context"
#pragma GCC diagnostic ignored "-Wtautological-compare"
#pragma GCC diagnostic ignored "-Woverflow"

struct owned {{ u32 len; char text[{size}]; }} __attribute__((aligned(8)));
#define OWNED(field) ((struct stp_text *)&(field))

)";

std::string one_line(std::string text) {
  for (char& ch : text)
    if (ch == '*' || ch == '\n') ch = ' ';
  return text;
}

void append(std::string& prototypes, std::string& definitions, const Written& written) {
  prototypes += written.prototype;
  definitions += written.definition;
}

// #line back to the C file itself, for what follows `text`.
std::string own_line(const std::string& text) {
  return fmt::format("#line {} \"script.c\"\n", std::count(text.begin(), text.end(), '\n') + 2);
}

// One regular expression.
std::string finder(const Module& module, size_t index) try {
  const prog::Regex& r = module.program.regexes[index];
  return fmt::format("\n/* the regular expression {} */\n{}", one_line(c_string(r.text)),
                     regex::matcher(module.names.regexes[index], r.pattern,
                                    module.program.keeps_match));
} catch (const regex::TooLarge&) {
  throw RegexTooLarge{index};
}

}  // namespace

std::string emit(const prog::Program& program, const EmitOptions& options) {
  Module module(program);

  // Bodies, and the structs of what returns keep from their calls.
  std::vector<Written> functions, handlers;
  std::string prototypes, definitions;
  for (size_t i = 0; i < program.functions.size(); ++i) {
    functions.push_back(write_function(module, i));
    append(prototypes, definitions, functions.back());
  }
  for (size_t i = 0; i < program.probes.size(); ++i) {
    handlers.push_back(write_entry_handler(module, i));
    append(prototypes, definitions, handlers.back());
    handlers.push_back(write_handler(module, i));
    append(prototypes, definitions, handlers.back());
  }
  for (size_t i = 0; i < program.gates.size(); ++i) {
    handlers.push_back(write_gate(module, i));
    append(prototypes, definitions, handlers.back());
  }
  Depths limits = depths(module, functions, handlers);

  // The order that C wants: variables, places, declarations, bodies, tables.
  std::string text = fmt::format(fmt::runtime(head), fmt::arg("comment", one_line(program.name)),
                                 fmt::arg("include", program.has_embedded_c() ? "#include \"embedded.h\"\n" : ""),
                                 fmt::arg("embedded", embedded_top(module)),
                                 fmt::arg("size", owned_bytes(program) - sizeof(uint32_t)));
  text += globals_text(module);
  for (size_t i = 0; i < program.regexes.size(); ++i) text += finder(module, i);
  if (program.has_embedded_c())
    text += fmt::format("#undef MAXSTRINGLEN\n#define MAXSTRINGLEN {}\n",
                        program.limits.string_size) +
            embedded_access(module);
  text += "\n" + module.names.place_definitions() + "\n" + prototypes + definitions;
  text += own_line(text);
  text += sections_text(program, options.release, options.build_id);
  text += tables_text(module, limits);
  return text;
}

}  // namespace stp
