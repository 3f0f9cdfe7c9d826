// process("path") with .function, .statement and what may follow them, of the program itself or of a
// .library("name") that it needs. They are resolved and listed by the debug information of the
// program, in the same terms as the kernel's; they are not run yet.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "debuginfo/user_program.h"
#include "probes/kind.h"

namespace stp::probes {
namespace {

namespace fs = std::filesystem;
using types::Function;

struct Pattern {
  std::string function, file;
  bool place = false;  // ":line" or "+offset" behind it
};

Pattern split(const std::string& text) {
  Pattern p;
  size_t at = text.find('@');
  p.function = text.substr(0, at);
  if (at == text.npos) return p;
  p.file = text.substr(at + 1);
  // "::" is of a name, not of a line.
  size_t mark = p.file.find_last_of(":+");
  if (mark != text.npos) {
    p.place = true;
    p.file.resize(mark);
  }
  return p;
}

// One program or library of a probe point.
class Binary {
 public:
  Binary(const Request& request, fs::path file, bool library, const types::Provider* provider)
      : request_(request), file_(std::move(file)), library_(library), provider_(provider) {}

  // Appends the points in it. False when there is none; why is reported, unless `quiet`.
  bool resolve(bool quiet, std::vector<Found>& found) {
    size_t before = found.size();
    if (request_.has("statement") || split(*request_.text("function")).place)
      statements(quiet, found);
    else
      functions(quiet, found);
    for (size_t i = before; i < found.size(); ++i) {
      found[i].surroundings.provider = provider_;
      found[i].point.program = file_.string();
    }
    return found.size() > before;
  }

  // Statements, copies and files are known to DWARF alone.
  static bool needs_dwarf(const Request& request) {
    return request.has("inline") || request.has("label") || request.has("callee") ||
           request.has("callees") || request.text("statement") ||
           (request.has("function") && request.text("function")->find('@') != std::string::npos);
  }

 private:
  std::vector<ast::Component> components() const {
    std::vector<ast::Component> named = request_.components;
    for (ast::Component& c : named)
      if (c.name == (library_ ? "library" : "process")) c.arg = file_.string();
    return named;
  }

  void report(bool quiet, const ast::Component& where, const std::string& text,
              const std::vector<std::string>& near = {}) const {
    if (quiet) return;
    auto& error = request_.diagnostics.error(Code::no_match, where.arg_span, text);
    for (const auto& name : near) error.note(fmt::format("did you mean '{}'?", name));
  }

  // ---- statements
  void statements(bool quiet, std::vector<Found>& found) {
    Diagnostics unheard;
    Request inner{components(),
                  request_.span,
                  request_.target,
                  request_.guru,
                  [this] { return provider_; },
                  quiet ? unheard : request_.diagnostics};
    const char* name = request_.has("statement") ? "statement" : "function";
    if (auto* text = request_.text(name))
      return resolve_statement_text(inner, *text, request_.component(name).arg_span, found);
    auto address = static_cast<uint64_t>(*request_.number(name));
    auto function = provider_->function_at(address);
    if (!function)
      return report(quiet, request_.component(name),
                    fmt::format("no function of '{}' holds the address {:#x}", file_.string(),
                                address));
    found.push_back(point(*function, address, prog::PointKind::statement));
    found.back().point.name = spell(inner.components);
  }

  // ---- functions
  bool wanted(const Function& f) const {
    if (request_.has("callee") || request_.has("callees") || request_.has("label")) return true;
    return suits(f);
  }
  // What the last words of the point say, of the function or callee that is probed.
  bool suits(const Function& f) const {
    if (request_.has("inline")) return f.inlined;
    if (request_.has("call") || request_.has("return")) return !f.inlined;
    if (request_.has("exported")) return !f.inlined && f.is_global;
    return true;
  }

  void functions(bool quiet, std::vector<Found>& found) {
    Pattern pattern = split(*request_.text("function"));
    auto all = provider_->functions({pattern.function, pattern.file, true});
    std::set<std::pair<uint64_t, std::string>> seen;
    for (const Function& f : all) {
      if (!wanted(f)) continue;
      if (request_.has("label"))
        labels(f, found);
      else if (request_.has("callee") || request_.has("callees"))
        callees(f, f.name, 1, seen, found);
      else if (seen.insert({f.address, f.inlined ? f.name : ""}).second)
        found.push_back(function_point(f));
    }
    if (!found.empty() || quiet) return;
    const ast::Component& where = request_.component("function");
    if (!all.empty()) return report(quiet, where, nothing_of(pattern.function));
    std::string in_file = pattern.file.empty() ? "" : fmt::format(" in '{}'", pattern.file);
    std::vector<std::string> near;
    if (!has_wildcard(pattern.function) && request_.diagnostics.suggests())
      near = nearest(pattern.function, provider_->function_names());
    report(quiet, where,
           fmt::format("no function '{}'{} in '{}'", pattern.function, in_file, file_.string()),
           near);
  }

  std::string nothing_of(const std::string& function) const {
    if (auto* label = request_.text("label"))
      return fmt::format("function '{}' has no label '{}' with code", function, *label);
    if (request_.has("callees")) return fmt::format("no calls of '{}' are known", function);
    if (auto* callee = request_.text("callee"))
      return fmt::format("no call of '{}' by '{}' is known", *callee, function);
    const char* what = request_.has("inline")     ? "inlined copies"
                       : request_.has("exported") ? "name that is exported"
                                                  : "code of its own: it is inlined";
    return fmt::format("function '{}' has no {} here", function, what);
  }

  void labels(const Function& f, std::vector<Found>& found) {
    const std::string& pattern = *request_.text("label");
    for (const types::Statement& s : provider_->labels(f)) {
      if (!glob_match(pattern, s.label)) continue;
      Found made = point(f, s.address, prog::PointKind::statement);
      made.point.name = named(f, {{"label", s.label}});
      made.point.line = s.line;
      found.push_back(std::move(made));
    }
  }

  // `way`: who calls, outermost first, for the name of the point.
  void callees(const Function& f, const std::string& way, int64_t depth,
               std::set<std::pair<uint64_t, std::string>>& seen, std::vector<Found>& found) {
    // Callees of callees that call each other are endless.
    constexpr size_t most = 10'000;
    auto* pattern = request_.text("callee");
    int64_t deepest = request_.number("callees").value_or(1);
    for (const Function& callee : provider_->callees(f)) {
      if (found.size() >= most) return;
      if (pattern && !glob_match(*pattern, callee.name)) continue;
      bool fresh = seen.insert({callee.address, way}).second;
      if (fresh && suits(callee)) {
        found.push_back(function_point(callee));
        found.back().point.name = named(f, {{"callee", callee.name}});
      }
      if (fresh && depth < deepest) callees(callee, callee.name, depth + 1, seen, found);
    }
  }

  Found point(const Function& f, uint64_t address, prog::PointKind kind) const {
    Found found{};
    found.point.kind = kind;
    found.point.address = address;
    found.point.symbol = f.symbol.empty() ? f.name : f.symbol;
    found.point.offset = static_cast<uint32_t>(address - f.address);
    found.point.function = f.name;
    found.point.file = f.file;
    found.point.line = f.line;
    found.surroundings.kind = kind == prog::PointKind::function_return
                                  ? Surroundings::Kind::at_return
                                  : Surroundings::Kind::place;
    found.surroundings.place = {f, address, address == f.address};
    return found;
  }

  Found function_point(const Function& f) const {
    Found found = point(f, f.address,
                        request_.has("return") ? prog::PointKind::function_return
                        : f.inlined            ? prog::PointKind::statement
                                               : prog::PointKind::entry);
    found.point.offset = 0;
    found.point.name = named(f, {});
    return found;
  }

  // process("/bin/p").function("f@p.c:3"), with the names of labels and callees put in.
  std::string named(const Function& f,
                    const std::vector<std::pair<std::string, std::string>>& names) const {
    std::vector<ast::Component> all = components();
    std::string text = f.name;
    if (!f.file.empty()) text += "@" + f.file;
    if (!f.file.empty() && f.line) text += fmt::format(":{}", f.line);
    for (ast::Component& c : all) {
      if (c.name == "function") c.arg = text;
      if (c.name == "callees") c.name = "callee";
      for (const auto& [name, value] : names)
        if (c.name == name) c.arg = value;
    }
    return spell(all);
  }

  const Request& request_;
  fs::path file_;
  bool library_;
  const types::Provider* provider_;
};

// The files that a point means: programs, or libraries of programs.
std::vector<fs::path> binaries(const Request& request) {
  const std::string& path = *request.text("process");
  const Trees& trees = request.target.trees;
  std::string why_not;
  auto programs = find_programs(path, trees, why_not);
  if (programs.empty())
    request.diagnostics.error(Code::no_match, request.component("process").arg_span, why_not);
  auto* library = request.text("library");
  if (!library || programs.empty()) return programs;
  std::set<fs::path> libraries;
  for (const fs::path& program : programs)
    for (const fs::path& file : find_libraries(program, *library, trees)) libraries.insert(file);
  if (libraries.empty())
    request.diagnostics.error(Code::no_match, request.component("library").arg_span,
                              fmt::format("'{}' needs no library '{}'", path, *library));
  return {libraries.begin(), libraries.end()};
}

void resolve(const Request& request, std::vector<Found>& found) {
  bool library = request.has("library");
  auto files = binaries(request);
  bool any = false;
  size_t i = 0;
  // Of a wildcard only the files that have what is sought count; when none has, the last says why.
  for (const fs::path& file : files) {
    bool last = ++i == files.size();
    const UserDebuginfo& opened = open_user_debuginfo(file, request.target.trees);
    bool enough = opened.provider && (opened.provider->source() == "dwarf" ||
                                      !Binary::needs_dwarf(request));
    if (enough) {
      any |= Binary(request, file, library, opened.provider).resolve(any || !last, found);
    } else if (last && !any) {
      auto& error = request.diagnostics.error(
          Code::no_debuginfo, request.component(library ? "library" : "process").arg_span,
          fmt::format("'{}' cannot be probed by name: {}", file.string(), opened.why_not));
      for (const auto& note : opened.notes) error.note(note);
    }
  }
}

}  // namespace

std::span<const Kind> process_kinds() {
  static const std::vector<Kind> table = [] {
    const Part process{"process", Arg::string}, library{"library", Arg::string},
        function{"function", Arg::string}, callee{"callee", Arg::string};
    const std::vector<std::vector<Part>> tails = {
        {function},
        {function, {"call"}},
        {function, {"inline"}},
        {function, {"exported"}},
        {function, {"return"}},
        {function, {"label", Arg::string}},
        {function, callee},
        {function, callee, {"call"}},
        {function, callee, {"return"}},
        {function, {"callees"}},
        {function, {"callees", Arg::number}},
        {{"statement", Arg::string}},
        {{"statement", Arg::string}, {"nearest"}},
        {{"statement", Arg::number}},
    };
    std::vector<Kind> rows;
    for (bool of_library : {false, true})
      for (const auto& tail : tails) {
        std::vector<Part> parts = {process};
        if (of_library) parts.push_back(library);
        parts.insert(parts.end(), tail.begin(), tail.end());
        rows.push_back({std::move(parts), resolve});
      }
    return rows;
  }();
  return table;
}

}  // namespace stp::probes
