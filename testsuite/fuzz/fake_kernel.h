// A kernel made up for fuzzing: a few functions, one of each shape of type, two tracepoints.
//
// It answers as DWARF would, at once and without files, so that what is measured is the translator.
#pragma once

#include <fnmatch.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "types/calling_convention.h"
#include "types/sources.h"

namespace stp::fuzz {

class FakeKernel : public types::Provider {
 public:
  FakeKernel() {
    using types::Kind;
    const types::Type* number = add({Kind::integer, "int", 4, true});
    const types::Type* wide = add({Kind::integer, "unsigned long", 8});
    const types::Type* letter = add({Kind::character, "char", 1, true});
    const types::Type* text = pointer(add({Kind::qualifier, "const", 1, false, letter}));
    const types::Type* ratio = add({Kind::floating, "double", 8});
    const types::Type* mode = add({Kind::enumeration, "mode", 4});
    const types::Type* unknown = add({Kind::forward, "module"});
    const types::Type* call = add({Kind::function, ""});
    const types::Type* inner = add({Kind::structure, "inner", 16});
    const types::Type* anonymous = add({Kind::union_type, "", 8, false, nullptr, {}, 1});
    const types::Type* file = add({Kind::structure, "file", 128});
    const types::Type* name = add({Kind::array, "", 16, false, letter, 16});
    const types::Type* tail = add({Kind::array, "", 0, false, number});
    const types::Type* position = add({Kind::type_alias, "loff_t", 8, true, wide});
    const types::Type* file_pointer = pointer(file);

    members_[inner] = {{"x", number, 0}, {"y", pointer(inner), 8}};
    members_[anonymous] = {{"word", wide, 0}, {"half", number, 4}};
    members_[file] = {
        {"mode", mode, 0},          {"flags", number, 4, 3, 5}, {"name", text, 8},
        {"inner", inner, 16},       {"", anonymous, 32},        {"list", name, 40},
        {"next", file_pointer, 56}, {"ratio", ratio, 64},       {"owner", pointer(unknown), 72},
        {"run", pointer(call), 80}, {"pos", position, 88},      {"tail", tail, 96}};

    add_function(
        "vfs_read", 0x1000,
        {{"file", file_pointer}, {"buf", text}, {"count", wide}, {"pos", pointer(position)}},
        position);
    add_function("vfs_write", 0x2000, {{"file", file_pointer}, {"ratio", ratio}, {"small", inner}},
                 inner);
    add_function("schedule", 0x3000, {}, nullptr);
    types::Function copy = functions_.back();
    copy.name = "inlined_copy";
    copy.symbol.clear();
    copy.inlined = true;
    copy.address += 8;
    functions_.push_back(copy);
    tracepoints_ = {{"sched_switch", "sched", {{"preempt", number}, {"prev", file_pointer}}},
                    {"sys_enter", "", {{"id", wide}, {"small", inner}}}};
    global_ = {"jiffies", wide, {types::Location::Kind::memory, types::loc_address(0x9000), {}}};
    for (const char* spelling : {"int", "unsigned long", "char", "struct file", "struct inner"})
      for (const types::Type& type : types_)
        if (types::spell(&type) == spelling) by_name_[spelling] = &type;
    by_name_["struct file *"] = file_pointer;
  }

  std::string_view source() const override { return "dwarf"; }

  std::vector<types::Function> functions(const types::FunctionQuery& query) const override {
    std::vector<types::Function> found;
    for (const types::Function& f : functions_)
      if (like(query.name, f.name) && (query.file.empty() || like(query.file, f.file)) &&
          (query.inlined_too || !f.inlined))
        found.push_back(f);
    return found;
  }
  std::vector<std::string> function_names() const override {
    std::vector<std::string> names;
    for (const types::Function& f : functions_) names.push_back(f.name);
    return names;
  }
  types::Answer<std::vector<types::Statement>> statements(const types::FunctionQuery& query,
                                                          uint32_t line, bool relative,
                                                          bool) const override {
    std::vector<types::Statement> found;
    for (const types::Function& f : functions(query)) {
      uint32_t at = relative ? f.line + line : line;
      for (uint32_t offset = 0; offset < 4; ++offset)
        if (!line || at == f.line + offset)
          found.push_back({f, f.address + 4 * offset, f.file, f.line + offset});
    }
    if (found.empty()) return nothing("");
    return found;
  }
  std::optional<types::Function> function_at(uint64_t address) const override {
    for (const types::Function& f : functions_)
      if (address >= f.address && address < f.address + f.size) return f;
    return std::nullopt;
  }
  uint64_t after_prologue(const types::Function& f) const override { return f.address + 4; }

  types::Answer<std::vector<types::Variable>> variables(const types::Place& place) const override {
    auto params = params_.find(place.function.address & ~0xfffULL);
    if (params == params_.end()) return nothing("no variables here");
    std::vector<const types::Type*> kinds;
    for (const types::Param& param : params->second) kinds.push_back(param.type);
    auto where = types::entry_arguments(*this, kinds, nullptr);
    std::vector<types::Variable> found;
    for (size_t i = 0; i < kinds.size(); ++i) {
      types::Variable v{params->second[i].name, kinds[i], {}, true};
      if (auto* location = types::get(where[i])) v.location = *location;
      found.push_back(v);
    }
    // A local that is in memory, and one that was optimised out.
    found.push_back({"here",
                     by_name_.at("struct file"),
                     {types::Location::Kind::memory, types::loc_reg(7), {}},
                     false});
    found.push_back({"gone", by_name_.at("int"), {}, false});
    return found;
  }
  types::Answer<types::Variable> variable(const types::Place& place,
                                          std::string_view name) const override {
    auto all = variables(place);
    if (auto* list = types::get(all))
      for (const types::Variable& v : *list)
        if (v.name == name) return v;
    return types::Lack{types::Lack::Kind::not_found, "", types::near_among("file", {"file"})};
  }
  types::Answer<types::Variable> return_value(const types::Function& f) const override {
    auto type = results_.find(f.address);
    if (type == results_.end() || !type->second) return nothing("");
    auto where = types::return_location(*this, *type->second);
    if (!types::get(where)) return types::lack(where);
    return types::Variable{"return", type->second, *types::get(where)};
  }
  types::Answer<types::Variable> global(std::string_view name, std::string_view) const override {
    if (name == global_.name) return global_;
    return nothing("");
  }
  std::vector<types::Tracepoint> tracepoints(std::string_view glob) const override {
    std::vector<types::Tracepoint> found;
    for (const types::Tracepoint& t : tracepoints_)
      if (like(std::string(glob), t.name)) found.push_back(t);
    return found;
  }

  types::Answer<const types::Type*> type(std::string_view spelling) const override {
    auto found = by_name_.find(std::string(spelling));
    if (found != by_name_.end()) return found->second;
    return nothing("");
  }
  std::vector<types::Member> members(const types::Type& type) const override {
    auto found = members_.find(&type);
    return found == members_.end() ? std::vector<types::Member>{} : found->second;
  }
  std::vector<types::Enumerator> enumerators(const types::Type&) const override {
    return {{"MODE_READ", 1}, {"MODE_WRITE", 2}};
  }
  std::optional<int64_t> enumerator(std::string_view name) const override {
    return name == "MODE_READ" ? std::optional<int64_t>(1) : std::nullopt;
  }
  std::optional<uint64_t> symbol(std::string_view name) const override {
    if (name == "_printk") return 0x8000;
    return std::nullopt;
  }

 private:
  static types::Lack nothing(const char* detail) {
    return {types::Lack::Kind::not_found, detail, {}};
  }
  static bool like(const std::string& glob, const std::string& name) {
    return fnmatch(glob.c_str(), name.c_str(), 0) == 0;
  }
  const types::Type* add(types::Type type) {
    types_.push_back(std::move(type));
    return &types_.back();
  }
  const types::Type* pointer(const types::Type* to) {
    return add({types::Kind::pointer, "", 8, false, to});
  }
  void add_function(const char* name, uint64_t address, std::vector<types::Param> params,
                    const types::Type* result) {
    types::Function f;
    f.name = f.symbol = name;
    f.file = "fs/read_write.c";
    f.line = static_cast<uint32_t>(address / 100);
    f.address = address;
    f.size = 0x100;
    f.is_global = true;
    functions_.push_back(f);
    params_[address] = std::move(params);
    results_[address] = result;
  }

  std::deque<types::Type> types_;
  std::map<const types::Type*, std::vector<types::Member>> members_;
  std::map<std::string, const types::Type*> by_name_;
  std::vector<types::Function> functions_;
  std::map<uint64_t, std::vector<types::Param>> params_;
  std::map<uint64_t, const types::Type*> results_;
  std::vector<types::Tracepoint> tracepoints_;
  types::Variable global_;
};

class FakeSources : public types::Sources {
 public:
  explicit FakeSources(const FakeKernel& kernel) : kernel_(kernel) {}
  const types::Provider* kernel(Diagnostics&) override { return &kernel_; }
  const types::Provider* module(const std::string& name, const Span& span, Diagnostics& d,
                                const std::string&) override {
    d.error(Code::no_match, span, "there is no module " + name);
    return nullptr;
  }
  std::vector<std::string> modules(const std::string& glob) override { return {glob}; }

 private:
  const FakeKernel& kernel_;
};

}  // namespace stp::fuzz
