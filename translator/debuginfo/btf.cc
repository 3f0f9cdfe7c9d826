// The BTF provider.
//
// BTF names functions and gives their prototypes; the symbol table says where they are; the
// calling convention says where arguments are on entry. That answers everything about a function's
// entry and return, structures, enumerations and tracepoints. Statements, inlined copies, locals,
// files and plain globals are not in BTF: such questions are refused with Lack::dwarf.
//
// Which prototype belongs to which address is not always certain. pahole before 1.25 wrote one
// prototype per name, of any of the functions of that name, and did not compare them; later ones
// drop a name whose functions differ (--skip_encoding_btf_inconsistent_proto), and a function whose
// parameters the compiler moved. So with older BTF the parameters of a name that several functions
// bear are refused; a wrong value would be worse.

#include "debuginfo/btf.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <unordered_map>
#include <unordered_set>

#include "debuginfo/btf_file.h"
#include "debuginfo/btf_tracepoints.h"
#include "debuginfo/btf_types.h"
#include "debuginfo/dwarf_file.h"
#include "debuginfo/glob.h"
#include "debuginfo/image.h"
#include "debuginfo/kprobe_blacklist.h"
#include "debuginfo/module_layout.h"
#include "debuginfo/symbols.h"
#include "support/diagnostics.h"
#include "types/calling_convention.h"

namespace stp {
namespace {

using types::Answer;
using types::Enumerator;
using types::Function;
using types::FunctionQuery;
using types::Lack;
using types::Member;
using types::Place;
using types::Statement;
using types::Tracepoint;
using types::Type;
using types::Variable;

bool by_name_then_address(const Function& a, const Function& b) {
  return a.name != b.name ? a.name < b.name : a.address < b.address;
}

Lack needs_dwarf(std::string detail) { return {Lack::Kind::dwarf, std::move(detail), {}}; }

class BtfProvider : public types::Provider {
 public:
  BtfProvider(std::unique_ptr<BtfFile> file, std::unique_ptr<Symbols> symbols,
              std::unique_ptr<Image> image, bool checked_prototypes, ModuleLayout layout = {})
      : file_(std::move(file)),
        symbols_(std::move(symbols)),
        image_(std::move(image)),
        types_(*file_, this),
        checked_prototypes_(checked_prototypes),
        layout_(std::move(layout)) {}

  std::string_view source() const override { return "btf"; }
  std::vector<Function> functions(const FunctionQuery&) const override;
  std::vector<std::string> function_names() const override;
  Answer<std::vector<Statement>> statements(const FunctionQuery&, uint32_t, bool,
                                            bool) const override {
    return needs_dwarf(
        "lines of source are only in DWARF, and this kernel's debuginfo is not here");
  }
  std::optional<Function> function_at(uint64_t address) const override;
  // BTF knows no line table; the entry is always a place where arguments are at hand.
  uint64_t after_prologue(const Function& f) const override { return f.address; }
  Answer<std::vector<Variable>> variables(const Place&) const override;
  Answer<Variable> variable(const Place&, std::string_view name) const override;
  Answer<Variable> return_value(const Function&) const override;
  Answer<Variable> global(std::string_view name, std::string_view file) const override;
  std::vector<Tracepoint> tracepoints(std::string_view glob) const override {
    return read_tracepoints(*file_, types_, image_.get(), symbols_.get(), glob);
  }
  Answer<const Type*> type(std::string_view spelling) const override {
    return types_.find(spelling);
  }
  std::vector<Member> members(const Type& t) const override {
    return t.home && t.home != this ? t.home->members(t) : types_.members(t);
  }
  std::vector<Enumerator> enumerators(const Type& t) const override {
    return t.home && t.home != this ? t.home->enumerators(t) : types_.enumerators(t);
  }
  std::optional<int64_t> enumerator(std::string_view name) const override {
    return types_.enumerator(name);
  }
  std::optional<uint64_t> symbol(std::string_view name) const override {
    return symbols_ ? symbols_->address(name) : std::nullopt;
  }
  std::vector<std::string> data_names() const override {
    return symbols_ ? symbols_->data_names() : std::vector<std::string>{};
  }
  std::span<const uint64_t> kprobe_blacklist() const override {
    if (!layout_.module().empty()) return layout_.kprobe_blacklist();
    if (!kprobe_blacklist_ && image_ && symbols_)
      kprobe_blacklist_ = read_kprobe_blacklist(*image_, *symbols_);
    return kprobe_blacklist_ ? *kprobe_blacklist_ : std::span<const uint64_t>{};
  }
  std::string_view module() const override { return layout_.module(); }
  std::optional<types::Section> section_at(uint64_t address) const override {
    return layout_.section_at(address);
  }

 private:
  std::vector<Function> functions_named(const std::string& name) const;
  std::vector<Function> functions_like(const Glob&) const;
  const std::unordered_map<std::string_view, uint32_t>& ids() const;
  Answer<BtfTypes::Prototype> prototype_of(const Function&) const;

  std::unique_ptr<BtfFile> file_;
  std::unique_ptr<Symbols> symbols_;  // may be null
  std::unique_ptr<Image> image_;      // may be null
  mutable BtfTypes types_;            // remembers what it made
  mutable std::unordered_map<std::string_view, uint32_t> ids_;
  mutable std::optional<std::vector<uint64_t>> kprobe_blacklist_;
  bool checked_prototypes_;
  ModuleLayout layout_;  // of a module
};

Function from_symbol(const Symbol& symbol, std::string_view name, uint32_t id) {
  Function f;
  f.name = name;
  f.symbol = symbol.name;
  f.address = symbol.address;
  f.size = symbol.size;
  f.is_global = symbol.is_global();
  f.handle = id;
  return f;
}

Function from_name(std::string_view name, uint32_t id, bool is_global) {
  Function f;
  f.name = f.symbol = name;
  f.is_global = is_global;
  f.handle = id;
  return f;
}

// FUNC by name, the first where several are.
const std::unordered_map<std::string_view, uint32_t>& BtfProvider::ids() const {
  if (ids_.empty())
    file_->each(BTF_KIND_FUNC,
                [&](uint32_t id, const btf_type& t) { ids_.emplace(file_->name(t), id); });
  return ids_;
}

std::vector<Function> BtfProvider::functions_named(const std::string& name) const {
  auto func = file_->find(name, BTF_KIND_FUNC);
  uint32_t id = func.empty() ? 0 : func.front();
  std::vector<Function> found;
  if (!symbols_) {
    if (id) found.push_back(from_name(name, id, btf_vlen(&file_->type(id)) == BTF_FUNC_GLOBAL));
    return found;
  }
  for (const auto& symbol : symbols_->find(name))
    if (symbol.is_text()) found.push_back(from_symbol(symbol, name, id));
  for (const auto& symbol : symbols_->find_prefix(name + "."))
    if (symbol.is_text() && function_of_symbol(symbol.name) == name)
      found.push_back(from_symbol(symbol, name, id));
  return found;
}

// Only what BTF knows: assembler labels are text symbols too, and no functions. Another name of what it knows
// (__x64_sys_getppid, which it calls __do_sys_getppid) counts as well, but no place is found twice.
std::vector<Function> BtfProvider::functions_like(const Glob& glob) const {
  std::vector<Function> found;
  if (!symbols_) {
    for (auto [name, id] : ids())
      if (glob.matches(name))
        found.push_back(from_name(name, id, btf_vlen(&file_->type(id)) == BTF_FUNC_GLOBAL));
    return found;
  }
  bool by_clone = means_clones(glob.pattern());
  std::vector<Symbol> others;
  std::unordered_set<uint64_t> places;
  for (size_t i = 0; i < symbols_->size(); ++i) {
    if (!symbols_->is_text(i)) continue;
    auto name = function_of_symbol(symbols_->name(i));
    bool by_own_name = by_clone && is_own_name_of_clone(symbols_->name(i)) && glob.matches(symbols_->name(i));
    if (!by_own_name && (name.empty() || !glob.matches(name))) continue;
    Symbol symbol = (*symbols_)[i];
    if (symbols_->is_init(symbol.address)) continue;
    if (by_own_name) {
      if (places.insert(symbol.address).second) found.push_back(from_symbol(symbol, symbol.name, 0));
      continue;
    }
    auto id = ids().find(name);
    if (id == ids().end()) {
      others.push_back(symbol);
      continue;
    }
    found.push_back(from_symbol(symbol, name, id->second));
    places.insert(symbol.address);
  }
  for (const Symbol& symbol : others) {
    auto known = places.count(symbol.address) ? std::nullopt : function_at(symbol.address);
    if (!known || !known->handle || known->address != symbol.address) continue;
    found.push_back(from_symbol(symbol, function_of_symbol(symbol.name), static_cast<uint32_t>(known->handle)));
    places.insert(symbol.address);
  }
  return found;
}

std::vector<Function> BtfProvider::functions(const FunctionQuery& query) const {
  if (!query.file.empty()) return {};  // BTF names no files
  Glob glob(query.name);
  auto found = glob.literal() ? functions_named(query.name) : functions_like(glob);
  // Code of __init is gone when the kernel runs; of a name that lies elsewhere too, it is no copy.
  auto init = [this](const Function& f) { return symbols_ && symbols_->is_init(f.address); };
  if (!std::all_of(found.begin(), found.end(), init)) std::erase_if(found, init);
  std::sort(found.begin(), found.end(), by_name_then_address);
  return found;
}

std::vector<std::string> BtfProvider::function_names() const {
  std::vector<std::string> names;
  for (const auto& [name, id] : ids()) names.emplace_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<Function> BtfProvider::function_at(uint64_t address) const {
  if (!symbols_) return std::nullopt;
  size_t end = symbols_->upper_bound(address);
  std::optional<Function> best;
  for (size_t i = end; i-- > 0;) {
    Symbol symbol = (*symbols_)[i];
    if (best && symbol.address != best->address) break;
    auto name = function_of_symbol(symbol.name);
    if (!symbol.is_text() || name.empty()) {
      // Data below the address: it is in no function.
      if (!symbol.is_text() && !best) return std::nullopt;
      continue;
    }
    if (address - symbol.address >= symbol.size && symbol.size > 0) break;
    auto id = ids().find(name);
    // Of several names for one address, the one that BTF knows.
    if (!best || (best->handle == 0 && id != ids().end()))
      best = from_symbol(symbol, name, id == ids().end() ? 0 : id->second);
  }
  return best;
}

Answer<BtfTypes::Prototype> BtfProvider::prototype_of(const Function& f) const {
  if (f.handle == 0 || f.handle >= file_->count())
    return needs_dwarf(fmt::format("the kernel's BTF does not describe {}()", f.name));
  const btf_type& func = file_->type(static_cast<uint32_t>(f.handle));
  if (!checked_prototypes_ && symbols_) {
    if (f.symbol != f.name)
      return needs_dwarf(
          fmt::format("the compiler changed the parameters of {}() ({})", f.name, f.symbol));
    if (functions_named(f.name).size() > 1)
      return needs_dwarf(fmt::format(
          "several functions are called {}, and BTF does not tell their parameters apart", f.name));
  }
  return types_.prototype(func.type);
}

Answer<std::vector<Variable>> BtfProvider::variables(const Place& place) const {
  if (!place.at_entry)
    return needs_dwarf("behind a function's entry only DWARF knows where variables are");
  auto prototype = prototype_of(place.function);
  if (!types::get(prototype)) return types::lack(prototype);
  const auto& [params, result, variadic] = *types::get(prototype);
  std::vector<const Type*> param_types;
  for (const auto& param : params) param_types.push_back(param.type);
  auto places = types::entry_arguments(*this, param_types, result);
  std::vector<Variable> variables;
  for (size_t i = 0; i < params.size(); ++i) {
    Variable variable{params[i].name, params[i].type, {}, true};
    if (const auto* location = types::get(places[i])) variable.location = *location;
    variables.push_back(std::move(variable));
  }
  return variables;
}

Answer<Variable> BtfProvider::variable(const Place& place, std::string_view name) const {
  auto all = variables(place);
  if (!types::get(all)) return types::lack(all);
  std::vector<std::string> names;
  for (const auto& variable : *types::get(all)) {
    if (variable.name == name) {
      if (!variable.location.known())
        return Lack{Lack::Kind::unusable, "it is passed in a form that cannot be read", {}};
      return variable;
    }
    names.push_back(variable.name);
  }
  return Lack{Lack::Kind::dwarf,
              fmt::format("{}() has no parameter '{}', and local variables are only in DWARF",
                          place.function.name, name),
              types::near_among(name, std::move(names))};
}

Answer<Variable> BtfProvider::return_value(const Function& f) const {
  auto prototype = prototype_of(f);
  if (!types::get(prototype)) return types::lack(prototype);
  const Type* result = types::get(prototype)->result;
  if (!result) return Lack{Lack::Kind::not_found, fmt::format("{}() returns nothing", f.name), {}};
  auto location = types::return_location(*this, *result);
  if (!types::get(location)) return types::lack(location);
  return Variable{"$return", result, *types::get(location), false};
}

// BTF describes per-CPU variables, and in some builds all globals, by section.
Answer<Variable> BtfProvider::global(std::string_view name, std::string_view) const {
  auto vars = file_->find(name, BTF_KIND_VAR);
  if (vars.empty()) {
    if (symbol(name))
      return needs_dwarf(fmt::format("the kernel's BTF does not give the type of '{}'", name));
    return Lack{Lack::Kind::not_found, fmt::format("the kernel has no variable '{}'", name), {}};
  }
  Variable variable{std::string(name), types_.get(file_->type(vars.front()).type), {}, false};
  if (auto address = symbol(name))
    variable.location.value = types::loc_address(*address);
  return variable;
}

// Whether the BTF was made by a pahole that compares the functions of one name.
bool has_checked_prototypes(const Target& target) {
  auto version = target.config.find("CONFIG_PAHOLE_VERSION");
  return version != target.config.end() && atoi(version->second.c_str()) >= 125;
}

}  // namespace

std::unique_ptr<types::Provider> open_btf(const Target& target, std::string& why_not) {
  auto file = BtfFile::open(target, why_not);
  if (!file) return nullptr;
  std::string ignored;  // without them, addresses are resolved at load
  auto symbols = Symbols::open(target, ignored);
  auto image = Image::open(target.vmlinux.empty() ? target.debuginfo : target.vmlinux, ignored);
  return std::make_unique<BtfProvider>(std::move(file), std::move(symbols), std::move(image),
                                       has_checked_prototypes(target));
}

std::unique_ptr<types::Provider> open_module_btf(const std::filesystem::path& path,
                                                 const std::string& module, const Target& target,
                                                 std::shared_ptr<const BtfFile> base,
                                                 std::string& why_not) {
  auto file = BtfFile::open_module(path, std::move(base), why_not);
  if (!file) return nullptr;
  dwarf::File elf(path);
  auto symbols = elf.elf() ? Symbols::of_module(elf.elf()) : nullptr;
  if (!symbols) {
    why_not = fmt::format("{} has no symbols", path.string());
    return nullptr;
  }
  return std::make_unique<BtfProvider>(std::move(file), std::move(symbols), nullptr,
                                       has_checked_prototypes(target),
                                       ModuleLayout(module, elf.elf()));
}

}  // namespace stp
