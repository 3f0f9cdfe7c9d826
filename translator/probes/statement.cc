// kernel.statement("function@file:line"), with :*, :N-M and +N, and kernel.statement(ADDRESS): an
// instruction in the middle of code. Lines are known to DWARF alone, which also tells whether one
// begins at an address. With .absolute, or as kprobe.statement, the address is the running kernel's.
#include <fmt/format.h>

#include <optional>
#include <set>

#include "probes/source_lines.h"

namespace stp::probes {
namespace {

Found found_statement(const Request& request, const types::Statement& s) {
  Found found{};
  found.point.kind = prog::PointKind::statement;
  found.point.address = s.address;
  found.point.symbol = s.function.symbol.empty() ? s.function.name : s.function.symbol;
  found.point.offset = static_cast<uint32_t>(s.address - s.function.address);
  found.point.function = s.function.name;
  found.point.file = s.file;
  found.point.line = s.line;
  std::vector<ast::Component> components = request.components;
  for (ast::Component& c : components)
    if (c.name == "statement" || c.name == "function")
      c.arg = fmt::format("{}@{}:{}", s.function.name, s.file, s.line);
  found.point.name = spell(components);
  found.surroundings.kind = Surroundings::Kind::place;
  found.surroundings.place = {s.function, s.address, s.address == s.function.address};
  return found;
}

void report(const Request& request, const types::Provider& provider, const std::string& text,
            const Span& span, const types::Lack& lack) {
  if (lack.kind == types::Lack::Kind::dwarf) {
    request.diagnostics
        .error(Code::no_debuginfo, span,
               "lines of the source are known to DWARF debug information alone")
        .note(fmt::format("apt-get install linux-image-{}-dbg", request.target.release));
    return;
  }
  auto& error = request.diagnostics.error(
      Code::no_match, span,
      lack.detail.empty() ? fmt::format("no code for '{}' in {}", text, image_of(provider))
                          : lack.detail);
  for (const auto& near : lack.alike()) error.note(fmt::format("did you mean '{}'?", near));
}

void resolve_text(const Request& request, std::vector<Found>& found) {
  resolve_statement_text(request, *request.text("statement"),
                         request.component("statement").arg_span, found);
}

void resolve_nearest(const Request& request, std::vector<Found>& found) {
  resolve_text(request, found);
}

void resolve_address(const Request& request, std::vector<Found>& found) {
  const types::Provider* provider = request.provider();
  if (provider) resolve_statement_address(request, image_of(*provider), found);
}

// The first of the function's statements that is not before `address`.
std::optional<uint64_t> nearest_statement(const types::Provider& provider,
                                          const types::Function& f, uint64_t address) {
  std::optional<uint64_t> best;
  auto all = provider.statements({f.name, f.file, false}, 0, false, false);
  if (auto* statements = types::get(all))
    for (const types::Statement& s : *statements)
      if (s.address >= address && s.address < f.address + f.size && (!best || s.address < *best))
        best = s.address;
  return best;
}

// An address of the running kernel, as /proc/kallsyms tells it: nothing here knows what is there.
void resolve_absolute(const Request& request, std::vector<Found>& found) {
  const ast::Component& where = request.component("statement");
  if (!request.guru) {
    request.diagnostics.error(Code::needs_guru, request.component("absolute").span,
                              "an address that nothing verifies needs guru mode (-g)");
    return;
  }
  auto address = static_cast<uint64_t>(*request.number("statement"));
  // The upper half (Documentation/arch/x86/x86_64/mm.rst), whether pages have 4 levels or 5.
  if (address < 0xff00'0000'0000'0000) {
    request.diagnostics.error(Code::no_match, where.arg_span,
                              fmt::format("{:#x} is no address in the kernel", address));
    return;
  }
  Found f{};
  f.point.kind = prog::PointKind::statement;
  f.point.address = address;
  f.point.section = prog::absolute_section;
  f.point.name = spell(request.components);
  found.push_back(std::move(f));
}

}  // namespace

void resolve_statement_text(const Request& request, const std::string& text, const Span& span,
                            std::vector<Found>& found) {
  const types::Provider* provider = request.provider();
  if (!provider) return;
  auto [function, file, place] = split_place(text);
  auto lines = read_lines(request, place, span);
  if (!lines) return;
  std::set<uint64_t> seen;
  ForbiddenText forbidden_text(*provider);
  std::string forbidden;
  size_t before = found.size();
  for (const LineRange& range : lines->ranges)
    for (uint32_t line = range.first; line <= range.last; ++line) {
      auto answer = provider->statements({function, file, true}, line, lines->relative,
                                         request.has("nearest"));
      auto* statements = types::get(answer);
      // Of several lines only those that have code count.
      if (!statements && (lines->is_one() || types::lack(answer).kind == types::Lack::Kind::dwarf))
        return report(request, *provider, text, span, types::lack(answer));
      if (!statements) continue;
      for (const types::Statement& s : *statements) {
        std::string what = forbidden_text.at(s.address);
        if (!what.empty())
          forbidden = what;
        else if (seen.insert(s.address).second)
          found.push_back(found_statement(request, s));
      }
    }
  if (found.size() > before) return;
  if (forbidden.empty()) return report(request, *provider, text, span, {});
  request.diagnostics.error(Code::forbidden_place, span,
                            fmt::format("'{}' cannot be probed: it is {}", text, forbidden));
}

void resolve_statement_address(const Request& request, const std::string& image,
                               std::vector<Found>& found) {
  const types::Provider& provider = *request.provider();
  auto address = static_cast<uint64_t>(*request.number("statement"));
  const Span& span = request.component("statement").arg_span;
  auto function = provider.function_at(address);
  if (!function) {
    request.diagnostics.error(
        Code::no_match, span,
        fmt::format("no function of {} holds the link address {:#x}", image, address));
    return;
  }
  if (std::string what = ForbiddenText(provider).at(address); !what.empty()) {
    request.diagnostics.error(Code::forbidden_place, span,
                              fmt::format("{:#x} cannot be probed: it is {}", address, what));
    return;
  }
  // Without lines the kernel has to judge whether an instruction is there.
  std::optional<uint64_t> at = address;
  if (!provider.begins_line(address))
    at = request.has("nearest") ? nearest_statement(provider, *function, address) : std::nullopt;
  if (!at) {
    request.diagnostics.error(Code::no_match, span,
                              fmt::format("no statement of '{}' begins at {:#x}{}", function->name,
                                          address, request.has("nearest") ? " or behind it" : ""));
    return;
  }
  types::Statement s{*function, *at, function->file, 0};
  Found f = found_statement(request, s);
  std::vector<ast::Component> components = request.components;
  for (ast::Component& c : components)
    if (c.name == "statement") c.arg = static_cast<int64_t>(*at);
  f.point.name = spell(components);
  found.push_back(std::move(f));
}

std::span<const Kind> statement_kinds() {
  static const std::vector<Kind> table = [] {
    auto rows = in_images({
        {{{"statement", Arg::string}}, resolve_text},
        {{{"statement", Arg::string}, {"nearest"}}, resolve_nearest},
        {{{"statement", Arg::number}}, resolve_address},
        {{{"statement", Arg::number}, {"nearest"}}, resolve_address},
    });
    for (const char* family : {"kernel", "kprobe"})
      rows.push_back({{{family}, {"statement", Arg::number}, {"absolute"}}, resolve_absolute});
    return rows;
  }();
  return table;
}

}  // namespace stp::probes
