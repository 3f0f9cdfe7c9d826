// The linker takes whole members from a library, and its --gc-sections cannot prune a kernel
// module: the tables that the kernel keeps of its code (unwinding, alternatives, exceptions, return
// thunks) refer to every function, and nothing refers to them. So the objects are split before they
// are put into the library. Each section of code or data becomes a member, with those rows of the
// tables that speak of it; then the linker's own rule, that a member comes when something wants one
// of its symbols, finds what a script needs. `hello world` links a fifth of the runtime.
//
// A row of a table belongs to the section that its first relocation points to: all of the kernel's
// tables of this kind begin with the place in the code. The rows of .orc_unwind have no relocation;
// they stand beside those of .orc_unwind_ip.
#include "build/split_object.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/algorithm/string.hpp>
#include <map>
#include <set>
#include <stdexcept>

#include "build/object_file.h"

namespace stp {
namespace fs = std::filesystem;
namespace {

struct Table {
  const char* name;
  uint64_t row = 0;            // bytes; 0: the section's, divided by
  uint64_t relocations = 1;    // so many in each row
  const char* beside = "";     // a table of as many rows that has no relocations
};

// include/linux/objtool.h, asm/alternative.h, asm/extable.h, asm/bug.h, asm/jump_label.h,
// linux/static_call_types.h. struct alt_instr grew from 12 to 14 bytes (5d1dd961e743, v6.3). What is
// to be discarded is for objtool, which looks at the whole module where the kernel is built for IBT.
constexpr Table tables[] = {
    {".orc_unwind_ip", 4, 1, ".orc_unwind"},
    {".return_sites", 4},
    {".retpoline_sites", 4},
    {".call_sites", 4},
    {".ibt_endbr_seal", 4},
    {".cfi_sites", 4},
    {".smp_locks", 4},
    {".parainstructions", 16},
    {".altinstructions", 0, 2},
    {".static_call_sites", 8},
    {"__ex_table", 12},
    {"__bug_table", 12},
    {"__jump_table", 16},
};
constexpr Table hints = {".discard."};
constexpr const char* replacements = ".altinstr_replacement";

const Table* table_named(const std::string& name) {
  auto it = std::find_if(std::begin(tables), std::end(tables),
                         [&](const Table& t) { return name == t.name; });
  if (it != std::end(tables)) return it;
  bool hint = boost::starts_with(name, hints.name) && name != ".discard.addressable";
  return hint ? &hints : nullptr;
}

bool is_beside_table(const std::string& name) {
  return std::any_of(std::begin(tables), std::end(tables),
                     [&](const Table& t) { return name == t.beside; });
}

// Notes, and what the kernel's own link drops or only ftrace reads.
bool is_of_no_use(const ObjectSection& section) {
  return !(section.flags & SHF_ALLOC) || section.type == SHT_NOTE || section.type == SHT_GROUP ||
         section.name == "__patchable_function_entries" || section.name == ".orc_header";
}

// The module's own: found by name, or by the symbols that the kernel looks for.
bool is_always_needed(const std::string& name) {
  for (const char* start : {".init.", ".exit.", ".modinfo", "__param", ".gnu.linkonce."})
    if (boost::starts_with(name, start)) return true;
  return false;
}

// .text.vfs_read is .text again: one section of a module has all functions.
std::string plain_name(const std::string& name) {
  for (const char* start : {".text.unlikely.", ".text.", ".data.", ".bss.", ".rodata."})
    if (boost::starts_with(name, start) && name[std::string(start).size()] != '.') {
      std::string plain = std::string(start).substr(0, std::string(start).size() - 1);
      size_t strings = name.rfind(".str1.");
      return plain == ".rodata" && strings != std::string::npos ? plain + name.substr(strings)
                                                                : plain;
    }
  return name;
}

struct Row {
  uint32_t table;  // the section's number
  uint64_t begin, end;
};

struct Unit {
  std::string name;
  Object object;
  // By section: the symbol that others name it by, and where it is: functions may have room before
  // them for what the kernel patches in.
  std::vector<std::string> base;
  std::vector<uint64_t> base_value;
  std::vector<bool> base_is_made;       // by us: no global symbol of the object
  std::vector<std::vector<Row>> rows;   // by section: what tables say of it
  bool is_seldom_run = false;           // all but functions that are marked as hot (runtime/Kbuild)

  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(fmt::format("{}.o: {}", name, what));
  }
  bool is_part(uint32_t section) const {
    const ObjectSection& s = object.sections[section];
    // A variable may be empty (a key of lockdep); the .text that every object has is not meant.
    bool is_there = !s.bytes.empty() || plain_name(s.name) != s.name;
    return s.type && is_there && !is_of_no_use(s) && !table_named(s.name) &&
           !is_beside_table(s.name) && s.name != replacements;
  }
  // The section's name in a module. What is seldom run lies apart.
  std::string name_of(const ObjectSection& section) const {
    std::string plain = plain_name(section.name);
    bool apart = is_seldom_run && plain == ".text" && !boost::starts_with(section.name, ".text.hot.");
    return apart ? ".text.unlikely" : plain;
  }
  uint32_t section_of(const Relocation& r) const {
    uint32_t section = object.symbols[r.symbol].section;
    return section < object.sections.size() ? section : 0;
  }
};

// Relocations of [begin, end), which are in order of their offsets or not.
std::vector<Relocation> relocations_in(const ObjectSection& section, uint64_t begin, uint64_t end) {
  std::vector<Relocation> some;
  for (const Relocation& r : section.relocations)
    if (r.offset >= begin && r.offset < end) some.push_back(r);
  return some;
}

uint64_t row_size(const Table& table, const ObjectSection& section) {
  uint64_t rows = section.relocations.size() / table.relocations;
  return table.row ? table.row : section.bytes.size() / std::max<uint64_t>(rows, 1);
}

void find_rows(Unit& unit) {
  unit.rows.resize(unit.object.sections.size());
  for (uint32_t i = 1; i < unit.object.sections.size(); ++i) {
    ObjectSection& section = unit.object.sections[i];
    const Table* table = section.type ? table_named(section.name) : nullptr;
    if (!table) continue;
    std::sort(section.relocations.begin(), section.relocations.end(),
              [](const Relocation& a, const Relocation& b) { return a.offset < b.offset; });
    uint64_t size = row_size(*table, section);
    if (!size || section.bytes.size() % size) unit.fail(section.name + " has rows of unknown size");
    // One walk: each row's first relocation is the next one at or after its start.
    auto r = section.relocations.begin();
    for (uint64_t at = 0; at < section.bytes.size(); at += size) {
      while (r != section.relocations.end() && r->offset < at) ++r;
      if (r == section.relocations.end() || r->offset != at)
        unit.fail(section.name + " has a row that speaks of nothing");
      uint32_t owner = unit.section_of(*r);
      if (!owner || !unit.is_part(owner))
        unit.fail(fmt::format("{} speaks of {}", section.name, unit.object.sections[owner].name));
      unit.rows[owner].push_back({i, at, at + size});
    }
  }
}

// ------------------------------------------------------------------ names

// Names that other objects know: nothing local may take one.
void gather_names(const Unit& unit, std::set<std::string>& taken) {
  for (const ObjectSymbol& s : unit.object.symbols)
    if (s.binding != STB_LOCAL) taken.insert(s.name);
}

// A section is named by its function or variable, if need be by one of its local ones.
void name_sections(Unit& unit, std::set<std::string>& taken) {
  size_t n = unit.object.sections.size();
  unit.base.resize(n);
  unit.base_value.resize(n);
  unit.base_is_made.assign(n, false);
  std::vector<std::string> local(n);
  for (const ObjectSymbol& s : unit.object.symbols) {
    if (!s.section || s.section >= n || (s.type != STT_FUNC && s.type != STT_OBJECT)) continue;
    bool global = s.binding != STB_LOCAL;
    if (!unit.base[s.section].empty() || (!global && !local[s.section].empty())) continue;
    (global ? unit.base : local)[s.section] = s.name;
    unit.base_value[s.section] = s.value;
  }
  // What a function keeps apart, NAME.cold, is known by the function's name to objtool.
  std::map<std::string, std::string> renamed;
  for (bool cold : {false, true})
    for (uint32_t i = 1; i < n; ++i) {
      size_t suffix = local[i].find(".cold");
      if (!unit.base[i].empty() || !unit.is_part(i) || (suffix != std::string::npos) != cold)
        continue;
      std::string wish = local[i].empty() ? unit.name + unit.object.sections[i].name : local[i];
      auto parent = cold ? renamed.find(local[i].substr(0, suffix)) : renamed.end();
      if (parent != renamed.end()) wish = parent->second + local[i].substr(suffix);
      for (int k = 2; !taken.insert(wish).second; ++k)
        wish = fmt::format("{}_{}{}", unit.name, local[i], k == 2 ? "" : std::to_string(k));
      if (wish != local[i]) renamed[local[i]] = wish;
      unit.base[i] = wish;
      unit.base_is_made[i] = true;
    }
}

// ------------------------------------------------------------------ members

// One file in the making.
class Member {
 public:
  explicit Member(const Unit& unit) : unit_(unit) {
    out_.sections.resize(1);
    out_.symbols.resize(1);
  }

  void add_part(uint32_t number) {
    const ObjectSection& from = unit_.object.sections[number];
    uint32_t section = new_section(from, unit_.name_of(from));
    own_[number] = section;
    out_.sections[section].bytes = from.bytes;
    define_symbols(number, section);
  }

  // After all parts: what they refer to may be among them.
  Object finish() {
    for (auto [number, section] : own_)
      add_relocations(section, unit_.object.sections[number].relocations, 0, 0);
    for (auto [number, section] : own_)
      for (const Row& row : unit_.rows[number]) add_row(row);
    return std::move(out_);
  }

 private:
  uint32_t new_section(const ObjectSection& like, const std::string& name) {
    ObjectSection section;
    section.name = name;
    section.type = like.type;
    section.flags = like.flags & ~uint64_t{SHF_GROUP | SHF_LINK_ORDER | SHF_INFO_LINK};
    section.alignment = like.alignment;
    section.entry_size = like.entry_size;
    out_.sections.push_back(section);
    return out_.sections.size() - 1;
  }

  void define_symbols(uint32_t number, uint32_t section) {
    for (const ObjectSymbol& s : unit_.object.symbols) {
      if (s.section != number || s.type == STT_SECTION) continue;
      bool is_base = unit_.base_is_made[number] && s.value == unit_.base_value[number] &&
                     (s.type == STT_FUNC || s.type == STT_OBJECT);
      if (s.binding == STB_LOCAL && !is_base) continue;
      ObjectSymbol symbol = s;
      if (s.binding == STB_LOCAL) {
        if (symbol_index_.count(unit_.base[number])) continue;
        symbol.name = unit_.base[number];
        symbol.binding = STB_GLOBAL;
      }
      symbol.section = section;
      add_symbol(symbol);
    }
    if (!symbol_index_.count(unit_.base[number]))
      add_symbol({unit_.base[number], STB_GLOBAL, STT_NOTYPE, STV_DEFAULT, section, 0, 0});
  }

  uint32_t add_symbol(const ObjectSymbol& symbol) {
    out_.symbols.push_back(symbol);
    return symbol_index_[symbol.name] = out_.symbols.size() - 1;
  }

  uint32_t symbol_named(const std::string& name, uint8_t binding) {
    auto it = symbol_index_.find(name);
    if (it != symbol_index_.end()) return it->second;
    return add_symbol({name, binding, STT_NOTYPE, STV_DEFAULT, 0, 0, 0});
  }

  // A relocation to something local becomes one to its section's start.
  Relocation translated(Relocation r) {
    const ObjectSymbol& s = unit_.object.symbols[r.symbol];
    uint32_t number = unit_.section_of(r);
    if (s.binding != STB_LOCAL) {
      r.symbol = symbol_named(s.name, s.binding);
    } else if (number && unit_.is_part(number)) {
      r.symbol = symbol_named(unit_.base[number], STB_GLOBAL);
      r.addend += s.value - unit_.base_value[number];
    } else {
      unit_.fail(fmt::format("a relocation to '{}' in {}", s.name, unit_.object.sections[number].name));
    }
    return r;
  }

  void add_relocations(uint32_t section, const std::vector<Relocation>& some, uint64_t from,
                       uint64_t to) {
    for (Relocation r : some) {
      r.offset = r.offset - from + to;
      out_.sections[section].relocations.push_back(translated(r));
    }
  }

  // In a table's row, what is in this member is named by its section: objtool takes nothing else.
  Relocation translated_row(Relocation r) {
    auto part = own_.find(unit_.section_of(r));
    if (part == own_.end()) return translated(r);
    r.addend += unit_.object.symbols[r.symbol].value;
    r.symbol = section_symbol(part->second);
    return r;
  }

  uint32_t section_symbol(uint32_t section) {
    auto [it, is_new] = section_symbols_.insert({section, out_.symbols.size()});
    if (is_new) out_.symbols.push_back({"", STB_LOCAL, STT_SECTION, STV_DEFAULT, section, 0, 0});
    return it->second;
  }

  // The section of this member that has a table's rows.
  uint32_t table_section(uint32_t table) {
    auto it = tables_.find(table);
    if (it != tables_.end()) return it->second;
    const ObjectSection& from = unit_.object.sections[table];
    return tables_[table] = new_section(from, from.name);
  }

  void add_row(const Row& row) {
    const ObjectSection& from = unit_.object.sections[row.table];
    uint32_t section = table_section(row.table);
    uint64_t at = out_.sections[section].bytes.size();
    out_.sections[section].bytes += from.bytes.substr(row.begin, row.end - row.begin);
    bool alternative = from.name == ".altinstructions";
    for (Relocation r : relocations_in(from, row.begin, row.end)) {
      r.offset = r.offset - row.begin + at;
      if (alternative && unit_.object.sections[unit_.section_of(r)].name == replacements)
        r = replacement(r, static_cast<uint8_t>(from.bytes[row.end - 1]));
      else
        r = translated_row(r);
      out_.sections[section].relocations.push_back(r);
    }
    const Table* table = table_named(from.name);
    if (*table->beside) add_row_beside(table->beside, row.begin / table->row);
  }

  void add_row_beside(const char* name, uint64_t index) {
    for (uint32_t i = 1; i < unit_.object.sections.size(); ++i) {
      const ObjectSection& from = unit_.object.sections[i];
      if (from.name != name) continue;
      // struct orc_entry: 6 bytes, packed, since it exists.
      constexpr uint64_t size = 6;
      if ((index + 1) * size > from.bytes.size() || !from.relocations.empty())
        unit_.fail(fmt::format("{} is not as it was", name));
      out_.sections[table_section(i)].bytes += from.bytes.substr(index * size, size);
      return;
    }
    unit_.fail(fmt::format("no {}", name));
  }

  // The code that an alternative puts in place, `size` bytes of a section that all of them share.
  Relocation replacement(Relocation r, uint64_t size) {
    uint32_t number = unit_.section_of(r);
    const ObjectSection& from = unit_.object.sections[number];
    uint64_t begin = unit_.object.symbols[r.symbol].value + r.addend;
    if (begin + size > from.bytes.size()) unit_.fail("an alternative lies outside");
    uint32_t section = table_section(number);
    uint64_t at = out_.sections[section].bytes.size();
    out_.sections[section].bytes += from.bytes.substr(begin, size);
    add_relocations(section, relocations_in(from, begin, begin + size), begin, at);
    r.symbol = section_symbol(section);
    r.addend = at;
    return r;
  }

  const Unit& unit_;
  Object out_;
  std::map<uint32_t, uint32_t> own_;     // parts: their number in the unit and here
  std::map<uint32_t, uint32_t> tables_;  // the same of tables
  std::map<std::string, uint32_t> symbol_index_;
  std::map<uint32_t, uint32_t> section_symbols_;
};

void add_members(const Unit& unit, SplitObjects& result) {
  Member always(unit);
  bool any = false;
  for (uint32_t i = 1; i < unit.object.sections.size(); ++i) {
    if (!unit.is_part(i)) continue;
    if (is_always_needed(unit.object.sections[i].name)) {
      always.add_part(i);
      any = true;
      continue;
    }
    Member member(unit);
    member.add_part(i);
    result.members.push_back({fmt::format("{}.{}.o", unit.name, i), member.finish()});
  }
  if (any) result.always.push_back({unit.name + ".o", always.finish()});
}

}  // namespace

SplitObjects split_objects(const std::vector<fs::path>& objects) {
  std::vector<Unit> units;
  std::set<std::string> taken;
  for (const fs::path& path : objects) {
    Unit& unit = units.emplace_back();
    unit.name = path.stem();
    unit.object = read_object(path);
    unit.is_seldom_run = std::any_of(unit.object.symbols.begin(), unit.object.symbols.end(),
                                     [](const ObjectSymbol& s) { return s.name == "stp_seldom_run"; });
    find_rows(unit);
    gather_names(unit, taken);
  }
  for (Unit& unit : units) name_sections(unit, taken);
  SplitObjects result;
  for (const Unit& unit : units) add_members(unit, result);
  return result;
}

}  // namespace stp
