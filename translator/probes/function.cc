// kernel.function("name@file") with .call, .return, .inline, .exported, .maxactive(n); and
// kprobe.function("name"), which asks the symbol table alone.
//
// Without a suffix a function means its own entry and every inlined copy of it. What the kernel
// forbids to probe is left out of wildcards, and is an error when it is named.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "probes/kind.h"

namespace stp::probes {
namespace {

using types::Function;

struct Pattern {
  std::string function, file, place;  // "f@file:place"
};

Pattern split(const std::string& text) {
  Pattern p;
  size_t at = text.find('@');
  p.function = text.substr(0, at);
  if (at == std::string::npos) return p;
  p.file = text.substr(at + 1);
  if (size_t mark = p.file.find_last_of(":+"); mark != std::string::npos) {
    p.place = p.file.substr(mark);
    p.file.resize(mark);
  }
  return p;
}

// kernel.function("vfs_read@fs/read_write.c:450").call
std::string full_name(const Request& request, const Function& f) {
  std::vector<ast::Component> components = request.components;
  std::string text = f.name;
  if (!f.file.empty()) text += "@" + f.file;
  if (!f.file.empty() && f.line) text += fmt::format(":{}", f.line);
  components[1].arg = text;
  return spell(components);
}

void report_none(const Request& request, const types::Provider& provider, const Pattern& pattern,
                 bool known) {
  const ast::Component& component = request.component("function");
  if (known) {
    request.diagnostics.error(
        Code::no_match, component.arg_span,
        fmt::format("function '{}' has no {} here", pattern.function,
                    request.has("inline")     ? "inlined copies"
                    : request.has("exported") ? "name outside of its file"
                                              : "code of its own: it is inlined"));
    return;
  }
  std::string where = pattern.file.empty() ? "" : fmt::format(" in '{}'", pattern.file);
  auto& error = request.diagnostics.error(
      Code::no_match, component.arg_span,
      fmt::format("no function '{}'{} in {}", pattern.function, where, image_of(provider)));
  if (!has_wildcard(pattern.function) && request.diagnostics.suggests())
    for (const auto& near : nearest(pattern.function, provider.function_names()))
      error.note(fmt::format("did you mean '{}'?", near));
}

// Code of a module that is gone when the module runs, or that runs when it goes: no wildcard means
// that.
bool is_passing(const types::Provider& provider, uint64_t address) {
  auto section = provider.section_at(address);
  return section && (section->name == ".init.text" || section->name == ".exit.text");
}

bool wanted(const Request& request, const Function& f) {
  if (request.has("inline")) return f.inlined;
  if (request.has("call") || request.has("return")) return !f.inlined;
  if (request.has("exported")) return !f.inlined && f.is_global;
  return true;
}

Found found_function(const Request& request, const Function& f) {
  Found found{};
  prog::Point& point = found.point;
  bool at_return = request.has("return");
  point.kind = at_return   ? prog::PointKind::function_return
               : f.inlined ? prog::PointKind::statement
                           : prog::PointKind::entry;
  point.address = f.address;
  point.symbol = f.symbol.empty() ? f.name : f.symbol;
  point.name = full_name(request, f);
  point.function = f.name;
  point.file = f.file;
  point.line = f.line;
  point.number = at_return ? request.number("maxactive").value_or(0) : 0;
  found.surroundings.kind = at_return ? Surroundings::Kind::at_return : Surroundings::Kind::place;
  found.surroundings.place = {f, f.address, true};
  return found;
}

void resolve_function(const Request& request, std::vector<Found>& found) {
  const types::Provider* provider = request.provider();
  if (!provider) return;
  Pattern pattern = split(*request.text("function"));
  if (request.has("inline") && provider->source() != "dwarf") {
    request.diagnostics
        .error(Code::no_debuginfo, request.component("inline").span,
               "inlined functions are known to DWARF debug information alone")
        .note(fmt::format("apt-get install linux-image-{}-dbg", request.target.release));
    return;
  }
  auto functions = provider->functions({pattern.function, pattern.file, true});
  std::set<std::pair<uint64_t, std::string>> seen;
  std::string forbidden;
  bool any = false;
  for (const Function& f : functions) {
    if (!wanted(request, f)) continue;
    if (has_wildcard(pattern.function) && is_passing(*provider, f.address)) continue;
    // One address has one handler run, however many names it has.
    if (f.address && !seen.insert({f.address, f.inlined ? f.name : ""}).second) continue;
    if (std::string what = forbidden_text(*provider, f.address); f.address && !what.empty()) {
      forbidden = what;
      continue;
    }
    found.push_back(found_function(request, f));
    any = true;
  }
  if (any) return;
  if (!forbidden.empty())
    request.diagnostics.error(
        Code::forbidden_place, request.component("function").arg_span,
        fmt::format("'{}' cannot be probed: it is {}", pattern.function, forbidden));
  else
    report_none(request, *provider, pattern, !functions.empty());
}

void resolve_maxactive(const Request& request, std::vector<Found>& found) {
  int64_t n = *request.number("maxactive");
  if (n < 1 || n > 1'000'000) {
    request.diagnostics.error(Code::bad_interval, request.component("maxactive").arg_span,
                              fmt::format("maxactive({}) is not between 1 and 1000000", n));
    return;
  }
  resolve_function(request, found);
}

// "f@file:line" and its kin mean statements.
void resolve(const Request& request, std::vector<Found>& found) {
  if (!split(*request.text("function")).place.empty())
    resolve_statement_text(request, *request.text("function"),
                           request.component("function").arg_span, found);
  else
    resolve_function(request, found);
}

void resolve_symbol(const Request& request, std::vector<Found>& found) {
  const std::string& name = *request.text("function");
  Found f{};
  f.point.kind = request.has("return") ? prog::PointKind::function_return : prog::PointKind::entry;
  f.point.symbol = name;
  f.point.name = spell(request.components);
  f.point.function = name;
  if (has_wildcard(name)) {
    request.diagnostics.error(
        Code::unsupported, request.component("function").arg_span,
        "kprobe.function takes a name without wildcards; use kernel.function");
    return;
  }
  found.push_back(std::move(f));
}

}  // namespace

std::span<const Kind> function_kinds() {
  const Part function{"function", Arg::string};
  static const std::vector<Kind> table = in_images({
      {{function}, resolve},
      {{function, {"call"}}, resolve_function},
      {{function, {"inline"}}, resolve_function},
      {{function, {"exported"}}, resolve_function},
      {{function, {"return"}}, resolve_function},
      {{function, {"return"}, {"maxactive", Arg::number}}, resolve_maxactive},
  });
  return table;
}

std::span<const Kind> symbol_kinds() {
  const Part kprobe{"kprobe"}, function{"function", Arg::string};
  static const std::vector<Kind> table = {
      {{kprobe, function}, resolve_symbol},
      {{kprobe, function, {"call"}}, resolve_symbol},
      {{kprobe, function, {"return"}}, resolve_symbol},
  };
  return table;
}

}  // namespace stp::probes
