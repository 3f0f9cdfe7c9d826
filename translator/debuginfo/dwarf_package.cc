// elfutils 0.188 reads .dwo files, and no packages of them. In a package each section is that of all
// files, one behind the other, and two indexes say which slices of the sections a unit is to be read
// with (DWARF5 7.3.5; version 2, GNU's before DWARF 5, differs in the numbers of columns). Everything in a
// unit counts from the beginning of its slices, so cutting them out again makes the .dwo file, which
// is read as any other.
//
// What the packer has changed is the section of strings: it is of all files, and offsets in
// .debug_str_offsets are into that. A file gets those that it names. The alternative, all strings for
// each of some thousand files, would be gigabytes.
#include "debuginfo/dwarf_package.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "debuginfo/elf_file.h"

namespace stp::dwarf {
namespace {

namespace fs = std::filesystem;

// Columns of an index (DWARF5 7.3.5.3), as far as anybody asks for what is in them.
constexpr uint32_t info = 1, types = 2, abbreviations = 3, string_offsets = 6;
struct Column {
  uint32_t number;
  const char* section;
};
constexpr Column columns_of_2[] = {{info, ".debug_info.dwo"},
                                   {types, ".debug_types.dwo"},
                                   {abbreviations, ".debug_abbrev.dwo"},
                                   {4, ".debug_line.dwo"},
                                   {5, ".debug_loc.dwo"},
                                   {string_offsets, ".debug_str_offsets.dwo"}};
constexpr Column columns_of_5[] = {{info, ".debug_info.dwo"},
                                   {abbreviations, ".debug_abbrev.dwo"},
                                   {4, ".debug_line.dwo"},
                                   {5, ".debug_loclists.dwo"},
                                   {string_offsets, ".debug_str_offsets.dwo"},
                                   {8, ".debug_rnglists.dwo"}};

const char* section_of(uint32_t version, uint32_t column) {
  if (version == 2) {
    for (const Column& c : columns_of_2)
      if (c.number == column) return c.section;
  } else {
    for (const Column& c : columns_of_5)
      if (c.number == column) return c.section;
  }
  return nullptr;
}

// All files together take what the package takes, and each has strings of its own that others have
// as well. A damaged index may give all of the package to each of its units.
constexpr uint64_t most_times = 4;

template <typename T>
T read(std::string_view bytes, size_t at) {
  T value{};
  if (at <= bytes.size() && bytes.size() - at >= sizeof value)
    std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// An ELF file of sections alone.
std::string elf_of(const std::vector<std::pair<std::string, std::string>>& sections) {
  std::string names(1, '\0'), body;
  std::vector<Elf64_Shdr> headers(1);
  auto add = [&](const std::string& name, std::string_view contents, uint32_t type) {
    Elf64_Shdr header{};
    header.sh_name = static_cast<uint32_t>(names.size());
    header.sh_type = type;
    header.sh_offset = sizeof(Elf64_Ehdr) + body.size();
    header.sh_size = contents.size();
    header.sh_addralign = 1;
    names.append(name).push_back('\0');
    body.append(contents);
    headers.push_back(header);
  };
  for (const auto& [name, contents] : sections) add(name, contents, SHT_PROGBITS);
  std::string all_names = names + ".shstrtab" + '\0';
  add(".shstrtab", all_names, SHT_STRTAB);
  body.resize((body.size() + 7) / 8 * 8);

  Elf64_Ehdr file{};
  std::memcpy(file.e_ident, ELFMAG, SELFMAG);
  file.e_ident[EI_CLASS] = ELFCLASS64;
  file.e_ident[EI_DATA] = ELFDATA2LSB;
  file.e_ident[EI_VERSION] = EV_CURRENT;
  file.e_type = ET_REL;
  file.e_machine = EM_X86_64;
  file.e_version = EV_CURRENT;
  file.e_ehsize = sizeof file;
  file.e_shentsize = sizeof(Elf64_Shdr);
  file.e_shnum = static_cast<uint16_t>(headers.size());
  file.e_shstrndx = static_cast<uint16_t>(headers.size() - 1);
  file.e_shoff = sizeof file + body.size();
  std::string out(reinterpret_cast<const char*>(&file), sizeof file);
  out.append(body);
  return out.append(reinterpret_cast<const char*>(headers.data()),
                    headers.size() * sizeof(Elf64_Shdr));
}

}  // namespace

fs::path Package::beside(const fs::path& file) {
  std::error_code ignored;
  fs::path package = file.string() + ".dwp";
  if (fs::is_regular_file(package, ignored)) return package;
  // p.debug was stripped from p, which has p.dwp.
  package = file.parent_path() / (file.stem().string() + ".dwp");
  return file.extension() == ".debug" && fs::is_regular_file(package, ignored) ? package : fs::path();
}

std::unique_ptr<Package> Package::open(const fs::path& path, std::string& why_not) {
  std::unique_ptr<Package> package(new Package);
  package->fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (package->fd_ < 0) {
    why_not = std::strerror(errno);
    return nullptr;
  }
  why_not = hostile_sections(package->fd_);
  if (!why_not.empty()) return nullptr;
  if (fs::path plain = with_sections_unpacked(path, why_not); plain != path) {
    close(package->fd_);
    package->fd_ = ::open(plain.c_str(), O_RDONLY | O_CLOEXEC);
    if (package->fd_ < 0) return nullptr;
  }
  if (!package->read_sections())
    why_not = "it is no ELF file";
  else if (!package->read_index(".debug_cu_index", package->units_) || package->units_.empty())
    why_not = "it has no index of its units";
  else if (!package->read_index(".debug_tu_index", package->types_))
    why_not = "its index of types is damaged";
  return why_not.empty() ? std::move(package) : nullptr;
}

Package::~Package() {
  elf_end(elf_);
  if (fd_ >= 0) close(fd_);
}

bool Package::read_sections() {
  elf_version(EV_CURRENT);
  elf_ = elf_begin(fd_, ELF_C_READ_MMAP, nullptr);
  size_t names = 0;
  GElf_Ehdr file;
  if (!elf_ || elf_kind(elf_) != ELF_K_ELF || !gelf_getehdr(elf_, &file) ||
      file.e_ident[EI_CLASS] != ELFCLASS64 || file.e_ident[EI_DATA] != ELFDATA2LSB ||
      elf_getshdrstrndx(elf_, &names) != 0)
    return false;
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(elf_, section))) {
    GElf_Shdr header;
    if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS) continue;
    const char* name = elf_strptr(elf_, names, header.sh_name);
    if (!name || ((header.sh_flags & SHF_COMPRESSED) && elf_compress(section, 0, 0) < 0)) continue;
    // As bytes: the sections are of no type that libelf would convert.
    Elf_Data* data = elf_rawdata(section, nullptr);
    if (!data || !data->d_buf) continue;
    sections_[name] = {static_cast<char*>(data->d_buf), data->d_size};
    room_ += data->d_size * most_times;
  }
  return true;
}

// A hash table of identifiers, of which each leads to a row; then the columns' numbers, then for each row
// an offset and, behind all of them, a size for each column.
bool Package::read_index(const char* section, std::map<uint64_t, int>& to) {
  auto at = sections_.find(section);
  if (at == sections_.end() || at->second.empty()) return true;
  std::string_view index = at->second;
  auto version = read<uint32_t>(index, 0);
  if (version != 2) version = read<uint16_t>(index, 0);
  uint64_t columns = read<uint32_t>(index, 4), rows = read<uint32_t>(index, 8),
           slots = read<uint32_t>(index, 12);
  if ((version != 2 && version != 5) || (version_ && version != version_)) return false;
  version_ = version;
  uint64_t row_numbers = 16 + slots * 8, table = row_numbers + slots * 4 + columns * 4;
  uint64_t whole = columns * rows;
  if (columns > 16 || slots > index.size() || rows > slots || table > index.size() ||
      (index.size() - table) / 8 < whole)
    return false;
  for (uint64_t slot = 0; slot < slots; ++slot) {
    uint64_t row = read<uint32_t>(index, row_numbers + slot * 4);
    if (row == 0 || row > rows) continue;
    std::map<uint32_t, Slice> slices;
    for (uint64_t c = 0; c < columns; ++c) {
      uint64_t cell = table + ((row - 1) * columns + c) * 4;
      slices[read<uint32_t>(index, table - columns * 4 + c * 4)] = {
          read<uint32_t>(index, cell), read<uint32_t>(index, cell + whole * 4)};
    }
    add_row(read<uint64_t>(index, 16 + slot * 8), slices, to);
  }
  return true;
}

// Units that share a table of abbreviations and of strings were in one file.
void Package::add_row(uint64_t id, const std::map<uint32_t, Slice>& row,
                      std::map<uint64_t, int>& to) {
  auto offset = [&](uint32_t column) {
    auto at = row.find(column);
    return at == row.end() ? uint64_t{0} : at->second.offset;
  };
  auto [known, fresh] = by_slices_.try_emplace({offset(abbreviations), offset(string_offsets)},
                                               static_cast<int>(files_.size()));
  if (fresh) files_.emplace_back();
  DwoFile& file = files_[static_cast<size_t>(known->second)];
  for (const auto& [column, slice] : row)
    if (column == info || (column == types && version_ == 2)) {
      if (slice.size) file.units.emplace_back(column, slice);
    } else {
      file.shared.try_emplace(column, slice);
    }
  to.try_emplace(id, known->second);
}

std::string_view Package::bytes(const char* section, Slice slice) const {
  auto at = section ? sections_.find(std::string_view(section)) : sections_.end();
  if (at == sections_.end() || slice.offset > at->second.size()) return {};
  return at->second.substr(slice.offset, slice.size);
}

// Replaces offsets into the strings of all files by offsets into `strings`.
void Package::own_strings(std::string& offsets, std::string& strings) const {
  auto all = sections_.find(".debug_str.dwo");
  std::map<uint32_t, uint32_t> moved;
  strings.assign(1, '\0');
  auto move = [&](uint32_t from) -> uint32_t {
    if (all == sections_.end() || from >= all->second.size()) return 0;
    auto [at, fresh] = moved.try_emplace(from, static_cast<uint32_t>(strings.size()));
    if (!fresh) return at->second;
    std::string_view text = all->second.substr(from);
    text = text.substr(0, text.find('\0'));
    if (text.size() < room_ - std::min<uint64_t>(room_, strings.size()))
      strings.append(text).push_back('\0');
    else
      at->second = 0;
    return at->second;
  };
  for (size_t at = 0; at + 4 <= offsets.size();) {
    size_t end = offsets.size();
    if (version_ == 5) {  // a header before each table: its length, a version and padding
      uint64_t length = read<uint32_t>(offsets, at);
      end = at + 4 + std::min<uint64_t>(length, end - at - 4);
      at += 8;
    }
    for (; at + 4 <= end; at += 4) {
      uint32_t to = move(read<uint32_t>(offsets, at));
      std::memcpy(offsets.data() + at, &to, sizeof to);
    }
    at = std::max(at, end);
  }
}

std::string Package::image(int number) {
  DwoFile& file = files_[static_cast<size_t>(number)];
  std::sort(file.units.begin(), file.units.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second.offset < b.second.offset;
  });
  // What the image takes is known before it is made, but for its strings.
  uint64_t size = 0;
  for (const auto& [column, slice] : file.units) size += slice.size;
  for (const auto& [column, slice] : file.shared) size += slice.size;
  if (size > room_) return {};
  room_ -= size;
  std::string units[2];
  for (const auto& [column, slice] : file.units)
    units[column == types].append(bytes(section_of(version_, column), slice));
  std::vector<std::pair<std::string, std::string>> sections;
  sections.emplace_back(section_of(version_, info), std::move(units[0]));
  if (!units[1].empty()) sections.emplace_back(section_of(version_, types), std::move(units[1]));
  for (const auto& [column, slice] : file.shared) {
    std::string contents(bytes(section_of(version_, column), slice));
    if (contents.empty()) continue;
    if (column == string_offsets) {
      std::string strings;
      own_strings(contents, strings);
      room_ -= std::min<uint64_t>(room_, strings.size());
      sections.emplace_back(".debug_str.dwo", std::move(strings));
    }
    sections.emplace_back(section_of(version_, column), std::move(contents));
  }
  return elf_of(sections);
}

}  // namespace stp::dwarf
