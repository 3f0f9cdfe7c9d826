// The table of kinds, and the search in it.
//
// A probe point is matched against every row: there are a few dozen, and a script has a few
// points. A tree of parts would find them faster and say less clearly what was wrong.
#include "probes/kind.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

namespace stp::probes {
namespace {

using Table = std::span<const Kind> (*)();

constexpr Table tables[] = {
    session_kinds,   timer_kinds,      profile_kinds,  function_kinds, statement_kinds,
    tracepoint_kinds, symbol_kinds,    process_kinds,  perf_kinds,     watch_kinds,
    netfilter_kinds, procfs_kinds,     stdin_kinds,    syscall_kinds,
};

Arg arg_of(const ast::Component& c) {
  if (std::holds_alternative<int64_t>(c.arg)) return Arg::number;
  if (std::holds_alternative<std::string>(c.arg)) return Arg::string;
  return Arg::none;
}

bool fits(const Part& part, const ast::Component& c) {
  return part.arg == arg_of(c) && (part.name == "*" || glob_match(c.name, part.name));
}

bool fits(const Kind& kind, const std::vector<ast::Component>& components, size_t count) {
  if (kind.parts.size() < count) return false;
  return std::equal(kind.parts.begin(), kind.parts.begin() + static_cast<ptrdiff_t>(count),
                    components.begin(), [](const Part& p, const auto& c) { return fits(p, c); });
}

}  // namespace

const std::string* Request::text(std::string_view name) const {
  for (const auto& c : components)
    if (c.name == name) return std::get_if<std::string>(&c.arg);
  return nullptr;
}

std::optional<int64_t> Request::number(std::string_view name) const {
  for (const auto& c : components)
    if (c.name == name && std::holds_alternative<int64_t>(c.arg)) return std::get<int64_t>(c.arg);
  return std::nullopt;
}

bool Request::has(std::string_view name) const {
  return std::any_of(components.begin(), components.end(),
                     [&](const auto& c) { return c.name == name; });
}

const ast::Component& Request::component(std::string_view name) const {
  for (const auto& c : components)
    if (c.name == name) return c;
  return components.front();
}

const std::vector<const Kind*>& kinds() {
  static const std::vector<const Kind*> all = [] {
    std::vector<const Kind*> rows;
    for (Table table : tables)
      for (const Kind& kind : table()) rows.push_back(&kind);
    return rows;
  }();
  return all;
}

std::vector<Match> match(const std::vector<ast::Component>& components) {
  std::vector<Match> found;
  for (const Kind* kind : kinds()) {
    if (kind->parts.size() != components.size() || !fits(*kind, components, components.size()))
      continue;
    Match m{kind, components};
    for (size_t i = 0; i < components.size(); ++i)
      if (kind->parts[i].name != "*") m.components[i].name = kind->parts[i].name;
    found.push_back(std::move(m));
  }
  return found;
}

size_t matching_prefix(const std::vector<ast::Component>& components) {
  size_t best = 0;
  for (const Kind* kind : kinds()) {
    size_t n = 0;
    while (n < components.size() && n < kind->parts.size() && fits(kind->parts[n], components[n]))
      ++n;
    best = std::max(best, n);
  }
  return best;
}

std::vector<std::string> names_at(const std::vector<ast::Component>& components, size_t depth) {
  std::vector<std::string> names;
  for (const Kind* kind : kinds()) {
    if (kind->parts.size() <= depth || !fits(*kind, components, depth)) continue;
    const Part& part = kind->parts[depth];
    static constexpr const char* shown[] = {"", "(NUMBER)", "(\"TEXT\")"};
    std::string name = (part.name == "*" ? "NAME" : part.name) + shown[static_cast<size_t>(part.arg)];
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

bool glob_match(const std::string& pattern, const std::string& text) {
  return pattern == text || fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

bool has_wildcard(const std::string& text) {
  return text.find_first_of("*?[") != std::string::npos;
}

std::string spell(const std::vector<ast::Component>& components) {
  std::string text;
  for (const auto& c : components) {
    if (!text.empty()) text += '.';
    text += c.name;
    if (auto* n = std::get_if<int64_t>(&c.arg)) {
      bool address = c.name == "statement" || c.name == "function" || c.name == "data";
      text += address ? fmt::format("({:#x})", static_cast<uint64_t>(*n)) : fmt::format("({})", *n);
    } else if (auto* s = std::get_if<std::string>(&c.arg)) {
      text += fmt::format("(\"{}\")", *s);
    }
  }
  return text;
}

std::vector<Kind> in_images(const std::vector<Kind>& rows) {
  std::vector<Kind> all;
  for (const Part& image : {Part{"kernel"}, Part{"module", Arg::string}})
    for (Kind row : rows) {
      row.parts.insert(row.parts.begin(), image);
      all.push_back(std::move(row));
    }
  return all;
}

std::string image_of(const types::Provider& provider) {
  return provider.module().empty() ? "the kernel" : fmt::format("module '{}'", provider.module());
}

std::string sought_function(const std::vector<ast::Component>& components) {
  for (const auto& c : components) {
    auto* text = std::get_if<std::string>(&c.arg);
    if (!text || (c.name != "function" && c.name != "statement")) continue;
    std::string name = text->substr(0, text->find('@'));
    return has_wildcard(name) ? "" : name;
  }
  return "";
}

namespace {

// A function is on the list by its entry; what is in it, and in its cold part, goes by that.
bool is_blacklisted(const types::Provider& provider, uint64_t address) {
  auto list = provider.kprobe_blacklist();
  auto behind = std::upper_bound(list.begin(), list.end(), address);
  if (behind != list.begin() && behind[-1] == address) return true;
  if (list.empty()) return false;
  auto f = provider.function_at(address);
  return f && f->address != address && std::binary_search(list.begin(), list.end(), f->address);
}

}  // namespace

ForbiddenText::ForbiddenText(const types::Provider& provider) : provider_(&provider) {
  struct Row {
    const char *begin, *end, *what;
  };
  // The kernel's linker script (include/asm-generic/vmlinux.lds.h) names these.
  static constexpr Row rows[] = {
      {"__init_begin", "__init_end", "init or exit text, which is freed after boot"},
      {"__kprobes_text_start", "__kprobes_text_end", "the code that serves kprobes"},
      {"__noinstr_text_start", "__noinstr_text_end", "code marked noinstr"},
      {"__entry_text_start", "__entry_text_end", "the entry code"},
      // Every return may pass one of these; where the kernel looks for its end, one is a megabyte long.
      {"__entry_text_end", "__softirqentry_text_start", "a return thunk"},
      {"__indirect_thunk_start", "__indirect_thunk_end", "a thunk of indirect branches or returns"},
  };
  for (const Row& row : rows) {
    auto begin = provider.symbol(row.begin), end = provider.symbol(row.end);
    if (begin && end) ranges_.push_back({*begin, *end, row.what});
  }
  // Of what runs so early this alone has a site of ftrace: the first fault in a handler would be the machine's last.
  if (auto early = provider.symbol("load_current_idt"))
    ranges_.push_back({*early, *early + 1, "run by a CPU that comes up before it has a table of traps"});
}

std::string ForbiddenText::at(uint64_t address) const {
  if (auto section = provider_->section_at(address)) {
    // What the kernel's blacklist takes from modules: kernel/kprobes.c, kprobes_module_callback().
    if (section->name == ".kprobes.text") return "code that serves kprobes";
    if (section->name == ".noinstr.text") return "code marked noinstr";
  } else {
    for (const Range& range : ranges_)
      if (address >= range.begin && address < range.end) return range.what;
  }
  return is_blacklisted(*provider_, address) ? "marked NOKPROBE_SYMBOL" : "";
}

}  // namespace stp::probes
