// DWARF knows functions by the names of the source; the symbol table knows more names. One address
// can have several (__x64_sys_getppid is an alias that DWARF calls __do_sys_getppid), a clone has
// a suffix (".isra.0"), and assembler has symbols alone. A name that only symbols have is answered
// with the function that DWARF has at its address; what DWARF knows nothing of is found by its
// whole name only, because a wildcard means functions of the source. One with a dot means clones, by their own names.
#include "debuginfo/dwarf_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "debuginfo/dwarf_entry.h"
#include "support/diagnostics.h"

namespace stp::dwarf {
namespace {

using types::Function;
using types::FunctionQuery;

std::string_view before_wildcard(std::string_view pattern) {
  return pattern.substr(0, pattern.find_first_of("*?["));
}

// Remembers what was found of each file: thousands of functions share one.
class FileFilter {
 public:
  FileFilter(const Index& index, const std::string& pattern)
      : index_(index), glob_(pattern), any_(pattern.empty()) {}
  bool takes(uint32_t file) {
    if (any_) return true;
    auto [at, fresh] = known_.try_emplace(file);
    if (fresh) at->second = file_matches(glob_, index_.text(file));
    return at->second;
  }
  bool takes_unknown() const { return any_; }

 private:
  const Index& index_;
  Glob glob_;
  bool any_;
  std::unordered_map<uint32_t, bool> known_;
};

// The symbol that a function has in the symbol table: its own name, else a clone's, else any.
std::string linkage_name(const Context& c, const std::string& name, uint64_t address) {
  if (!c.symbols) return name;
  std::string clone, any;
  for (size_t i = c.symbols->upper_bound(address); i-- > 0;) {
    Symbol s = (*c.symbols)[i];
    if (s.address != address) break;
    if (!s.is_text()) continue;
    if (s.name == name) return name;
    if (s.name.starts_with(name + ".")) clone = s.name;
    any = s.name;
  }
  return !clone.empty() ? clone : !any.empty() ? any : name;
}

Function function_of(const Context& c, const Record& r) {
  Function f;
  f.name = c.index.text(r.name);
  f.file = c.index.text(r.file);
  f.line = r.line();
  f.address = r.address;
  f.size = r.size;
  f.inlined = r.kind() == Entry::inlined;
  f.is_global = r.external();
  if (!f.inlined) f.symbol = linkage_name(c, f.name, f.address);
  f.handle = handle_of(r);
  return f;
}

// Another unit's definition took the place of a weak one, whose code stays in the image: it has no
// symbol, and nothing calls it.
bool is_overridden(const Context& c, const Function& f) {
  if (f.inlined || !f.is_global || !c.symbols) return false;
  bool elsewhere = false;
  for (const Symbol& s : c.symbols->find(f.name)) {
    if (s.address == f.address) return false;
    elsewhere |= s.is_text() && s.is_global();
  }
  for (size_t i = c.symbols->upper_bound(f.address); elsewhere && i-- > 0;) {
    if ((*c.symbols)[i].address != f.address) break;
    if ((*c.symbols)[i].is_text()) return false;
  }
  return elsewhere;
}

Function alias_of(const Context& c, const Record& r, const Symbol& s) {
  Function f = function_of(c, r);
  f.name = f.symbol = s.name;
  f.is_global = s.is_global();
  return f;
}

// The function that begins at an address.
const Record* beginning_at(const Context& c, uint64_t address) {
  const Record* r = c.index.function_at(address);
  return r && r->address == address ? r : nullptr;
}

void add_symbol(const Context& c, const std::string& name, FileFilter& files,
                std::vector<Function>& found) {
  std::unordered_set<uint64_t> known;
  for (const Function& f : found) known.insert(f.address);
  for (const Symbol& s : c.symbols->find(name)) {
    if (!s.is_text() || !known.insert(s.address).second) continue;
    if (const Record* r = beginning_at(c, s.address)) {
      if (files.takes(r->file)) found.push_back(alias_of(c, *r, s));
    } else if (files.takes_unknown() && !c.symbols->is_init(s.address)) {
      Function f;
      f.name = f.symbol = s.name;
      f.address = s.address;
      f.size = s.size;
      f.is_global = s.is_global();
      found.push_back(std::move(f));
    }
  }
}

// Symbols and parts of functions are both sorted by address: one walk over both.
void add_aliases(const Context& c, const Glob& name, FileFilter& files,
                 std::vector<Function>& found) {
  std::unordered_set<uint64_t> known;
  for (const Function& f : found)
    if (!f.inlined) known.insert(f.address);
  size_t i = 0;
  for (const Part& part : c.index.parts()) {
    const Record* r = c.index.record(part);
    if (!r || r->address != part.begin || known.count(part.begin) || !files.takes(r->file))
      continue;
    while (i < c.symbols->size() && (*c.symbols)[i].address < part.begin) ++i;
    for (size_t k = i; k < c.symbols->size() && (*c.symbols)[k].address == part.begin; ++k) {
      Symbol s = (*c.symbols)[k];
      // A clone goes by the name of what it is a clone of.
      if (!s.is_text() || s.name.starts_with(std::string(c.index.text(r->name)) + ".")) continue;
      if (!name.matches(s.name) || !known.insert(part.begin).second) continue;
      found.push_back(alias_of(c, *r, s));
    }
  }
}

void add_clones(const Context& c, const Glob& name, FileFilter& files, std::vector<Function>& found) {
  std::set<std::string> names;
  for (const Symbol& s : c.symbols->find_prefix(before_wildcard(name.pattern())))
    if (s.is_text() && is_own_name_of_clone(s.name) && name.matches(s.name) && !c.symbols->is_init(s.address))
      names.emplace(s.name);
  for (const std::string& clone : names) add_symbol(c, clone, files, found);
}

}  // namespace

bool file_matches(const Glob& pattern, std::string_view file) {
  // Of a whole path debug information keeps the end: where it was compiled is left out.
  if (pattern.pattern().starts_with('/') && !file.empty() &&
      pattern.pattern().ends_with("/" + std::string(file)))
    return true;
  for (;;) {
    if (pattern.matches(file)) return true;
    size_t slash = file.find('/');
    if (slash == file.npos) return false;
    file.remove_prefix(slash + 1);
  }
}

namespace {

// "a::B<c::d>::e" -> a, B<c::d>, e: brackets of template arguments hold names of their own.
std::vector<std::string_view> scopes_of(std::string_view name) {
  std::vector<std::string_view> parts;
  int nested = 0;
  size_t begin = 0;
  for (size_t i = 0; i < name.size(); ++i) {
    nested += name[i] == '<' || name[i] == '(';
    nested -= name[i] == '>' || name[i] == ')';
    if (nested != 0 || name.substr(i, 2) != "::") continue;
    parts.push_back(name.substr(begin, i - begin));
    begin = ++i + 1;
  }
  parts.push_back(name.substr(begin));
  return parts;
}

}  // namespace

ScopedPattern::ScopedPattern(std::string_view pattern) {
  whole_ = pattern.starts_with("::");
  if (whole_) pattern.remove_prefix(2);
  for (std::string_view part : scopes_of(pattern)) parts_.emplace_back(part);
}

bool ScopedPattern::matches(std::string_view name) const {
  auto parts = scopes_of(name);
  if (parts.size() < parts_.size() || (whole_ && parts.size() != parts_.size())) return false;
  auto last = parts.end() - static_cast<ptrdiff_t>(parts_.size());
  return std::equal(parts_.begin(), parts_.end(), last,
                    [](const Glob& glob, std::string_view part) { return glob.matches(part); });
}

std::vector<Function> find_functions(const Context& c, const FunctionQuery& query) {
  // Without scopes everything is at the top.
  if (query.name.starts_with("::") && !c.index.scoped())
    return find_functions(c, {query.name.substr(2), query.file, query.inlined_too});
  std::vector<Function> found;
  Glob name(query.name);
  FileFilter files(c.index, query.file);
  std::string_view prefix = before_wildcard(query.name);
  // What is in a namespace or a class may be called by its last names alone.
  bool by_tail = c.index.scoped();
  ScopedPattern scoped(query.name);
  if (by_tail) prefix = {};
  for (size_t i = c.index.lower_bound(prefix); i < c.index.names(); ++i) {
    std::string_view its_name = c.index.name(i);
    if (!its_name.starts_with(prefix)) break;
    if (by_tail ? !scoped.matches(its_name) : !name.matches(its_name)) {
      if (name.literal() && !by_tail) break;
      continue;
    }
    for (const Record& r : c.index.records(i)) {
      bool inlined = r.kind() == Entry::inlined;
      if ((r.kind() == Entry::function || (inlined && query.inlined_too)) && files.takes(r.file))
        if (Function f = function_of(c, r); !is_overridden(c, f)) found.push_back(std::move(f));
    }
  }
  if (c.symbols) {
    if (name.literal())
      add_symbol(c, query.name, files, found);
    else
      add_aliases(c, name, files, found);
    if (!name.literal() && means_clones(query.name)) add_clones(c, name, files, found);
  }
  std::stable_sort(found.begin(), found.end(), [](const Function& a, const Function& b) {
    return a.name != b.name ? a.name < b.name : a.address < b.address;
  });
  return found;
}

std::vector<Function> copies_at(const Context& c, std::string_view name, uint32_t entry) {
  std::vector<Function> found;
  if (c.index.scoped()) {
    for (const Function& f : find_functions(c, {std::string(name), "", true}))
      if (f.inlined && static_cast<uint32_t>(f.handle) == entry) found.push_back(f);
    return found;
  }
  size_t i = c.index.lower_bound(name);
  if (i == c.index.names() || c.index.name(i) != name) return found;
  for (const Record& r : c.index.records(i))
    if (r.kind() == Entry::inlined && r.die == entry) found.push_back(function_of(c, r));
  return found;
}

std::optional<Function> function_at(const Context& c, uint64_t address) {
  const Record* r = c.index.function_at(address);
  if (!r) return std::nullopt;
  return function_of(c, *r);
}

types::Lack no_function(const Context& c, const FunctionQuery& query) {
  std::string where = query.file.empty() ? "" : fmt::format(" in '{}'", query.file);
  types::Lack lack{types::Lack::Kind::not_found,
                   fmt::format("no function '{}'{} in {}", query.name, where, c.whole),
                   {}};
  if (Glob(query.name).literal())
    lack.near = [&c, name = query.name] { return nearest(name, c.index.names_of(Entry::function)); };
  return lack;
}

}  // namespace stp::dwarf
