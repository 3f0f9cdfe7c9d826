// kernel.function("name@file:line") or kernel.function(ADDRESS) with .call, .return, .inline, .exported,
// .maxactive(n), .label("l"), .callee("f"), .callees; and kprobe.function("name"),
// kprobe.module("m").function("name"), which the running kernel looks up among its symbols.
//
// What the kernel forbids to probe is left out of wildcards, and is an error when it is named.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "probes/function_points.h"

namespace stp::probes {
namespace {

// Which words of a point ask for what DWARF alone has, and what that is.
struct Wanted {
  std::string_view what;
  Span where;
};

std::optional<Wanted> wants_dwarf(const Request& request) {
  if (request.has("inline")) return Wanted{"inlined functions", request.component("inline").span};
  if (request.has("label")) return Wanted{"labels", request.components.back().span};
  if (needs_dwarf(request)) return Wanted{"the calls of a function", request.components.back().span};
  auto* text = request.text("function");
  if (!text) return std::nullopt;
  auto [name, file, place] = split_place(*text);
  if (text->size() > name.size())
    return Wanted{place.empty() ? "source files" : "lines of the source",
                  request.component("function").arg_span};
  return std::nullopt;
}

void resolve_function(const Request& request, std::vector<Found>& found) {
  const types::Provider* provider = request.provider();
  if (!provider) return;
  if (auto wanted = wants_dwarf(request); wanted && provider->source() != "dwarf") {
    request.diagnostics
        .error(Code::no_debuginfo, wanted->where,
               fmt::format("{} are known to DWARF debug information alone", wanted->what))
        .note(fmt::format("apt-get install linux-image-{}-dbg", request.target.release));
    return;
  }
  FunctionImage image{
      *provider, image_of(*provider), request.components,
      [forbidden = ForbiddenText(*provider)](const types::Function& f) {
        return forbidden.at(f.address);
      }};
  resolve_functions(request, image, found);
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

// As the kernel's table of symbols names it: "my_module:f".
std::string symbol_in_module(std::string module, const std::string& name) {
  std::replace(module.begin(), module.end(), '-', '_');
  return module + ":" + name;
}

// What debug information says against it, if there is any: a name that it does not know may be a
// module's.
std::string forbidden_symbol(const Request& request, const std::string& name) {
  size_t mark = request.diagnostics.mark();
  const types::Provider* provider = request.provider();
  request.diagnostics.rewind(mark);
  auto address = provider ? provider->symbol(name) : std::nullopt;
  return address ? ForbiddenText(*provider).at(*address) : "";
}

void resolve_symbol(const Request& request, std::vector<Found>& found) {
  const std::string& name = *request.text("function");
  auto* module = request.text("module");
  Found f{};
  f.point.kind = request.has("return") ? prog::PointKind::function_return : prog::PointKind::entry;
  f.point.symbol = module ? symbol_in_module(*module, name) : name;
  f.point.name = spell(request.components);
  f.point.function = name;
  bool wild_module = module && has_wildcard(*module);
  if (wild_module || has_wildcard(name)) {
    request.diagnostics.error(
        Code::unsupported, request.component(wild_module ? "module" : "function").arg_span,
        fmt::format("kprobe probes take names without wildcards; use {}",
                    module ? "module(\"m\").function" : "kernel.function"));
    return;
  }
  if (std::string what = module ? "" : forbidden_symbol(request, name); !what.empty()) {
    request.diagnostics.error(Code::forbidden_place, request.component("function").arg_span,
                              fmt::format("'{}' cannot be probed: it is {}", name, what));
    return;
  }
  found.push_back(std::move(f));
}

}  // namespace

std::span<const Kind> function_kinds() {
  static const std::vector<Kind> table = [&] {
    std::vector<Kind> rows;
    for (Arg arg : {Arg::string, Arg::number}) {
      const Part function{"function", arg};
      rows.insert(rows.end(),
                  {{{function}, resolve_function},
                   {{function, {"call"}}, resolve_function},
                   {{function, {"inline"}}, resolve_function},
                   {{function, {"exported"}}, resolve_function},
                   {{function, {"return"}}, resolve_function},
                   {{function, {"return"}, {"maxactive", Arg::number}}, resolve_maxactive}});
      for (std::vector<Part> form : forms_inside_functions()) {
        form.insert(form.begin(), function);
        rows.push_back({std::move(form), resolve_function});
      }
    }
    return in_images(rows);
  }();
  return table;
}

std::span<const Kind> symbol_kinds() {
  const Part kprobe{"kprobe"}, module{"module", Arg::string}, function{"function", Arg::string};
  static const std::vector<Kind> table = {
      {{kprobe, function}, resolve_symbol},
      {{kprobe, function, {"call"}}, resolve_symbol},
      {{kprobe, function, {"return"}}, resolve_symbol},
      {{kprobe, module, function}, resolve_symbol},
      {{kprobe, module, function, {"call"}}, resolve_symbol},
      {{kprobe, module, function, {"return"}}, resolve_symbol},
  };
  return table;
}

}  // namespace stp::probes
