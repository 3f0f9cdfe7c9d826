// Addresses of symbols, without reading a symbol table each time.
//
// A kernel has about a hundred thousand symbols, and a run asks for a few. Whatever the source (an
// ELF symbol table, System.map, kallsyms), its first reading leaves an index: rows sorted by
// address, a permutation sorted by name, and the names. Later runs map it and search by halves,
// touching some tens of pages.
//
// Rejected: sizes from the ELF table where there is one. They would differ between sources; the
// distance to the next symbol is the same for all, and enough to say which function holds an
// address.

#include "debuginfo/symbols.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <numeric>
#include <system_error>

#include "debuginfo/image.h"
#include "debuginfo/kallsyms.h"
#include "debuginfo/module_layout.h"
#include "target/cache.h"
#include "target/cache_room.h"

namespace stp {
namespace {

namespace fs = std::filesystem;

constexpr char magic[8] = {'s', 't', 'p', 's', 'y', 'm', '0', '1'};

struct Header {
  char magic[8];
  uint32_t source;  // index into sources
  uint32_t count;
  uint64_t names_size;
};

constexpr std::string_view clone_marks[] = {".isra.", ".constprop."};

// Debian's System.map beside the image is one line that says where the real one is.
constexpr size_t smallest_system_map = 4096;

char letter_of(const Elf64_Sym& symbol, uint32_t type, uint64_t flags) {
  char letter = 'a';
  if (ELF64_ST_BIND(symbol.st_info) == STB_WEAK)
    letter = ELF64_ST_TYPE(symbol.st_info) == STT_OBJECT ? 'v' : 'w';
  else if (type == SHT_NULL)  // in no section
    letter = 'a';
  else if (flags & SHF_EXECINSTR)
    letter = 't';
  else if (type == SHT_NOBITS)
    letter = 'b';
  else
    letter = flags & SHF_WRITE ? 'd' : 'r';
  bool global = ELF64_ST_BIND(symbol.st_info) != STB_LOCAL;
  return global ? static_cast<char>(toupper(letter)) : letter;
}

}  // namespace

// Collects rows from a source, then lays the index out.
class SymbolIndexWriter {
 public:
  void add(uint64_t address, char type, std::string_view name) {
    rows_.push_back({address, static_cast<uint32_t>(names_.size()), static_cast<uint8_t>(type)});
    names_.append(name);
    names_ += '\0';
  }

  bool empty() const { return rows_.empty(); }

  std::string finish(uint32_t source) {
    std::stable_sort(rows_.begin(), rows_.end(),
                     [](const auto& a, const auto& b) { return a.address < b.address; });
    std::vector<uint32_t> by_name(rows_.size());
    std::iota(by_name.begin(), by_name.end(), 0);
    std::stable_sort(by_name.begin(), by_name.end(), [this](uint32_t a, uint32_t b) {
      return strcmp(names_.data() + rows_[a].name, names_.data() + rows_[b].name) < 0;
    });
    Header header{{}, source, static_cast<uint32_t>(rows_.size()), names_.size()};
    memcpy(header.magic, magic, sizeof magic);
    std::string index(reinterpret_cast<const char*>(&header), sizeof header);
    index.append(reinterpret_cast<const char*>(rows_.data()), rows_.size() * sizeof rows_[0]);
    index.append(reinterpret_cast<const char*>(by_name.data()), by_name.size() * 4);
    index += names_;
    return index;
  }

 private:
  std::vector<Symbols::Row> rows_;
  std::string names_;
};

namespace {

bool read_symtab(const fs::path& path, SymbolIndexWriter& writer, std::string& why_not) {
  auto image = Image::open(path, why_not);
  if (!image) return false;
  for (const auto& table : image->sections()) {
    if (table.type != SHT_SYMTAB || table.link >= image->sections().size()) continue;
    auto names = image->sections()[table.link].data;
    for (size_t at = 0; at + sizeof(Elf64_Sym) <= table.data.size(); at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol;
      memcpy(&symbol, table.data.data() + at, sizeof symbol);
      int type = ELF64_ST_TYPE(symbol.st_info);
      if (symbol.st_shndx == SHN_UNDEF || type == STT_FILE || type == STT_SECTION ||
          symbol.st_name >= names.size())
        continue;
      auto name = names.substr(symbol.st_name);
      name = name.substr(0, name.find('\0'));
      const Image::Section* section = symbol.st_shndx < image->sections().size()
                                          ? &image->sections()[symbol.st_shndx]
                                          : nullptr;
      if (!name.empty())
        writer.add(symbol.st_value,
                   section ? letter_of(symbol, section->type, section->flags)
                           : letter_of(symbol, SHT_NULL, 0),
                   name);
    }
  }
  if (writer.empty()) why_not = fmt::format("{} has no symbol table", path.string());
  return !writer.empty();
}

// Lines "ffffffff81000000 T _text".
bool read_system_map(const fs::path& path, SymbolIndexWriter& writer, std::string& why_not) {
  auto file = MappedFile::open(path);
  std::string_view text = file ? file->bytes() : std::string_view{};
  if (text.size() < smallest_system_map) {
    why_not = fmt::format("{} is no System.map", path.string());
    return false;
  }
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    uint64_t address;
    auto [rest, error] = std::from_chars(line.data(), line.data() + line.size(), address, 16);
    line.remove_prefix(static_cast<size_t>(rest - line.data()));
    if (error == std::errc{} && line.size() > 3 && line[0] == ' ' && line[2] == ' ')
      writer.add(address, line[1], line.substr(3));
  }
  return !writer.empty();
}

bool read_image(const fs::path& path, SymbolIndexWriter& writer, std::string& why_not) {
  auto image = Image::open(path, why_not);
  return image && read_kallsyms(
                      *image,
                      [&](uint64_t address, char type, std::string_view name) {
                        writer.add(address, type, name);
                      },
                      why_not);
}

fs::path debug_system_map(const Target& target) {
  return target.debuginfo.empty()
             ? fs::path{}
             : target.debuginfo.parent_path() / ("System.map-" + target.release);
}

struct Source {
  std::string_view name;
  fs::path (*path)(const Target&);
  bool (*read)(const fs::path&, SymbolIndexWriter&, std::string& why_not);
};

constexpr Source sources[] = {
    {"symtab", [](const Target& t) { return t.debuginfo; }, read_symtab},
    {"System.map", debug_system_map, read_system_map},
    {"kallsyms", [](const Target& t) { return t.vmlinux; }, read_image},
};

}  // namespace

bool Symbols::attach(std::string_view index) {
  Header header;
  if (index.size() < sizeof header) return false;
  memcpy(&header, index.data(), sizeof header);
  size_t expected = sizeof header + header.count * (sizeof(Row) + 4) + header.names_size;
  if (memcmp(header.magic, magic, sizeof magic) != 0 || header.source >= std::size(sources) ||
      index.size() != expected || header.names_size == 0 || index.back() != '\0')
    return false;
  rows_ = reinterpret_cast<const Row*>(index.data() + sizeof header);
  by_name_ = reinterpret_cast<const uint32_t*>(rows_ + header.count);
  count_ = header.count;
  names_ = index.substr(index.size() - header.names_size);
  source_ = sources[header.source].name;
  init_begin_ = address("_sinittext").value_or(0);
  init_end_ = address("_einittext").value_or(0);
  return true;
}

std::unique_ptr<Symbols> Symbols::open(const Target& target, std::string& why_not) {
  auto symbols = std::make_unique<Symbols>();
  for (uint32_t i = 0; i < std::size(sources); ++i) {
    fs::path path = sources[i].path(target);
    std::string key = path.empty() ? "" : file_key(path);
    if (key.empty()) continue;
    fs::path cached = cache_dir() / "symbols" / (key + ".index");
    symbols->file_ = MappedFile::open(cached);
    if (symbols->file_ && symbols->attach(symbols->file_->bytes())) {
      mark_used(cached);
      return symbols;
    }
    SymbolIndexWriter writer;
    if (!sources[i].read(path, writer, why_not)) continue;
    symbols->file_.reset();
    symbols->memory_ = writer.finish(i);
    write_atomically(cached, {symbols->memory_});
    if (symbols->attach(symbols->memory_)) return symbols;
  }
  if (why_not.empty()) why_not = "there is no debuginfo, System.map or kernel image";
  return nullptr;
}

std::unique_ptr<Symbols> Symbols::of_module(Elf* elf) {
  auto symbols = std::make_unique<Symbols>();
  SymbolIndexWriter writer;
  each_symbol(elf, [&](const GElf_Sym& symbol, std::string_view name, const GElf_Shdr& section) {
    writer.add(section.sh_addr + symbol.st_value,
               letter_of(symbol, section.sh_type == SHT_NOBITS && section.sh_flags & SHF_EXECINSTR
                                     ? SHT_PROGBITS
                                     : section.sh_type,
                         section.sh_flags),
               name);
  });
  if (writer.empty()) return nullptr;
  symbols->memory_ = writer.finish(0);
  if (!symbols->attach(symbols->memory_)) return nullptr;
  each_section(elf, [&](size_t, std::string_view name, const GElf_Shdr& section) {
    if (name != ".init.text") return;
    symbols->init_begin_ = section.sh_addr;
    symbols->init_end_ = section.sh_addr + section.sh_size;
  });
  return symbols;
}

Symbol Symbols::operator[](size_t i) const {
  const Row& row = rows_[i];
  size_t next = i + 1;
  while (next < count_ && rows_[next].address == row.address) ++next;
  uint64_t size = next < count_ ? rows_[next].address - row.address : 0;
  return {name_at(row.name), row.address, size, static_cast<char>(row.type)};
}

// Place in by_name_ of the first that is not less than `name`.
size_t Symbols::lower_bound(std::string_view name) const {
  size_t low = 0, high = count_;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (name_at(rows_[named(middle)].name) < name)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

std::vector<Symbol> Symbols::find(std::string_view name) const {
  std::vector<Symbol> found;
  for (size_t i = lower_bound(name); i < count_; ++i) {
    Symbol symbol = (*this)[named(i)];
    if (symbol.name != name) break;
    found.push_back(symbol);
  }
  return found;
}

std::vector<Symbol> Symbols::find_prefix(std::string_view prefix) const {
  std::vector<Symbol> found;
  for (size_t i = lower_bound(prefix); i < count_; ++i) {
    Symbol symbol = (*this)[named(i)];
    if (!symbol.name.starts_with(prefix)) break;
    found.push_back(symbol);
  }
  return found;
}

std::optional<uint64_t> Symbols::address(std::string_view name) const {
  auto found = find(name);
  if (found.empty()) return std::nullopt;
  return found.front().address;
}

size_t Symbols::upper_bound(uint64_t address) const {
  const Row* at = std::upper_bound(rows_, rows_ + count_, address,
                                   [](uint64_t a, const Row& row) { return a < row.address; });
  return static_cast<size_t>(at - rows_);
}

std::vector<std::string> Symbols::data_names() const {
  std::vector<std::string> names;
  for (size_t i = 0; i < size(); ++i)
    if (!is_text(i)) names.emplace_back(name(i));
  return names;
}

static bool is_padding(std::string_view symbol) {
  return symbol.starts_with("__pfx_") || symbol.starts_with("__cfi_");
}

bool is_own_name_of_clone(std::string_view symbol) {
  return !is_padding(symbol) && symbol.find('.', 1) != symbol.npos;
}

std::string_view function_of_symbol(std::string_view symbol) {
  if (is_padding(symbol)) return {};
  size_t dot = symbol.find('.', 1);
  if (dot == symbol.npos) return symbol;
  auto suffix = symbol.substr(dot);
  bool clone = std::any_of(std::begin(clone_marks), std::end(clone_marks),
                           [&](auto mark) { return suffix.starts_with(mark); });
  bool partial = suffix.find(".part.") != suffix.npos || suffix.find(".cold") != suffix.npos;
  return clone && !partial ? symbol.substr(0, dot) : std::string_view{};
}

}  // namespace stp
