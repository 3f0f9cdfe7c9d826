// The provider over DWARF. What a name leads to is found in the index; entries are read from the
// file only for what was asked.
#include "debuginfo/dwarf.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <set>

#include "debuginfo/dwarf_index.h"
#include "debuginfo/dwarf_lines.h"
#include "debuginfo/dwarf_location.h"
#include "debuginfo/dwarf_types.h"
#include "debuginfo/glob.h"
#include "debuginfo/symbols.h"
#include "support/diagnostics.h"
#include "target/cache.h"
#include "types/calling_convention.h"

namespace stp {
namespace {

using dwarf::Entry;
using dwarf::Index;
using dwarf::Record;
using types::Answer;
using types::Function;
using types::FunctionQuery;
using types::Lack;
using types::Place;
using types::Type;
using types::Variable;

// A pattern matches a whole path, or its tail behind a slash.
bool file_matches(const Glob& glob, std::string_view file) {
  for (;;) {
    if (glob.matches(file)) return true;
    size_t slash = file.find('/');
    if (slash == file.npos) return false;
    file.remove_prefix(slash + 1);
  }
}

class Handle {
 public:
  explicit Handle(const std::filesystem::path& path)
      : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)),
        dwarf_(fd_ < 0 ? nullptr : dwarf_begin(fd_, DWARF_C_READ)) {}
  ~Handle() {
    dwarf_end(dwarf_);
    if (fd_ >= 0) close(fd_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  Dwarf* get() const { return dwarf_; }

 private:
  int fd_;
  Dwarf* dwarf_;
};

class DwarfProvider : public types::Provider {
 public:
  DwarfProvider(std::unique_ptr<Handle> handle, std::unique_ptr<Index> index,
                std::unique_ptr<Symbols> symbols)
      : handle_(std::move(handle)),
        index_(std::move(index)),
        symbols_(std::move(symbols)),
        types_(handle_->get(), *index_),
        cfi_(dwarf_getcfi(handle_->get())) {}

  std::string_view source() const override { return "dwarf"; }

  std::vector<Function> functions(const FunctionQuery& query) const override {
    std::vector<Function> found;
    Glob name(query.name), file(query.file);
    auto take = [&](const Record& r) {
      bool inlined = r.kind() == Entry::inlined;
      if (r.kind() != Entry::function && !(inlined && query.inlined_too)) return;
      if (!query.file.empty() && !file_matches(file, index_->text(r.file))) return;
      found.push_back(function_of(r));
    };
    if (name.literal()) {
      for (Entry kind : {Entry::function, Entry::inlined})
        for (const Record& r : index_->find(query.name, kind)) take(r);
    } else {
      for (size_t i = 0; i < index_->names(); ++i)
        if (name.matches(index_->name(i)))
          for (const Record& r : index_->records(i)) take(r);
    }
    add_aliases(name, query, found);
    return found;
  }

  std::vector<std::string> function_names() const override {
    std::vector<std::string> names;
    for (size_t i = 0; i < index_->names(); ++i)
      if (index_->records(i).front().kind() == Entry::function) names.emplace_back(index_->name(i));
    return names;
  }

  Answer<std::vector<types::Statement>> statements(const FunctionQuery& query, uint32_t line,
                                                   bool relative, bool nearest) const override {
    std::vector<types::Statement> found;
    std::set<uint64_t> seen;
    auto functions = this->functions(query);
    if (functions.empty())
      return Lack{Lack::Kind::not_found,
                  fmt::format("no function '{}'{} in the kernel", query.name,
                              query.file.empty() ? "" : fmt::format(" in '{}'", query.file)),
                  stp::nearest(query.name, function_names())};
    for (const Function& f : functions) {
      Dwarf_Die die;
      if (!dwarf_offdie(handle_->get(), f.handle, &die)) continue;
      auto lines = dwarf::lines_of(die);
      uint32_t wanted = relative ? f.line + line : line;
      if (nearest && line) wanted = nearest_line(lines, f.file, wanted);
      for (const auto& l : lines)
        if (l.file == f.file && ((line == 0 && !relative) || l.line == wanted))
          if (seen.insert(l.address).second) found.push_back({f, l.address, l.file, l.line});
      // The line of the declaration is where the code begins.
      if (relative && line == 0 && seen.insert(f.address).second)
        found.push_back({f, f.address, f.file, f.line});
    }
    if (found.empty())
      return Lack{Lack::Kind::not_found,
                  fmt::format("line {}{} of {}() has no code of its own", relative ? "+" : "", line,
                              query.name),
                  {}};
    return found;
  }

  std::optional<Function> function_at(uint64_t address) const override {
    const Record* r = index_->function_below(address);
    Dwarf_Die die;
    if (!r || !dwarf_offdie(handle_->get(), r->die, &die) || dwarf_haspc(&die, address) != 1)
      return std::nullopt;
    return function_of(*r);
  }

  uint64_t after_prologue(const Function& f) const override {
    Dwarf_Die die;
    if (!dwarf_offdie(handle_->get(), f.handle, &die)) return f.address;
    auto lines = dwarf::lines_of(die);
    for (const auto& l : lines)
      if (l.address > f.address) return l.address;
    return f.address;
  }

  Answer<std::vector<Variable>> variables(const Place& place) const override {
    std::vector<Variable> found;
    for_each_variable(place, [&](Dwarf_Die& die, bool parameter) {
      const char* name = dwarf_diename(&die);
      if (!name) return true;
      Variable v{name, types_.of_attribute(die), {}, parameter};
      auto location = locate(die, place, name, parameter);
      if (auto* where = types::get(location)) v.location = *where;
      found.push_back(std::move(v));
      return true;
    });
    return found;
  }

  Answer<Variable> variable(const Place& place, std::string_view name) const override {
    std::vector<std::string> names;
    std::optional<Answer<Variable>> answer;
    for_each_variable(place, [&](Dwarf_Die& die, bool parameter) {
      const char* its_name = dwarf_diename(&die);
      if (!its_name) return true;
      names.emplace_back(its_name);
      if (name != its_name) return true;
      auto location = locate(die, place, its_name, parameter);
      if (auto* where = types::get(location))
        answer = Variable{its_name, types_.of_attribute(die), *where, parameter};
      else if (!answer)
        answer = types::lack(location);
      // An inner variable of the same name without a value here may hide one that has.
      return !std::holds_alternative<Variable>(*answer);
    });
    if (answer) return *answer;
    return Lack{Lack::Kind::not_found,
                fmt::format("{}() has no variable '${}' here", place.function.name, name),
                stp::nearest(name, names)};
  }

  Answer<Variable> return_value(const Function& f) const override {
    Dwarf_Die die;
    if (!dwarf_offdie(handle_->get(), f.handle, &die)) return Lack{Lack::Kind::not_found, "", {}};
    const Type* type = types_.of_attribute(die);
    if (!type || !types::strip(type))
      return Lack{Lack::Kind::not_found, fmt::format("{}() returns nothing", f.name), {}};
    auto location = types::return_location(*this, *type);
    if (auto* where = types::get(location)) return Variable{"return", type, *where, false};
    return types::lack(location);
  }

  Answer<Variable> global(std::string_view name, std::string_view file) const override {
    Glob glob(file);
    for (const Record& r : index_->find(name, Entry::variable)) {
      Dwarf_Die die;
      if (!file.empty() && !file_matches(glob, index_->text(r.file))) continue;
      if (!dwarf_offdie(handle_->get(), r.die, &die)) continue;
      auto location = dwarf::location_of(die, {handle_->get(), nullptr, nullptr, 0, false});
      if (auto* where = types::get(location))
        return Variable{std::string(name), types_.of_attribute(die), *where, false};
    }
    return Lack{
        Lack::Kind::not_found, fmt::format("the kernel has no global variable '{}'", name), {}};
  }

  std::vector<types::Tracepoint> tracepoints(std::string_view pattern) const override {
    constexpr std::string_view prefix = "__traceiter_";
    std::vector<types::Tracepoint> found;
    Glob glob(pattern);
    for (size_t i = 0; i < index_->names(); ++i) {
      std::string_view name = index_->name(i);
      if (!name.starts_with(prefix) || !glob.matches(name.substr(prefix.size()))) continue;
      const Record& r = index_->records(i).front();
      Dwarf_Die die;
      if (r.kind() != Entry::function || !dwarf_offdie(handle_->get(), r.die, &die)) continue;
      types::Tracepoint t{std::string(name.substr(prefix.size())), "", {}};
      auto params = parameters(die);
      // The first is the iterator's own.
      for (size_t p = 1; p < params.size(); ++p) t.params.push_back(params[p]);
      found.push_back(std::move(t));
    }
    return found;
  }

  Answer<const Type*> type(std::string_view spelling) const override {
    return types_.named(spelling);
  }
  std::vector<types::Member> members(const Type& type) const override {
    return types_.members(type);
  }
  std::vector<types::Enumerator> enumerators(const Type& type) const override {
    return types_.enumerators(type);
  }
  std::optional<int64_t> enumerator(std::string_view name) const override {
    for (size_t i = 0; i < index_->names(); ++i)
      for (const Record& r : index_->records(i)) {
        Dwarf_Die die;
        if (r.kind() != Entry::type || !dwarf_offdie(handle_->get(), r.die, &die) ||
            dwarf_tag(&die) != DW_TAG_enumeration_type)
          continue;
        for (const auto& e : types_.enumerators(*types_.of_die(die)))
          if (e.name == name) return e.value;
      }
    return std::nullopt;
  }

  std::optional<uint64_t> symbol(std::string_view name) const override {
    return symbols_ ? symbols_->address(name) : std::nullopt;
  }

 private:
  Function function_of(const Record& r) const {
    Function f;
    f.name = index_->text(r.name);
    f.file = index_->text(r.file);
    f.line = r.line();
    f.address = r.address;
    f.inlined = r.kind() == Entry::inlined;
    if (!f.inlined) f.symbol = f.name;
    f.handle = r.die;
    return f;
  }

  // Names that only the symbol table has: aliases (__x64_sys_getppid is __do_sys_getppid to DWARF),
  // and functions written in assembler.
  void add_aliases(const Glob& name, const FunctionQuery& query,
                   std::vector<Function>& found) const {
    if (!symbols_) return;
    std::string prefix = query.name.substr(0, query.name.find_first_of("*?["));
    std::set<uint64_t> known;
    for (const Function& f : found) known.insert(f.address);
    Glob file(query.file);
    for (const Symbol& s :
         name.literal() ? symbols_->find(query.name) : symbols_->find_prefix(prefix)) {
      if (!s.is_text() || !name.matches(s.name) || known.count(s.address)) continue;
      const Record* r = index_->function_below(s.address);
      bool alias = r && r->address == s.address;
      // A wildcard means functions of the source.
      if (!alias && (!name.literal() || symbols_->is_init(s.address))) continue;
      Function f = alias ? function_of(*r) : Function{};
      if (!query.file.empty() && !file_matches(file, f.file)) continue;
      f.name = f.symbol = s.name;
      f.address = s.address;
      known.insert(s.address);
      found.push_back(std::move(f));
    }
  }

  static uint32_t nearest_line(const std::vector<dwarf::CodeLine>& lines, const std::string& file,
                               uint32_t wanted) {
    uint32_t best = 0;
    for (const auto& l : lines)
      if (l.file == file && l.line >= wanted && (!best || l.line < best)) best = l.line;
    return best;
  }

  std::vector<types::Param> parameters(Dwarf_Die& function) const {
    std::vector<types::Param> params;
    Dwarf_Die child;
    if (dwarf_child(&function, &child) != 0) return params;
    do {
      if (dwarf_tag(&child) != DW_TAG_formal_parameter) continue;
      const char* name = dwarf_diename(&child);
      params.push_back({name ? name : "", types_.of_attribute(child)});
    } while (dwarf_siblingof(&child, &child) == 0);
    return params;
  }

  using Use = std::function<bool(Dwarf_Die&, bool parameter)>;

  // Those of the function first, then those of the blocks around the place, innermost first.
  // `use` returns false to end.
  void for_each_variable(const Place& place, const Use& use) const {
    Dwarf_Die die;
    if (dwarf_offdie(handle_->get(), place.function.handle, &die))
      scope(die, place.address ? place.address : place.function.address, use, 0);
  }

  bool scope(Dwarf_Die& parent, uint64_t pc, const Use& use, int depth) const {
    Dwarf_Die child;
    if (depth > 100 || dwarf_child(&parent, &child) != 0) return true;
    std::vector<Dwarf_Die> own;
    do {
      int tag = dwarf_tag(&child);
      if (tag == DW_TAG_formal_parameter || tag == DW_TAG_variable) own.push_back(child);
      if (tag == DW_TAG_lexical_block && dwarf_haspc(&child, pc) == 1)
        if (!scope(child, pc, use, depth + 1)) return false;
    } while (dwarf_siblingof(&child, &child) == 0);
    for (Dwarf_Die& die : own)
      if (!use(die, dwarf_tag(&die) == DW_TAG_formal_parameter)) return false;
    return true;
  }

  Answer<types::Location> locate(Dwarf_Die& die, const Place& place, std::string_view name,
                                 bool parameter) const {
    Dwarf_Die function, around;
    bool at_entry = place.at_entry && !place.function.inlined;
    Dwarf_Die* frame = nullptr;
    if (dwarf_offdie(handle_->get(), place.function.handle, &function)) {
      frame = &function;
      // An inlined copy has the frame of the function that it is in.
      if (place.function.inlined)
        if (const Record* r = index_->function_below(place.address))
          if (dwarf_offdie(handle_->get(), r->die, &around)) frame = &around;
    }
    auto location = dwarf::location_of(die, {handle_->get(), cfi_, frame, place.address, at_entry});
    if (types::get(location) || !parameter || !at_entry) return location;
    // The description may begin behind the entry, where the calling convention holds.
    std::vector<const Type*> param_types;
    size_t wanted = 0;
    auto params = parameters(function);
    for (size_t i = 0; i < params.size(); ++i) {
      if (params[i].name == name) wanted = i;
      param_types.push_back(params[i].type);
    }
    auto all = types::entry_arguments(*this, param_types, types_.of_attribute(function));
    if (wanted < all.size()) return all[wanted];
    return location;
  }

  std::unique_ptr<Handle> handle_;
  std::unique_ptr<Index> index_;
  std::unique_ptr<Symbols> symbols_;
  mutable dwarf::Types types_;
  Dwarf_CFI* cfi_;
};

}  // namespace

std::unique_ptr<types::Provider> open_dwarf(const std::filesystem::path& vmlinux,
                                            const Target& target, std::string& why_not) {
  auto handle = std::make_unique<Handle>(vmlinux);
  if (!handle->get()) {
    why_not = fmt::format("{}: {}", vmlinux.string(), dwarf_errmsg(-1));
    return nullptr;
  }
  std::string key = target.build_id.empty() ? file_key(vmlinux) : target.build_id;
  auto index = Index::open(vmlinux, "dwarf-" + key, why_not);
  if (!index) return nullptr;
  std::string no_symbols;
  return std::make_unique<DwarfProvider>(std::move(handle), std::move(index),
                                         Symbols::open(target, no_symbols));
}

}  // namespace stp
