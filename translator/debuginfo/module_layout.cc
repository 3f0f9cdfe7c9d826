// A module is relocated section by section. What the kernel keeps of a loaded one is its symbols, so
// a section is found again by one of them, the anchor. Local symbols may share a name; one that is
// called like no other is taken.
#include "debuginfo/module_layout.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "debuginfo/elf_sections.h"

namespace stp {

void each_section(Elf* elf,
                  const std::function<void(size_t, std::string_view, const GElf_Shdr&)>& use) {
  each_named_section(elf, [&](Elf_Scn* section, std::string_view name, const GElf_Shdr& header) {
    if (header.sh_flags & SHF_ALLOC) use(elf_ndxscn(section), name, header);
  });
}

void each_symbol(
    Elf* elf,
    const std::function<void(const GElf_Sym&, std::string_view, const GElf_Shdr&)>& use) {
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(elf, section))) {
    GElf_Shdr table;
    if (!gelf_getshdr(section, &table) || table.sh_type != SHT_SYMTAB || !table.sh_entsize)
      continue;
    Elf_Data* data = elf_getdata(section, nullptr);
    GElf_Sym symbol;
    for (size_t i = 0; data && i < table.sh_size / table.sh_entsize; ++i) {
      if (!gelf_getsym(data, static_cast<int>(i), &symbol)) break;
      int type = GELF_ST_TYPE(symbol.st_info);
      const char* name = elf_strptr(elf, table.sh_link, symbol.st_name);
      if (type == STT_FILE || type == STT_SECTION || !name || !*name) continue;
      Elf_Scn* its_section = symbol.st_shndx < SHN_LORESERVE ? elf_getscn(elf, symbol.st_shndx) : nullptr;
      GElf_Shdr header;
      if (symbol.st_shndx == SHN_UNDEF || !its_section || !gelf_getshdr(its_section, &header) ||
          !(header.sh_flags & SHF_ALLOC))
        continue;
      use(symbol, name, header);
    }
  }
}

namespace {

// NOKPROBE_SYMBOL() leaves the function's address in a section, which the kernel reads when it loads
// the module. libdwfl has relocated it as well, and emptied the table of relocations; a file with debug
// information alone has nothing but that table.
std::vector<uint64_t> marked_nokprobe(Elf* elf) {
  std::vector<uint64_t> entries;
  Elf_Scn *section = nullptr, *list = nullptr;
  each_section(elf, [&](size_t index, std::string_view name, const GElf_Shdr&) {
    if (name == "_kprobe_blacklist") list = elf_getscn(elf, index);
  });
  while (list && (section = elf_nextscn(elf, section))) {
    GElf_Shdr header, table, its;
    if (!gelf_getshdr(section, &header) || header.sh_type != SHT_RELA ||
        header.sh_info != elf_ndxscn(list) || !header.sh_entsize)
      continue;
    Elf_Scn* symbols = elf_getscn(elf, header.sh_link);
    Elf_Data *data = elf_getdata(section, nullptr), *names = symbols ? elf_getdata(symbols, nullptr) : nullptr;
    if (!data || !names || !gelf_getshdr(symbols, &table) || table.sh_type != SHT_SYMTAB) continue;
    GElf_Rela rela;
    GElf_Sym symbol;
    for (size_t i = 0; i < header.sh_size / header.sh_entsize; ++i) {
      if (!gelf_getrela(data, static_cast<int>(i), &rela) ||
          !gelf_getsym(names, static_cast<int>(GELF_R_SYM(rela.r_info)), &symbol))
        break;
      Elf_Scn* code = symbol.st_shndx < SHN_LORESERVE ? elf_getscn(elf, symbol.st_shndx) : nullptr;
      if (code && gelf_getshdr(code, &its))
        entries.push_back(its.sh_addr + symbol.st_value + static_cast<uint64_t>(rela.r_addend));
    }
  }
  Elf_Data* words = list && entries.empty() ? elf_getdata(list, nullptr) : nullptr;
  for (size_t at = 0; words && words->d_buf && at + 8 <= words->d_size; at += 8) {
    uint64_t entry = 0;
    std::memcpy(&entry, static_cast<const char*>(words->d_buf) + at, sizeof entry);
    entries.push_back(entry);
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

}  // namespace

ModuleLayout::ModuleLayout(std::string module, Elf* elf) : module_(std::move(module)) {
  std::map<std::string, size_t, std::less<>> times;
  each_symbol(elf, [&](const GElf_Sym&, std::string_view name, const GElf_Shdr&) {
    ++times[std::string(name)];
  });
  std::map<uint64_t, types::Section> by_begin;
  each_section(elf, [&](size_t, std::string_view name, const GElf_Shdr& header) {
    if (!header.sh_size) return;
    types::Section section{module_, std::string(name), header.sh_addr, 0, "", 0,
                           (header.sh_flags & SHF_EXECINSTR) != 0};
    section.end = section.begin + header.sh_size;
    by_begin[section.begin] = section;
  });
  each_symbol(elf, [&](const GElf_Sym& symbol, std::string_view name, const GElf_Shdr& header) {
    auto at = by_begin.find(header.sh_addr);
    if (at == by_begin.end() || !at->second.anchor.empty() || name[0] == '.' ||
        name.starts_with("__UNIQUE_ID") || times.find(name)->second != 1)
      return;
    at->second.anchor = name;
    at->second.anchor_address = header.sh_addr + symbol.st_value;
  });
  for (auto& [begin, section] : by_begin) sections_.push_back(std::move(section));
  kprobe_blacklist_ = marked_nokprobe(elf);
}

std::optional<types::Section> ModuleLayout::section_at(uint64_t address) const {
  for (const auto& section : sections_)
    if (address >= section.begin && address < section.end) return section;
  return std::nullopt;
}

}  // namespace stp
