// perf.type(T).config(C) with .sample(N), .hz(N) or .counter("NAME"): what perf counts, by the numbers that
// perf_event_open(2) takes; the names, perf.sw.page_faults and its kin, are aliases of the library.
// Which counters there are the machine knows. With .process("PROG") it counts what runs that program, with
// .process what the session was started with.
#include <fmt/format.h>

#include <filesystem>

#include "debuginfo/user_program.h"
#include "probes/kind.h"
#include "target/locate.h"

namespace stp::probes {
namespace {

// Without a word of how often: as stapprobes(3stap) has it.
constexpr int64_t default_period = 1'000'000;

// False, and an error, when the number of the component is not in the range.
bool in_range(const Request& request, const char* name, int64_t least, int64_t most) {
  auto n = request.number(name);
  if (!n || (*n >= least && *n <= most)) return true;
  request.diagnostics.error(Code::bad_interval, request.component(name).arg_span,
                            fmt::format("{}({}) is not between {} and {}", name, *n, least, most));
  return false;
}

// The path that a file below the sysroot has on the machine itself.
std::string where_it_runs(const std::filesystem::path& file, const Trees& trees) {
  if (trees.size() != 1 || trees.front() == "/") return file.string();
  return "/" + file.lexically_relative(std::filesystem::weakly_canonical(trees.front())).string();
}

bool is_there(const std::string& path, const Trees& trees) {
  std::error_code ignored;
  return std::filesystem::exists(inside_tree(trees.size() == 1 ? trees.front() : "/", path), ignored);
}

// One point for each program that is meant. A path of no file is one for the machine that it is run on.
void bind(const Request& request, Found f, std::vector<Found>& found) {
  const std::string& path = *request.text("process");
  const ast::Component& process = request.component("process");
  std::string why_not;
  std::vector<std::string> programs;
  for (const auto& file : find_programs(path, request.target.trees, why_not)) {
    if (can_be_program(file))
      programs.push_back(where_it_runs(file, request.target.trees));
    else
      why_not = fmt::format("'{}' is no program, but neither an ELF file nor a script", file.string());
  }
  bool whole = path.starts_with('/') && !has_wildcard(path);
  if (programs.empty() && whole && !is_there(path, request.target.trees)) programs.push_back(path);
  if (programs.size() > 1 && !f.point.counter.empty()) {
    request.diagnostics.error(Code::bad_probe_point, process.arg_span,
                              fmt::format("{} programs match; a counter is of one", programs.size()));
    return;
  }
  if (programs.empty()) {
    auto& error = request.diagnostics.error(Code::no_match, process.arg_span, why_not);
    if (!whole) error.note("a program that is not here yet needs its whole path, from '/' on");
  }
  for (const std::string& program : programs) {
    std::vector<ast::Component> named = request.components;
    for (ast::Component& c : named)
      if (c.name == "process") c.arg = program;
    f.point.name = spell(named);
    f.point.symbol = program;
    found.push_back(f);
  }
}

void resolve(const Request& request, std::vector<Found>& found) {
  constexpr int64_t most = INT64_MAX;
  if (!in_range(request, "type", 0, UINT32_MAX) || !in_range(request, "sample", 1, most) ||
      !in_range(request, "hz", 1, 100'000))
    return;
  auto* name = request.text("counter");
  if (name && name->empty()) {
    request.diagnostics.error(Code::bad_probe_point, request.component("counter").arg_span,
                              "a counter needs a name");
    return;
  }
  Found f{};
  f.point.kind = prog::PointKind::perf;
  f.point.name = spell(request.components);
  f.point.offset = static_cast<uint32_t>(*request.number("type"));
  f.point.number = *request.number("config");
  // A frequency is told from a period by its sign.
  f.point.number2 = request.has("hz") ? -*request.number("hz")
                                      : request.number("sample").value_or(default_period);
  if (name) {
    f.point.counter = *name;
    f.point.number2 = 0;
  }
  if (request.has("process")) f.point.kind = prog::PointKind::perf_tasks;
  if (request.text("process"))
    bind(request, std::move(f), found);
  else
    found.push_back(std::move(f));
}

}  // namespace

std::span<const Kind> perf_kinds() {
  static const std::vector<Kind> table = [] {
    const std::vector<Part> event = {{"perf"}, {"type", Arg::number}, {"config", Arg::number}};
    const Part sample{"sample", Arg::number}, hz{"hz", Arg::number}, counter{"counter", Arg::string};
    const Part program{"process", Arg::string}, target{"process"};
    // The manual has .process last but for .counter; an alias may have a period already.
    const std::vector<std::vector<Part>> tails = {
        {},
        {sample}, {hz}, {counter},
        {program}, {program, sample}, {program, hz}, {program, counter},
        {sample, program}, {hz, program},
        {target}, {target, sample}, {target, hz}, {target, counter},
        {sample, target}, {hz, target},
    };
    std::vector<Kind> rows;
    for (const auto& tail : tails) {
      std::vector<Part> parts = event;
      parts.insert(parts.end(), tail.begin(), tail.end());
      rows.push_back({std::move(parts), resolve});
    }
    return rows;
  }();
  return table;
}

}  // namespace stp::probes
