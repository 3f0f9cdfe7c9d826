// A kernel module's sections and symbols, at the addresses that dwarf::File gave its sections.
#pragma once

#include <gelf.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "types/provider.h"

namespace stp {

// Calls `use` with the index, name and header of each section that is loaded.
void each_section(Elf*, const std::function<void(size_t, std::string_view, const GElf_Shdr&)>& use);

// Calls `use` with each symbol that has a name and lies in a loaded section, and that section. Files
// and sections are no symbols here.
void each_symbol(
    Elf*, const std::function<void(const GElf_Sym&, std::string_view, const GElf_Shdr&)>& use);

class ModuleLayout {
 public:
  ModuleLayout() = default;
  ModuleLayout(std::string module, Elf*);

  const std::string& module() const { return module_; }
  const std::vector<types::Section>& sections() const { return sections_; }
  // Nothing where no section is.
  std::optional<types::Section> section_at(uint64_t address) const;
  // Entries of functions marked NOKPROBE_SYMBOL, ascending.
  std::span<const uint64_t> kprobe_blacklist() const { return kprobe_blacklist_; }

 private:
  std::string module_;
  std::vector<types::Section> sections_;
  std::vector<uint64_t> kprobe_blacklist_;
};

}  // namespace stp
