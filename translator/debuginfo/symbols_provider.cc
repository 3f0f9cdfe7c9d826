// Names of C++ are mangled; without their parameters they are those that DWARF has. What the compiler
// made of a kernel's function goes by the name in the source, as BTF has it.
#include "debuginfo/symbols_provider.h"

#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <functional>

#include "debuginfo/dwarf_file.h"
#include "debuginfo/dwarf_functions.h"
#include "debuginfo/glob.h"
#include "debuginfo/module_layout.h"
#include "debuginfo/symbols.h"

namespace stp {

std::string source_name(std::string_view symbol) {
  std::string name(symbol);
  if (!name.starts_with("_Z")) return name;
  std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, nullptr), free);
  if (!text) return name;
  std::string whole = text.get();
  constexpr std::string_view nameless = "(anonymous namespace)";
  size_t from = whole.rfind(nameless);
  return whole.substr(0, whole.find('(', from == whole.npos ? 0 : from + nameless.size()));
}

namespace {

using types::Answer;
using types::Function;
using types::Lack;
using types::Type;
using types::Variable;

// What all answer alike: nothing, of what symbols do not have.
class SymbolsProvider : public types::Provider {
 public:
  SymbolsProvider(std::unique_ptr<Symbols> symbols, Lack lack)
      : symbols_(std::move(symbols)), lack_(std::move(lack)) {}

  std::string_view source() const override { return "symbols"; }

  std::vector<Function> functions(const types::FunctionQuery& query) const override {
    std::vector<Function> found;
    if (!query.file.empty()) return found;
    Matching matching = matcher(query.name);
    for (size_t i = 0; i < symbols_->size(); ++i)
      if (symbols_->is_text(i) && matching(i)) found.push_back(function_of((*symbols_)[i]));
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.name < b.name; });
    return found;
  }
  std::vector<std::string> function_names() const override {
    std::vector<std::string> names;
    for (size_t i = 0; i < symbols_->size(); ++i)
      if (symbols_->is_text(i)) names.push_back(name_of(symbols_->name(i)));
    return names;
  }
  Answer<std::vector<types::Statement>> statements(const types::FunctionQuery&, uint32_t, bool,
                                                   bool) const override {
    return Lack{Lack::Kind::dwarf, lack_.detail, {}};
  }
  std::optional<Function> function_at(uint64_t address) const override {
    for (size_t i = symbols_->upper_bound(address); i-- > 0;)
      if (symbols_->is_text(i)) return function_of((*symbols_)[i]);
    return std::nullopt;
  }
  uint64_t after_prologue(const Function& f) const override { return f.address; }
  Answer<std::vector<Variable>> variables(const types::Place&) const override { return lack(); }
  Answer<Variable> variable(const types::Place&, std::string_view) const override { return lack(); }
  Answer<Variable> return_value(const Function&) const override { return lack(); }
  Answer<Variable> global(std::string_view, std::string_view) const override { return lack(); }
  std::vector<types::Tracepoint> tracepoints(std::string_view) const override { return {}; }
  Answer<const Type*> type(std::string_view) const override { return lack(); }
  std::vector<types::Member> members(const Type&) const override { return {}; }
  std::vector<types::Enumerator> enumerators(const Type&) const override { return {}; }
  std::optional<int64_t> enumerator(std::string_view) const override { return std::nullopt; }
  std::optional<uint64_t> symbol(std::string_view name) const override {
    return symbols_->address(name);
  }
  std::vector<std::string> data_names() const override { return symbols_->data_names(); }

 protected:
  using Matching = std::function<bool(size_t)>;
  virtual Matching matcher(const std::string& pattern) const = 0;
  virtual std::string name_of(std::string_view symbol) const = 0;
  const Symbols& symbols() const { return *symbols_; }

 private:
  const Lack& lack() const { return lack_; }
  Function function_of(const Symbol& s) const {
    Function f;
    f.name = name_of(s.name);
    f.symbol = s.name;
    f.address = s.address;
    f.size = s.size;
    f.is_global = s.is_global();
    return f;
  }

  std::unique_ptr<Symbols> symbols_;
  Lack lack_;
};

class ProgramSymbols : public SymbolsProvider {
 public:
  explicit ProgramSymbols(std::unique_ptr<Symbols> symbols)
      : SymbolsProvider(std::move(symbols),
                        {Lack::Kind::dwarf, "the program has symbols alone", {}}) {}

 protected:
  Matching matcher(const std::string& pattern) const override {
    return [this, name = dwarf::ScopedPattern(pattern)](size_t i) {
      return name.matches(source_name(symbols().name(i)));
    };
  }
  std::string name_of(std::string_view symbol) const override { return source_name(symbol); }
};

// The kernel, or one of its modules.
class KernelSymbols : public SymbolsProvider {
 public:
  KernelSymbols(std::unique_ptr<Symbols> symbols, const std::string& instead_of,
                ModuleLayout layout = {})
      : SymbolsProvider(std::move(symbols), {Lack::Kind::debuginfo, instead_of, {}}),
        layout_(std::move(layout)) {}

  std::string_view module() const override { return layout_.module(); }
  std::optional<types::Section> section_at(uint64_t address) const override {
    return layout_.section_at(address);
  }
  std::span<const uint64_t> kprobe_blacklist() const override { return layout_.kprobe_blacklist(); }
  // include/linux/tracepoint.h, DEFINE_TRACE: a struct tracepoint __tracepoint_NAME.
  std::vector<types::Tracepoint> tracepoints(std::string_view pattern) const override {
    constexpr std::string_view prefix = "__tracepoint_";
    Glob glob(pattern);
    std::vector<types::Tracepoint> found;
    for (const Symbol& s : symbols().find_prefix(prefix)) {
      std::string name(s.name.substr(prefix.size()));
      if (!s.is_text() && glob.matches(name)) found.push_back({name, "", {}});
    }
    return found;
  }

 protected:
  // Code of __init is gone when the kernel runs: no wildcard means it.
  Matching matcher(const std::string& pattern) const override {
    return [this, glob = Glob(pattern), clones = means_clones(pattern)](size_t i) {
      std::string_view symbol = symbols().name(i), name = function_of_symbol(symbol);
      bool matches = !name.empty() && glob.matches(name);
      matches |= clones && is_own_name_of_clone(symbol) && glob.matches(symbol);
      return matches && (glob.literal() || !symbols().is_init(symbols()[i].address));
    };
  }
  std::string name_of(std::string_view symbol) const override {
    std::string_view name = function_of_symbol(symbol);
    return std::string(name.empty() ? symbol : name);
  }

 private:
  ModuleLayout layout_;
};

}  // namespace

std::unique_ptr<types::Provider> open_user_symbols(const std::filesystem::path& program,
                                                   std::string& why_not) {
  Target target;
  target.debuginfo = program;
  auto symbols = Symbols::open(target, why_not);
  if (!symbols) return nullptr;
  return std::make_unique<ProgramSymbols>(std::move(symbols));
}

std::unique_ptr<types::Provider> open_kernel_symbols(const Target& target,
                                                     const std::string& instead_of,
                                                     std::string& why_not) {
  auto symbols = Symbols::open(target, why_not);
  if (!symbols) return nullptr;
  return std::make_unique<KernelSymbols>(std::move(symbols), instead_of);
}

std::unique_ptr<types::Provider> open_module_symbols(const std::filesystem::path& path,
                                                     const std::string& module,
                                                     const std::string& instead_of,
                                                     std::string& why_not) {
  dwarf::File file(path);
  auto symbols = file.elf() ? Symbols::of_module(file.elf()) : nullptr;
  if (!symbols) {
    why_not = fmt::format("{} has no symbols", path.string());
    return nullptr;
  }
  return std::make_unique<KernelSymbols>(std::move(symbols), instead_of,
                                         ModuleLayout(module, file.elf()));
}

}  // namespace stp
