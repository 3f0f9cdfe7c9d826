// Names of C++ are mangled; without their parameters they are those that DWARF has.
#include "debuginfo/user_symbols.h"

#include <algorithm>

#include <cxxabi.h>

#include <cstdlib>

#include "debuginfo/dwarf_functions.h"
#include "debuginfo/symbols.h"

namespace stp {
namespace {

using types::Answer;
using types::Function;
using types::Lack;
using types::Type;
using types::Variable;

Lack only_dwarf() { return {Lack::Kind::dwarf, "the program has symbols alone", {}}; }

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

class SymbolsProvider : public types::Provider {
 public:
  explicit SymbolsProvider(std::unique_ptr<Symbols> symbols) : symbols_(std::move(symbols)) {}

  std::string_view source() const override { return "symbols"; }

  std::vector<Function> functions(const types::FunctionQuery& query) const override {
    std::vector<Function> found;
    dwarf::ScopedPattern name(query.name);
    if (!query.file.empty()) return found;
    for (size_t i = 0; i < symbols_->size(); ++i)
      if (symbols_->is_text(i) && name.matches(source_name(symbols_->name(i))))
        found.push_back(function_of((*symbols_)[i]));
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.name < b.name; });
    return found;
  }
  std::vector<std::string> function_names() const override {
    std::vector<std::string> names;
    for (size_t i = 0; i < symbols_->size(); ++i)
      if (symbols_->is_text(i)) names.push_back(source_name(symbols_->name(i)));
    return names;
  }
  Answer<std::vector<types::Statement>> statements(const types::FunctionQuery&, uint32_t, bool,
                                                   bool) const override {
    return only_dwarf();
  }
  std::optional<Function> function_at(uint64_t address) const override {
    for (size_t i = symbols_->upper_bound(address); i-- > 0;)
      if (symbols_->is_text(i)) return function_of((*symbols_)[i]);
    return std::nullopt;
  }
  uint64_t after_prologue(const Function& f) const override { return f.address; }
  Answer<std::vector<Variable>> variables(const types::Place&) const override {
    return only_dwarf();
  }
  Answer<Variable> variable(const types::Place&, std::string_view) const override {
    return only_dwarf();
  }
  Answer<Variable> return_value(const Function&) const override { return only_dwarf(); }
  Answer<Variable> global(std::string_view, std::string_view) const override {
    return only_dwarf();
  }
  std::vector<types::Tracepoint> tracepoints(std::string_view) const override { return {}; }
  Answer<const Type*> type(std::string_view) const override { return only_dwarf(); }
  std::vector<types::Member> members(const Type&) const override { return {}; }
  std::vector<types::Enumerator> enumerators(const Type&) const override { return {}; }
  std::optional<int64_t> enumerator(std::string_view) const override { return std::nullopt; }
  std::optional<uint64_t> symbol(std::string_view name) const override {
    return symbols_->address(name);
  }

 private:
  static Function function_of(const Symbol& s) {
    Function f;
    f.name = source_name(s.name);
    f.symbol = s.name;
    f.address = s.address;
    f.size = s.size;
    f.is_global = s.is_global();
    return f;
  }

  std::unique_ptr<Symbols> symbols_;
};

}  // namespace

std::unique_ptr<types::Provider> open_user_symbols(const std::filesystem::path& program,
                                                   std::string& why_not) {
  Target target;
  target.debuginfo = program;
  auto symbols = Symbols::open(target, why_not);
  if (!symbols) return nullptr;
  return std::make_unique<SymbolsProvider>(std::move(symbols));
}

}  // namespace stp
