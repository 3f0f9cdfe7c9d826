// Read with libelf: `nm` would do, and cost a process for each script.
#include "build/object_symbols.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>
#include <unistd.h>

#include <stdexcept>

namespace stp {
namespace {

void add_table(Elf* elf, Elf_Scn* section, const GElf_Shdr& header, ObjectSymbols& symbols) {
  Elf_Data* data = elf_getdata(section, nullptr);
  if (!data || header.sh_entsize == 0) return;
  GElf_Sym symbol;
  for (int i = 1; gelf_getsym(data, i, &symbol); ++i) {
    const char* name = elf_strptr(elf, header.sh_link, symbol.st_name);
    if (!name || !*name || GELF_ST_BIND(symbol.st_info) == STB_LOCAL) continue;
    (symbol.st_shndx == SHN_UNDEF ? symbols.undefined : symbols.defined).insert(name);
  }
}

}  // namespace

ObjectSymbols object_symbols(const std::filesystem::path& object) {
  ObjectSymbols symbols;
  elf_version(EV_CURRENT);
  int fd = open(object.c_str(), O_RDONLY | O_CLOEXEC);
  Elf* elf = fd < 0 ? nullptr : elf_begin(fd, ELF_C_READ_MMAP, nullptr);
  bool good = elf && elf_kind(elf) == ELF_K_ELF;
  for (Elf_Scn* section = nullptr; good && (section = elf_nextscn(elf, section));) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB)
      add_table(elf, section, header, symbols);
  }
  elf_end(elf);
  if (fd >= 0) close(fd);
  if (!good) throw std::runtime_error(fmt::format("{} is no ELF object", object.string()));
  return symbols;
}

}  // namespace stp
