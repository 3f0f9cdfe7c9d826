#include "build/object_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <stdexcept>

namespace stp {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void fail(const fs::path& file, const char* what) {
  throw std::runtime_error(fmt::format("{}: {}", file.string(), what));
}

class ElfFile {
 public:
  // Closes `fd`; `file` is for messages.
  ElfFile(const fs::path& file, int fd, Elf_Cmd command) : file_(file), fd_(fd) {
    elf_version(EV_CURRENT);
    if (fd_ >= 0) elf_ = elf_begin(fd_, command, nullptr);
    if (!elf_) {
      if (fd_ >= 0) close(fd_);
      fail(file_, "no ELF object");
    }
  }
  ~ElfFile() {
    elf_end(elf_);
    close(fd_);
  }
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;
  Elf* get() const { return elf_; }
  void need(bool good, const char* what) const {
    if (!good) fail(file_, what);
  }

 private:
  fs::path file_;
  int fd_ = -1;
  Elf* elf_ = nullptr;
};

void read_symbols(const ElfFile& file, Elf_Data* data, uint32_t strings, Object& object) {
  GElf_Sym symbol;
  for (int i = 0; gelf_getsym(data, i, &symbol); ++i) {
    const char* name = elf_strptr(file.get(), strings, symbol.st_name);
    file.need(name, "a symbol without a name");
    object.symbols.push_back({name, static_cast<uint8_t>(GELF_ST_BIND(symbol.st_info)),
                              static_cast<uint8_t>(GELF_ST_TYPE(symbol.st_info)),
                              static_cast<uint8_t>(GELF_ST_VISIBILITY(symbol.st_other)),
                              symbol.st_shndx, symbol.st_value, symbol.st_size});
  }
}

void read_relocations(Elf_Data* data, ObjectSection& section) {
  GElf_Rela rela;
  for (int i = 0; gelf_getrela(data, i, &rela); ++i)
    section.relocations.push_back({rela.r_offset, static_cast<uint32_t>(GELF_R_TYPE(rela.r_info)),
                                   static_cast<uint32_t>(GELF_R_SYM(rela.r_info)), rela.r_addend});
}

// Where a name stands in a table of strings that grows. It may be the end of another one.
uint32_t add_name(std::string& table, const std::string& name) {
  if (name.empty()) return 0;
  if (size_t known = table.find(name.c_str(), 0, name.size() + 1); known != std::string::npos) return known;
  uint32_t at = table.size();
  table += name;
  table += '\0';
  return at;
}

// The table of sections' names, which starts with its own.
constexpr char names_of_sections[] = "\0.shstrtab";
constexpr uint32_t own_name = 1;
const std::string relocations_of = ".rela";

// What libelf points to until the file is written.
struct Parts {
  std::string section_names{names_of_sections, sizeof(names_of_sections)}, symbol_names{'\0'};
  std::vector<GElf_Sym> symbols;
  std::vector<uint32_t> symbol_index;  // of an Object's symbol, in the file: local ones come first
  uint32_t first_global = 0;
  std::deque<std::vector<GElf_Rela>> relocations;
};

void number_symbols(const Object& object, const std::vector<uint32_t>& section_index,
                    Parts& parts) {
  parts.symbol_index.assign(object.symbols.size(), 0);
  for (bool local : {true, false}) {
    if (!local) parts.first_global = parts.symbols.size();
    for (size_t i = 0; i < object.symbols.size(); ++i) {
      const ObjectSymbol& symbol = object.symbols[i];
      if ((symbol.binding == STB_LOCAL) != local) continue;
      parts.symbol_index[i] = parts.symbols.size();
      GElf_Sym out{};
      out.st_name = add_name(parts.symbol_names, symbol.name);
      out.st_info = GELF_ST_INFO(symbol.binding, symbol.type);
      out.st_other = symbol.visibility;
      out.st_shndx = symbol.section < section_index.size() ? section_index[symbol.section]
                                                           : symbol.section;
      out.st_value = symbol.value;
      out.st_size = symbol.size;
      parts.symbols.push_back(out);
    }
  }
}

void add_section(const ElfFile& file, uint32_t name, GElf_Shdr header, void* bytes, size_t size,
                 Elf_Type type) {
  Elf_Scn* section = elf_newscn(file.get());
  Elf_Data* data = section ? elf_newdata(section) : nullptr;
  file.need(data, "out of memory");
  data->d_buf = bytes;
  data->d_size = size;
  data->d_align = std::max<uint64_t>(header.sh_addralign, 1);
  data->d_type = type;
  data->d_version = EV_CURRENT;
  header.sh_name = name;
  header.sh_size = size;
  file.need(gelf_update_shdr(section, &header), "a section cannot be made");
}

GElf_Shdr header_of(uint32_t type, uint64_t flags, uint64_t alignment, uint64_t entry_size,
                    uint32_t link = 0, uint32_t info = 0) {
  GElf_Shdr header{};
  header.sh_type = type;
  header.sh_flags = flags;
  header.sh_addralign = alignment;
  header.sh_entsize = entry_size;
  header.sh_link = link;
  header.sh_info = info;
  return header;
}

void add_relocations(const ElfFile& file, Parts& parts, const ObjectSection& section,
                     uint32_t index, uint32_t symbols) {
  std::vector<GElf_Rela>& out = parts.relocations.emplace_back();
  for (const Relocation& r : section.relocations)
    out.push_back({r.offset, GELF_R_INFO(parts.symbol_index[r.symbol], r.type), r.addend});
  add_section(file, add_name(parts.section_names, relocations_of + section.name),
              header_of(SHT_RELA, SHF_INFO_LINK, 8, sizeof(Elf64_Rela), symbols, index), out.data(),
              out.size() * sizeof(Elf64_Rela), ELF_T_RELA);
}

void write(const Object& object, const ElfFile& file) {
  file.need(gelf_newehdr(file.get(), ELFCLASS64), "out of memory");
  // Sections with bytes first, in order; then their relocations; then the tables.
  std::vector<uint32_t> section_index(object.sections.size());
  uint32_t n = 0, n_relocated = 0;
  for (size_t i = 1; i < object.sections.size(); ++i) {
    if (!object.sections[i].type) continue;
    section_index[i] = ++n;
    n_relocated += !object.sections[i].relocations.empty();
  }
  uint32_t symtab = n + n_relocated + 1;
  Parts parts;
  number_symbols(object, section_index, parts);
  for (const ObjectSection& s : object.sections)
    if (!s.relocations.empty()) add_name(parts.section_names, relocations_of + s.name);
  for (const ObjectSection& s : object.sections)
    if (s.type)
      add_section(file, add_name(parts.section_names, s.name), header_of(s.type, s.flags, s.alignment, s.entry_size),
                  s.type == SHT_NOBITS ? nullptr : const_cast<char*>(s.bytes.data()), s.bytes.size(),
                  ELF_T_BYTE);
  for (size_t i = 1; i < object.sections.size(); ++i)
    if (!object.sections[i].relocations.empty())
      add_relocations(file, parts, object.sections[i], section_index[i], symtab);
  add_section(file, add_name(parts.section_names, ".symtab"),
              header_of(SHT_SYMTAB, 0, 8, sizeof(Elf64_Sym), symtab + 1, parts.first_global),
              parts.symbols.data(), parts.symbols.size() * sizeof(Elf64_Sym), ELF_T_SYM);
  add_section(file, add_name(parts.section_names, ".strtab"), header_of(SHT_STRTAB, 0, 1, 0), parts.symbol_names.data(),
              parts.symbol_names.size(), ELF_T_BYTE);
  add_section(file, own_name, header_of(SHT_STRTAB, 0, 1, 0), parts.section_names.data(),
              parts.section_names.size(), ELF_T_BYTE);
  GElf_Ehdr head;
  file.need(gelf_getehdr(file.get(), &head), "out of memory");
  head.e_ident[EI_DATA] = ELFDATA2LSB;
  head.e_type = ET_REL;
  head.e_machine = EM_X86_64;
  head.e_version = EV_CURRENT;
  head.e_shstrndx = symtab + 2;
  file.need(gelf_update_ehdr(file.get(), &head) && elf_update(file.get(), ELF_C_WRITE) >= 0,
            "cannot be written");
}

}  // namespace

Object read_object(const fs::path& path) {
  ElfFile file(path, open(path.c_str(), O_RDONLY | O_CLOEXEC), ELF_C_READ);
  GElf_Ehdr head;
  file.need(gelf_getehdr(file.get(), &head) && head.e_type == ET_REL &&
                gelf_getclass(file.get()) == ELFCLASS64,
            "no relocatable object of 64 bits");
  size_t n = 0, names = 0;
  file.need(elf_getshdrnum(file.get(), &n) == 0 && elf_getshdrstrndx(file.get(), &names) == 0,
            "no sections");
  Object object;
  object.sections.resize(n);
  for (size_t i = 1; i < n; ++i) {
    Elf_Scn* scn = elf_getscn(file.get(), i);
    GElf_Shdr header;
    file.need(scn && gelf_getshdr(scn, &header), "a section cannot be read");
    Elf_Data* data = elf_getdata(scn, nullptr);
    const char* name = elf_strptr(file.get(), names, header.sh_name);
    file.need(name && (data || !header.sh_size), "a section cannot be read");
    if (header.sh_type == SHT_SYMTAB) {
      read_symbols(file, data, header.sh_link, object);
    } else if (header.sh_type == SHT_RELA) {
      file.need(header.sh_info < n, "relocations of no section");
      read_relocations(data, object.sections[header.sh_info]);
    } else if (header.sh_type != SHT_STRTAB) {
      ObjectSection& section = object.sections[i];
      section.name = name;
      section.type = header.sh_type;
      section.flags = header.sh_flags;
      section.alignment = header.sh_addralign;
      section.entry_size = header.sh_entsize;
      section.bytes.assign(header.sh_size, '\0');
      if (header.sh_type != SHT_NOBITS && header.sh_size)
        section.bytes.assign(static_cast<char*>(data->d_buf), data->d_size);
    }
  }
  for (const ObjectSection& section : object.sections)
    for (const Relocation& r : section.relocations)
      file.need(r.symbol < object.symbols.size(), "a relocation to no symbol");
  return object;
}

void write_object(const Object& object, const fs::path& path) {
  write(object, ElfFile(path, open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), ELF_C_WRITE));
}

std::string object_bytes(const Object& object, const std::string& name) {
  int memory = memfd_create("object", MFD_CLOEXEC), copy = dup(memory);
  std::string bytes;
  try {
    write(object, ElfFile(name, memory, ELF_C_WRITE));
    off_t size = lseek(copy, 0, SEEK_END);
    bytes.resize(std::max<off_t>(size, 0));
    if (size <= 0 || pread(copy, bytes.data(), bytes.size(), 0) != size) fail(name, "cannot be written");
  } catch (...) {
    close(copy);
    throw;
  }
  close(copy);
  return bytes;
}

}  // namespace stp
