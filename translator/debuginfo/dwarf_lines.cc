// The line table of a unit, cut down to functions.
//
// A row belongs to the innermost function or inlined copy around its address whose source holds its
// line: compilers move instructions of a caller into the range of what was inlined into it, and the
// line tells whose they are. A function's source reaches to the next function of the file, which
// DWARF does not say otherwise.
//
// Rows that the compiler marked as beginnings of statements count; elsewhere a breakpoint would be
// in the middle of one. Only a line that has no such row (its code was merged into its neighbours)
// is taken from the others, at the lowest address.
#include "debuginfo/dwarf_lines.h"

#include <dwarf.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "debuginfo/dwarf_entry.h"
#include "debuginfo/dwarf_functions.h"

namespace stp::dwarf {
namespace {

using types::Function;
using types::Statement;

struct Row {
  Dwarf_Addr address;
  std::string_view file;  // as shown
  uint32_t line;
  bool statement;
};

// One function's source: [first, end) of its file.
struct Source {
  std::string file;
  uint32_t first = 0, end = UINT32_MAX;
  bool holds(const Row& row) const {
    return row.line >= first && row.line < end && row.file == file;
  }
};

bool inside(const std::vector<Range>& ranges, Dwarf_Addr address) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const Range& r) { return address >= r.begin && address < r.end; });
}

// What is read of a unit once, for all its functions.
class Unit {
 public:
  Unit(Dwarf_Die& unit, std::string_view dir) : dir_(dir) {
    read_rows(unit);
    read_starts(unit, 0);
  }

  const std::vector<Row>& rows() const { return rows_; }

  Source source_of(Dwarf_Die& die) const {
    Source source{decl_file(die), declared_at(die)};
    if (auto file = starts_.find(source.file); file != starts_.end())
      if (auto next = file->second.upper_bound(source.first); next != file->second.end())
        source.end = *next;
    return source;
  }

 private:
  const std::string& shown(const char* path) const {
    auto [at, fresh] = shown_.try_emplace(path);
    if (fresh) at->second = shown_path(path, dir_);
    return at->second;
  }
  std::string decl_file(Dwarf_Die& die) const {
    std::string_view file = declared_in(die);
    return file.empty() ? "" : shown(file.data());
  }

  void read_starts(Dwarf_Die& parent, int depth) {
    if (depth > 64) return;
    each_child(parent, [&](Dwarf_Die& die) {
      int tag = dwarf_tag(&die);
      if (tag == DW_TAG_subprogram)
        if (auto line = declared_at(die)) starts_[decl_file(die)].insert(line);
      if (tag == DW_TAG_namespace) read_starts(die, depth + 1);
    });
  }

  void read_rows(Dwarf_Die& unit) {
    Dwarf_Lines* lines = nullptr;
    size_t count = 0;
    if (dwarf_getsrclines(&unit, &lines, &count) != 0) return;
    for (size_t i = 0; i < count; ++i) {
      Dwarf_Line* at = dwarf_onesrcline(lines, i);
      Row row{};
      int line = 0;
      bool end = false;
      if (!at || dwarf_lineaddr(at, &row.address) != 0 || dwarf_lineno(at, &line) != 0) continue;
      const char* file = dwarf_linesrc(at, nullptr, nullptr);
      dwarf_lineendsequence(at, &end);
      dwarf_linebeginstatement(at, &row.statement);
      if (end || line <= 0 || !file) continue;
      row.line = static_cast<uint32_t>(line);
      row.file = shown(file);
      rows_.push_back(row);
    }
  }

  std::string dir_;
  std::vector<Row> rows_;
  mutable std::unordered_map<const char*, std::string> shown_;
  std::map<std::string, std::set<uint32_t>> starts_;
};

// A function or inlined copy with what was inlined into it.
class Scope {
 public:
  Scope(const Unit& unit, Dwarf_Die& die) : source_(unit.source_of(die)), ranges_(ranges_of(die)) {
    find_copies(unit, die, 0);
  }
  const Source& source() const { return source_; }

  // The rows that are its own, by address.
  std::vector<Row> rows(const Unit& unit) const {
    std::vector<Row> own;
    for (const Row& row : unit.rows())
      if (source_.holds(row) && inside(ranges_, row.address) && !of_copy(row)) own.push_back(row);
    return own;
  }

 private:
  struct Copy {
    Source source;
    std::vector<Range> ranges;
  };

  bool of_copy(const Row& row) const {
    return std::any_of(copies_.begin(), copies_.end(), [&](const Copy& c) {
      return c.source.holds(row) && inside(c.ranges, row.address);
    });
  }
  void find_copies(const Unit& unit, Dwarf_Die& parent, int depth) {
    if (depth > 200) return;
    each_child(parent, [&](Dwarf_Die& child) {
      int tag = dwarf_tag(&child);
      if (tag == DW_TAG_inlined_subroutine) {
        Source source = unit.source_of(child);
        // Only copies from the same file can claim its lines.
        if (source.file == source_.file) copies_.push_back({std::move(source), ranges_of(child)});
      }
      if (tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block)
        find_copies(unit, child, depth + 1);
    });
  }

  Source source_;
  std::vector<Range> ranges_;
  std::vector<Copy> copies_;
};

// Where each line begins. A line split by the compiler begins at several addresses: one for each
// run of rows.
std::vector<Row> beginnings(const std::vector<Row>& rows) {
  std::set<uint32_t> marked, found_unmarked;
  for (const Row& row : rows)
    if (row.statement) marked.insert(row.line);
  std::vector<Row> found;
  std::set<std::pair<uint32_t, Dwarf_Addr>> seen;
  uint32_t run = 0;
  for (const Row& row : rows) {
    if (!marked.count(row.line)) {
      if (found_unmarked.insert(row.line).second) found.push_back(row);
      run = 0;
      continue;
    }
    if (row.statement && row.line != run && seen.insert({row.line, row.address}).second)
      found.push_back(row);
    // A run begins with its first statement, whatever rows of the line are before that.
    if (row.statement || row.line != run) run = row.statement ? row.line : 0;
  }
  return found;
}

class Finder {
 public:
  Finder(const Context& context, uint32_t line, bool relative, bool nearest)
      : context_(context), line_(line), relative_(relative), nearest_(nearest) {}

  void function(const Function& f, std::vector<Statement>& found) {
    // "+0" and "FUNC@FILE" alone mean where the function begins.
    if (relative_ && line_ == 0) {
      found.push_back({f, f.address, f.file, f.line});
      return;
    }
    Dwarf_Die die, unit_die;
    if (!own_entry(context_, f, die) || !dwarf_diecu(&die, &unit_die, nullptr, nullptr)) return;
    auto& unit = units_[context_.file.number_of(unit_die)];
    if (!unit) unit = std::make_unique<Unit>(unit_die, context_.file.parts().compile_dir(unit_die));
    bool all = line_ == 0;
    uint32_t wanted = relative_ ? f.line + line_ : line_;
    Source source = unit->source_of(die);
    if (!all && (wanted < source.first || wanted >= source.end)) return;
    auto rows = beginnings(Scope(*unit, die).rows(*unit));
    if (!all && nearest_) {
      uint32_t best = UINT32_MAX;
      for (const Row& row : rows)
        if (row.line >= wanted) best = std::min(best, row.line);
      wanted = best;
    }
    for (const Row& row : rows)
      if (all || row.line == wanted)
        found.push_back({f, row.address, std::string(row.file), row.line});
  }

 private:
  const Context& context_;
  uint32_t line_;
  bool relative_, nearest_;
  std::unordered_map<Dwarf_Off, std::unique_ptr<Unit>> units_;
};

}  // namespace

types::Answer<std::vector<Statement>> find_statements(const Context& context,
                                                      const types::FunctionQuery& query,
                                                      uint32_t line, bool relative, bool nearest) {
  auto functions = find_functions(context, query);
  if (functions.empty()) return no_function(context, query);
  std::vector<Statement> found;
  Finder finder(context, line, relative, nearest);
  for (const Function& f : functions) finder.function(f, found);
  if (found.empty())
    return types::Lack{
        types::Lack::Kind::not_found,
        fmt::format("line {}{} of {}() has no code", relative ? "+" : "", line, query.name),
        {}};
  return found;
}

bool begins_line(const Context& context, uint64_t address) {
  auto f = function_at(context, address);
  Dwarf_Die die, unit;
  Dwarf_Addr begin = 0;
  if (!f || !own_entry(context, *f, die) || !dwarf_diecu(&die, &unit, nullptr, nullptr)) return true;
  Dwarf_Line* row = dwarf_getsrc_die(&unit, address);
  return !row || (dwarf_lineaddr(row, &begin) == 0 && begin == address);
}

// A prologue is code of the line that the function begins at; the next row is behind it. With no
// second row, or one that is not this function's, there is no prologue to skip.
uint64_t after_prologue(const Context& context, const Function& f) {
  Dwarf_Die die, unit;
  Dwarf_Lines* lines = nullptr;
  size_t count = 0;
  if (f.inlined || !own_entry(context, f, die) || !dwarf_diecu(&die, &unit, nullptr, nullptr) ||
      dwarf_getsrclines(&unit, &lines, &count) != 0)
    return f.address;
  Dwarf_Addr best = 0, address = 0;
  bool has_entry = false;
  for (size_t i = 0; i < count; ++i) {
    Dwarf_Line* row = dwarf_onesrcline(lines, i);
    bool statement = false;
    if (!row || dwarf_lineaddr(row, &address) != 0) continue;
    has_entry |= address == f.address;
    dwarf_linebeginstatement(row, &statement);
    if (statement && address > f.address && address < f.address + f.size &&
        (!best || address < best))
      best = address;
  }
  return has_entry && best ? best : f.address;
}

}  // namespace stp::dwarf
