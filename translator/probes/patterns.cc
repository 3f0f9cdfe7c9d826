// Texts of probe points that name nothing, whatever the kernel has: an empty name, a '@' without a function or a
// file. They would match nothing, or everything, and neither says what is wrong.
#include <fmt/format.h>

#include <optional>

#include "probes/kind.h"
#include "probes/source_lines.h"

namespace stp::probes {
namespace {

struct Fault {
  std::string what, advice;
};

// "function@file:line".
std::optional<Fault> fault_of_place(const std::string& name, const std::string& text, bool of_kernel) {
  PlacePattern place = split_place(text);
  bool has_file = text.find('@') != text.npos;
  if (place.function.empty())
    return Fault{fmt::format("'{}' names no function", text), fmt::format("'*{}' is all of them", text)};
  if (has_file && place.file.empty())
    return Fault{fmt::format("no file is named behind the '@' of '{}'", text),
                 fmt::format("it is written {}(\"FUNCTION@FILE{}\")", name, place.place.empty() ? "" : ":LINE")};
  // C++ has such names.
  if (of_kernel && !has_file && text.find_first_of(":+") != text.npos)
    return Fault{fmt::format("'{}' is no function: a line or an offset needs the file", text),
                 fmt::format("it is written {}(\"FUNCTION@FILE:LINE\")", name)};
  return std::nullopt;
}

// "subsystem:name".
std::optional<Fault> fault_of_tracepoint(const std::string& text) {
  size_t colon = text.find(':');
  std::string advice = "it is written trace(\"NAME\") or trace(\"SUBSYSTEM:NAME\")";
  if (text.empty() || colon + 1 == text.size())
    return Fault{fmt::format("'{}' names no tracepoint", text), advice};
  if (colon == 0) return Fault{fmt::format("'{}' names no subsystem", text), advice};
  if (colon != text.npos && text.find(':', colon + 1) != text.npos)
    return Fault{fmt::format("'{}' has more than one ':'", text), advice};
  return std::nullopt;
}

std::optional<Fault> fault_of(const std::string& name, const std::string& text, bool of_kernel) {
  if (name == "trace") return fault_of_tracepoint(text);
  if (name == "function" || name == "statement" || name == "callee") return fault_of_place(name, text, of_kernel);
  if ((name == "module" || name == "label" || name == "library") && text.empty())
    return Fault{fmt::format("{}(\"\") names nothing", name), fmt::format("{}(\"*\") is any", name)};
  return std::nullopt;
}

}  // namespace

bool are_well_formed(const std::vector<ast::Component>& components, Diagnostics& d) {
  bool of_kernel = components.front().name != "process", by_symbol = components.front().name == "kprobe";
  for (const ast::Component& c : components) {
    auto* text = std::get_if<std::string>(&c.arg);
    if (!text) continue;
    auto fault = fault_of(c.name, *text, of_kernel);
    // The running kernel's symbols know no files.
    if (by_symbol && (text->empty() || text->find_first_of("@ ") != text->npos))
      fault = Fault{fmt::format("'{}' is not the name of a symbol", *text), "kernel.function() knows files and wildcards"};
    if (!fault) continue;
    d.error(Code::bad_probe_point, c.arg_span, fault->what).note(fault->advice);
    return false;
  }
  return true;
}

}  // namespace stp::probes
