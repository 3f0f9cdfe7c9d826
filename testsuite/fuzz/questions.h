// Every question that debug information can be asked, put to a file that may be damaged.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "debuginfo/btf.h"
#include "debuginfo/dwarf.h"
#include "debuginfo/elf_file.h"
#include "debuginfo/find.h"
#include "debuginfo/unwind.h"
#include "debuginfo/symbols_provider.h"
#include "types/provider.h"

namespace stp::fuzz {

class Questions {
 public:
  explicit Questions(const types::Provider& provider) : provider_(provider) {}

  void ask() {
    for (const auto& name : {"int", "struct node", "struct node *", "color", "union word", "a::B"})
      if (auto answer = provider_.type(name); types::get(answer)) type(*types::get(answer), 0);
    for (const auto& name : {"counter", "a_node", "table"})
      if (auto answer = provider_.global(name, ""); types::get(answer))
        type(types::get(answer)->type, 0);
    provider_.enumerator("RED");
    provider_.symbol("main");
    provider_.function_names();
    for (const auto& t : provider_.tracepoints("*"))
      for (const auto& p : t.params) type(p.type, 0);
    size_t left = 24;
    for (const auto& f : provider_.functions({"*", "", true}))
      if (left-- > 0) function(f);
      else break;
    provider_.functions({"main", "*.c", true});
    for (bool nearest : {false, true}) provider_.statements({"*", "", true}, 12, false, nearest);
    provider_.statements({"walk", "", true}, 0, false, false);
  }

 private:
  void function(const types::Function& f) {
    provider_.after_prologue(f);
    provider_.return_value(f);
    provider_.labels(f);
    provider_.calls(f);
    provider_.function_at(f.address);
    provider_.source_frames(f.address + f.size / 2);
    provider_.symbol_at(f.address + 1);
    for (uint64_t pc : {f.address, f.address + f.size / 2, f.address + f.size - 1}) {
      auto answer = provider_.variables({f, pc, pc == f.address});
      if (auto* variables = types::get(answer))
        for (const auto& v : *variables) {
          provider_.variable({f, pc, pc == f.address}, v.name);
          type(v.type, 0);
        }
    }
  }
  void type(const types::Type* t, int depth) {
    if (!t || depth > 6 || !seen_.insert(t).second || seen_.size() > 2000) return;
    types::spell(t);
    type(types::strip(t), depth + 1);
    type(t->of, depth + 1);
    provider_.enumerators(*t);
    for (const auto& m : provider_.members(*t)) type(m.type, depth + 1);
    types::find_member(provider_, *t, "next");
  }

  const types::Provider& provider_;
  std::set<const types::Type*> seen_;
};

// Every source that could take the file for its own.
inline void ask_everything(const std::filesystem::path& file) {
  std::string why_not;
  read_elf_file(file, why_not);
  find_debuginfo(file, {"/nonexistent"});
  if (auto symbols = open_user_symbols(file, why_not)) Questions(*symbols).ask();
  if (auto dwarf = open_dwarf_of_program(file, file, "it", why_not)) Questions(*dwarf).ask();
  UnwindTable::read(file, {}, why_not);
  Target target;
  target.vmlinux = file;
  if (auto btf = open_btf(target, why_not)) Questions(*btf).ask();
}

}  // namespace stp::fuzz
