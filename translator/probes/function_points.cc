// Functions by name, and what is inside of them.
//
// Without a suffix a function means its own entry and every inlined copy of it. Lines behind the file
// choose functions whose source holds one of them, as what `stp list` prints has the line of the
// declaration; the lines themselves are .statement's. A callee counts when
// it is called from the function that was named, and from no other: its point carries the addresses
// that the calls return to, innermost first, and the runtime compares them with the stack. An inlined
// copy has no frame, so it adds nothing to that list. Rejected: a range of the caller's code, which
// would take the calls of the copies inside of it for its own.
#include "probes/function_points.h"

#include <fmt/format.h>

#include <set>

namespace stp::probes {
namespace {

using types::Function;

// Callees of callees multiply with each level, and some call each other.
constexpr size_t most_callees = 10'000;
constexpr int64_t most_levels = 100;

bool is_inside(const Request& request) {
  return request.has("label") || request.has("callee") || request.has("callees");
}

// "vfs_read@fs/read_write.c:450"
std::string place_name(const Function& f) {
  std::string text = f.name;
  if (!f.file.empty()) text += "@" + f.file;
  if (!f.file.empty() && f.line) text += fmt::format(":{}", f.line);
  return text;
}

// Code of a module that is gone when the module runs, or that runs when it goes: no wildcard means
// that.
bool is_passing(const types::Provider& provider, uint64_t address) {
  auto section = provider.section_at(address);
  return section && (section->name == ".init.text" || section->name == ".exit.text");
}

class Resolution {
 public:
  Resolution(const Request& request, const FunctionImage& image, std::vector<Found>& found)
      : request_(request),
        image_(image),
        pattern_(pattern_of("function")),
        callee_(pattern_of("callee")),
        found_(found) {}

  void run() {
    size_t before = found_.size();
    if (int64_t n = request_.number("callees").value_or(1); n < 1 || n > most_levels) {
      request_.diagnostics.error(
          Code::bad_interval, request_.component("callees").arg_span,
          fmt::format("callees({}) is not between 1 and {}", n, most_levels));
      return;
    }
    auto lines = lines_of(pattern_, "function");
    if (!lines || !(callee_lines_ = lines_of(callee_, "callee"))) return;
    auto all = named_functions();
    for (const Function& f : all) {
      if (too_many_) break;
      if (has_wildcard(pattern_.function) && is_passing(image_.provider, f.address)) continue;
      bool here = lines->hold(f);
      (here ? here_ : elsewhere_) = true;
      if (request_.has("label"))
        labels(f, here ? nullptr : &*lines);
      else if (!here)
        continue;
      else if (is_inside(request_))
        callees(f, {}, 1);
      else if (suits(f))
        add(f);
    }
    if (found_.size() == before && !reported_) report(!all.empty() || !part_.empty());
  }

 private:
  PlacePattern pattern_of(const char* component) const {
    auto* text = request_.text(component);
    return text ? split_place(*text) : PlacePattern();
  }

  // What the compiler split off a function (f.part.0) runs with an entry or a copy of it, and is
  // neither: it has to be asked for by its own name.
  void erase_parts(std::vector<Function>& all) {
    std::erase_if(all, [this](const Function& f) {
      bool part = f.symbol != f.name && f.symbol.find(".part.") != f.symbol.npos;
      if (part) part_ = f.symbol;
      return part;
    });
  }

  // Those that are named, with their copies, or the one that holds an address.
  std::vector<Function> named_functions() {
    std::vector<Function> all;
    if (request_.text("function")) {
      all = image_.provider.functions({pattern_.function, pattern_.file, true});
      erase_parts(all);
      return all;
    }
    auto address = static_cast<uint64_t>(*request_.number("function"));
    if (auto f = image_.provider.function_at(address)) {
      pattern_.function = f->name;
      all.push_back(*f);
      return all;
    }
    reported_ = true;
    request_.diagnostics.error(
        Code::no_match, request_.component("function").arg_span,
        fmt::format("no function of {} holds the link address {:#x}", image_.name, address));
    return all;
  }

  std::optional<SourceLines> lines_of(const PlacePattern& pattern, const char* component) {
    auto lines = read_lines(request_, pattern.place, request_.component(component).arg_span);
    if (!lines) return std::nullopt;
    return SourceLines(image_.provider, pattern, *lines);
  }

  // What the last words of the point say, of the function or callee that is probed.
  bool suits(const Function& f) const {
    if (request_.has("inline")) return f.inlined;
    if (request_.has("call") || request_.has("return")) return !f.inlined;
    if (request_.has("exported")) return !f.inlined && f.is_global;
    return true;
  }

  bool is_free(const Function& f, uint64_t address) {
    if (!address || !image_.forbidden) return true;
    Function there = f;
    there.address = address;
    std::string what = image_.forbidden(there);
    if (!what.empty()) forbidden_ = what;
    return what.empty();
  }

  void add(const Function& f) {
    // One address has one handler run, however many names it has.
    if (f.address && !seen_.insert({f.address, f.inlined ? f.name : ""}).second) return;
    if (is_free(f, f.address)) found_.push_back(function_point(f, named(f, {})));
  }

  // `lines`: those of labels, when they are not the function's.
  void labels(const Function& f, const SourceLines* lines) {
    const std::string& pattern = *request_.text("label");
    for (const types::Statement& s : image_.provider.labels(f)) {
      if (lines && !lines->hold_line(f, s.line)) continue;
      inside_.insert(s.label);
      if (!glob_match(pattern, s.label) || !is_free(f, s.address)) continue;
      Found made = point(f, s.address, prog::PointKind::statement);
      // The line is the label's: a function may have several of one name.
      Function there = f;
      there.line = made.point.line = s.line;
      made.point.name = named(there, {{"label", s.label}});
      found_.push_back(std::move(made));
    }
  }

  // The pattern of .callee() is that of .function(), so that what is listed can be asked for.
  bool is_sought(const Function& callee) {
    const std::string& file = callee_.file;
    return glob_match(callee_.function, callee.name) &&
           (file.empty() || glob_match(file, callee.file) || glob_match("*/" + file, callee.file)) &&
           callee_lines_->hold(callee);
  }

  // `ways`: what the calls that lead to `f` return to, innermost first.
  void callees(const Function& f, const std::vector<std::vector<uint64_t>>& ways, int64_t depth) {
    int64_t deepest = request_.number("callees").value_or(1);
    for (const types::Call& call : image_.provider.calls(f)) {
      const Function& callee = call.callee;
      inside_.insert(callee.name);
      if (request_.has("callee") && !is_sought(callee)) continue;
      only_jumps_ |= !callee.inlined && call.returns.empty();
      if (too_many_) break;
      if (!callee.inlined && call.returns.empty()) continue;
      std::vector<std::vector<uint64_t>> inner = ways;
      if (!callee.inlined) inner.insert(inner.begin(), call.returns);
      if (suits(callee) && is_free(callee, callee.address)) {
        found_.push_back(function_point(callee, named(f, {{"callee", place_name(callee)}})));
        found_.back().point.callers = inner;
      }
      too_many_ |= ++visited_ > most_callees;
      if (depth < deepest) callees(callee, inner, depth + 1);
    }
    if (too_many_ && depth == 1) report_too_many();
  }

  Found point(const Function& f, uint64_t address, prog::PointKind kind) const {
    Found found{};
    bool at_return = kind == prog::PointKind::function_return;
    found.point.kind = kind;
    found.point.address = address;
    found.point.symbol = f.symbol.empty() ? f.name : f.symbol;
    found.point.offset = static_cast<uint32_t>(address - f.address);
    found.point.function = f.name;
    found.point.file = f.file;
    found.point.line = f.line;
    found.surroundings.kind =
        at_return ? Surroundings::Kind::at_return : Surroundings::Kind::place;
    found.surroundings.place = {f, address, address == f.address};
    return found;
  }

  Found function_point(const Function& f, std::string name) const {
    bool at_return = request_.has("return");
    Found found = point(f, f.address,
                        at_return   ? prog::PointKind::function_return
                        : f.inlined ? prog::PointKind::statement
                                    : prog::PointKind::entry);
    if (at_return) found.point.number = request_.number("maxactive").value_or(0);
    found.point.is_wild =
        has_wildcard(request_.has("callee") ? callee_.function : pattern_.function);
    found.point.name = std::move(name);
    return found;
  }

  // kernel.function("f@f.c:3"), with the names of labels and callees put in.
  std::string named(const Function& f,
                    const std::vector<std::pair<std::string, std::string>>& names) const {
    std::vector<ast::Component> all = image_.components;
    for (ast::Component& c : all) {
      if (c.name == "function") c.arg = place_name(f);
      if (c.name == "callees") c.name = "callee";
      for (const auto& [name, value] : names)
        if (c.name == name) c.arg = value;
    }
    return spell(all);
  }

  // ---- what there is none of
  void report_too_many() {
    if (reported_) return;
    reported_ = true;
    const ast::Component& where =
        request_.component(request_.has("callees") ? "callees" : "callee");
    request_.diagnostics.error(
        Code::no_match, where.span,
        fmt::format("these are more than {} callees: name fewer functions or levels",
                    most_callees));
  }

  void report(bool known) {
    const ast::Component& component = request_.component("function");
    Diagnostics& d = request_.diagnostics;
    if (!forbidden_.empty()) {
      auto* callee = request_.text("callee");
      d.error(Code::forbidden_place, component.arg_span,
              fmt::format("'{}' cannot be probed: it is {}", callee ? *callee : pattern_.function,
                          forbidden_));
      return;
    }
    if (elsewhere_ && !here_) {
      std::string line = pattern_.place.substr(pattern_.place[0] == ':');
      d.error(Code::no_match, component.arg_span,
              fmt::format("line {} is in no function '{}' of '{}'", line, pattern_.function,
                          pattern_.file));
      return;
    }
    if (known) {
      auto& error = d.error(Code::no_match, component.arg_span, nothing_of());
      if (!part_.empty()) error.note(fmt::format("'{}' is a part of it", part_));
      auto* sought = request_.text("label") ? request_.text("label") : request_.text("callee");
      if (!sought || has_wildcard(*sought) || !d.suggests()) return;
      for (const auto& near : nearest(*sought, {inside_.begin(), inside_.end()}))
        error.note(fmt::format("did you mean '{}'?", near));
      return;
    }
    std::string where = pattern_.file.empty() ? "" : fmt::format(" in '{}'", pattern_.file);
    auto& error =
        d.error(Code::no_match, component.arg_span,
                fmt::format("no function '{}'{} in {}", pattern_.function, where, image_.name));
    if (has_wildcard(pattern_.function) || !d.suggests()) return;
    std::set<std::string> files;
    if (!pattern_.file.empty())
      for (const Function& f : image_.provider.functions({pattern_.function, "", true})) files.insert(f.file);
    for (const std::string& file : files)
      error.note(fmt::format("there is one in '{}'", file));
    if (!files.empty()) return;
    for (const auto& near : nearest(pattern_.function, image_.provider.function_names()))
      error.note(fmt::format("did you mean '{}'?", near));
  }

  std::string nothing_of() const {
    const std::string& function = pattern_.function;
    if (auto* label = request_.text("label"))
      return fmt::format("function '{}' has no label '{}' with code", function, *label);
    if (only_jumps_)
      return fmt::format("'{}' leaves by a jump where it calls '{}': the stack does not tell that "
                         "it was the caller", function,
                         request_.text("callee") ? *request_.text("callee") : "others");
    if (request_.has("callees")) return fmt::format("no calls of '{}' are known", function);
    if (auto* callee = request_.text("callee"))
      return fmt::format("no call of '{}' by '{}' is known", *callee, function);
    const char* what = request_.has("inline")     ? "inlined copies"
                       : request_.has("exported") ? "name outside of its file"
                                                  : "code of its own: it is inlined";
    return fmt::format("function '{}' has no {} here", function, what);
  }

  const Request& request_;
  const FunctionImage& image_;
  PlacePattern pattern_, callee_;
  std::optional<SourceLines> callee_lines_;
  std::vector<Found>& found_;
  std::set<std::pair<uint64_t, std::string>> seen_;
  std::string forbidden_, part_;
  std::set<std::string> inside_;  // the labels or callees that there are
  size_t visited_ = 0;
  bool here_ = false, elsewhere_ = false, only_jumps_ = false, too_many_ = false, reported_ = false;
};

}  // namespace

bool needs_dwarf(const Request& request) { return request.has("inline") || is_inside(request); }

void resolve_functions(const Request& request, const FunctionImage& image,
                       std::vector<Found>& found) {
  Resolution(request, image, found).run();
}

std::vector<std::vector<Part>> forms_inside_functions() {
  const Part callee{"callee", Arg::string};
  return {
      {{"label", Arg::string}}, {callee},      {callee, {"call"}},
      {callee, {"return"}},     {{"callees"}}, {{"callees", Arg::number}},
  };
}

}  // namespace stp::probes
