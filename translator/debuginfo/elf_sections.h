// The sections of an ELF file that elfutils has opened.
#pragma once

#include <gelf.h>

#include <cstddef>
#include <string_view>

namespace stp {

// Calls `use` with each section, its name (empty when it cannot be read) and its header.
template <typename Use>
void each_named_section(Elf* elf, Use use) {
  size_t names = 0;
  if (elf_getshdrstrndx(elf, &names) != 0) return;
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(elf, section))) {
    GElf_Shdr header;
    if (!gelf_getshdr(section, &header)) continue;
    const char* name = elf_strptr(elf, names, header.sh_name);
    use(section, std::string_view(name ? name : ""), header);
  }
}

}  // namespace stp
