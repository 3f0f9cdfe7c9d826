// process("path") with .function, .statement and what may follow them, of the program itself or of a
// .library("name") that it needs. They are resolved and listed by the debug information of the
// program, in the same terms as the kernel's; they are not run yet.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "debuginfo/user_program.h"
#include "probes/function_points.h"

namespace stp::probes {
namespace {

namespace fs = std::filesystem;
// One program or library of a probe point.
class Binary {
 public:
  Binary(const Request& request, fs::path file, bool library, const types::Provider* provider)
      : request_(request), file_(std::move(file)), library_(library), provider_(provider) {}

  // Appends the points in it. False when there is none; why is reported, unless `quiet`.
  bool resolve(bool quiet, std::vector<Found>& found) {
    size_t before = found.size();
    Diagnostics unheard;
    Request inner{components(),
                  request_.span,
                  request_.target,
                  request_.guru,
                  [this] { return provider_; },
                  quiet ? unheard : request_.diagnostics};
    std::string image = fmt::format("'{}'", file_.string());
    if (inner.has("function"))
      resolve_functions(inner, {*provider_, image, inner.components, {}}, found);
    else if (auto* text = inner.text("statement"))
      resolve_statement_text(inner, *text, inner.component("statement").arg_span, found);
    else
      resolve_statement_address(inner, image, found);
    for (size_t i = before; i < found.size(); ++i) {
      found[i].surroundings.provider = provider_;
      found[i].point.program = file_.string();
    }
    return found.size() > before;
  }

  // Statements, copies and files are known to DWARF alone.
  static bool wants_dwarf(const Request& request) {
    auto* function = request.text("function");
    return needs_dwarf(request) || request.text("statement") ||
           (function && function->find('@') != std::string::npos);
  }

 private:
  std::vector<ast::Component> components() const {
    std::vector<ast::Component> named = request_.components;
    for (ast::Component& c : named)
      if (c.name == (library_ ? "library" : "process")) c.arg = file_.string();
    return named;
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
                                      !Binary::wants_dwarf(request));
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
    const Part process{"process", Arg::string}, library{"library", Arg::string};
    std::vector<std::vector<Part>> tails;
    for (Arg arg : {Arg::string, Arg::number}) {
      const Part function{"function", arg}, statement{"statement", arg};
      tails.insert(tails.end(), {{function},
                                 {function, {"call"}},
                                 {function, {"inline"}},
                                 {function, {"exported"}},
                                 {function, {"return"}},
                                 {statement},
                                 {statement, {"nearest"}}});
      for (std::vector<Part> form : forms_inside_functions()) {
        form.insert(form.begin(), function);
        tails.push_back(std::move(form));
      }
    }
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
