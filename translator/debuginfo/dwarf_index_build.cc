// Two threads, each with its own handle on the file, walk every second compilation unit; what they
// find is merged, sorted and laid out as it will be used.
//
// A unit is walked in full only below functions, where inlined copies are. Copies name what they
// are copies of by reference, and a few thousand functions are copied 300000 times, so what a
// reference leads to is remembered. Types are defined once per unit that includes them: only the
// first of a name is kept.
#include "debuginfo/dwarf_index_build.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fmt/format.h>
#include <gelf.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "debuginfo/dwarf_entry.h"
#include "debuginfo/dwarf_file.h"
#include "debuginfo/dwarf_index.h"
#include "debuginfo/dwarf_units.h"
#include "debuginfo/module_layout.h"
#include "debuginfo/symbols_provider.h"

namespace stp::dwarf {
namespace {

// Texts once each. Offset 0 is the empty text.
class Texts {
 public:
  Texts() { add(""); }
  Texts(const Texts&) = delete;  // what compares offsets refers to the texts
  Texts& operator=(const Texts&) = delete;

  uint32_t add(std::string_view text) {
    if (auto at = offsets_.find(text); at != offsets_.end()) return *at;
    auto offset = static_cast<uint32_t>(bytes_.size());
    bytes_.append(text).push_back('\0');
    offsets_.insert(offset);
    return offset;
  }
  const std::string& bytes() const { return bytes_; }
  // Leaves no texts.
  std::string take() {
    offsets_.clear();
    return std::exchange(bytes_, {});
  }

 private:
  struct ByText {
    using is_transparent = void;
    const std::string& bytes;

    std::string_view text(uint32_t offset) const { return bytes.c_str() + offset; }
    std::string_view text(std::string_view text) const { return text; }
    template <typename T>
    size_t operator()(const T& a) const {
      return std::hash<std::string_view>{}(text(a));
    }
    template <typename T, typename U>
    bool operator()(const T& a, const U& b) const {
      return text(a) == text(b);
    }
  };
  std::string bytes_;
  std::unordered_set<uint32_t, ByText, ByText> offsets_{0, ByText{bytes_}, ByText{bytes_}};
};

struct FoundPart {
  Range range;
  uint32_t die;  // of its function
};

// What a walk has found; names are offsets into its own texts.
struct Harvest {
  std::vector<Record> records;
  std::vector<FoundPart> parts;
  Texts texts;
};

struct Declaration {
  uint32_t name = 0, file = 0, line = 0;
  bool external = false;
};

// Starts of cold parts, by name of the symbol: a function whose code is in two places does not say
// in which of them it begins.
std::unordered_set<uint64_t> cold_starts(Elf* elf) {
  std::unordered_set<uint64_t> cold;
  GElf_Ehdr file;
  bool relocatable = gelf_getehdr(elf, &file) && file.e_type == ET_REL;
  each_symbol(elf, [&](const GElf_Sym& symbol, std::string_view name, const GElf_Shdr& section) {
    if (name.find(".cold") != name.npos)
      cold.insert(symbol.st_value + (relocatable ? section.sh_addr : 0));
  });
  return cold;
}

class Walk {
 public:
  Walk(Harvest& out, const File& file) : out_(out), cold_(cold_starts(file.elf())) {}

  // What stands in namespaces and classes is called by its whole name, "ns::Class::method", also
  // where its code is described elsewhere. C has no such names, and 2000 units need no second walk.
  void names_of_scopes(const File& file, Dwarf_Die& unit) {
    file_ = &file;
    int language = dwarf_srclang(&unit);
    if (language == DW_LANG_C89 || language == DW_LANG_C || language == DW_LANG_C99 ||
        language == DW_LANG_C11 || language == DW_LANG_Mips_Assembler)
      return;
    name_scope(unit, 0, 0);
  }

  void unit(const File& file, Dwarf_Die& unit) {
    file_ = &file;
    dir_ = file_->parts().compile_dir(unit);
    std::string_view name = name_of(unit);
    unit_file_ = out_.texts.add(shown_path(name, dir_));
    each_child(unit, [&](Dwarf_Die& child) { top_level(child); });
  }

 private:
  static bool is_scope(int tag) {
    return tag == DW_TAG_namespace || tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
           tag == DW_TAG_union_type;
  }
  // `scope`: the text of the names around, with "::" behind; 0 at the top.
  void name_scope(Dwarf_Die& parent, uint32_t scope, int depth) {
    if (depth > 64) return;
    each_child(parent, [&](Dwarf_Die& child) {
      int tag = dwarf_tag(&child);
      if (scope) scope_of_.try_emplace(file_->number_of(child), scope);
      if (!is_scope(tag)) return;
      std::string_view name = name_of(child);
      Dwarf_Die whole;
      if (name.empty() && file_->parts().signed_type(child, whole)) name = name_of(whole);
      // A class without a name is one that its members cannot be called by.
      if (name.empty() && tag != DW_TAG_namespace) return;
      std::string text = out_.texts.bytes().c_str() + scope;
      text += name.empty() ? "(anonymous namespace)" : name;
      name_scope(child, out_.texts.add(text + "::"), depth + 1);
    });
  }
  uint32_t whole_name(Dwarf_Die& die, std::string_view name) {
    auto scope = scope_of_.find(file_->number_of(die));
    if (scope == scope_of_.end() || name.empty()) return out_.texts.add(name);
    return out_.texts.add((out_.texts.bytes().c_str() + scope->second) + std::string(name));
  }

  // Of the entry itself or what it is a copy of.
  const Declaration& declaration(Dwarf_Die& die) {
    Dwarf_Die origin = origin_of(die);
    Dwarf_Off offset = file_->number_of(origin);
    auto [at, fresh] = known_.try_emplace(offset);
    Declaration& d = at->second;
    if (!fresh) return d;
    d.name = whole_name(origin, name_of(origin));
    // Functions that the compiler made up (thunks, into which others are inlined) have but a symbol.
    Dwarf_Attribute symbol;
    if (!d.name && dwarf_tag(&origin) == DW_TAG_subprogram && dwarf_attr(&origin, DW_AT_linkage_name, &symbol))
      if (const char* text = dwarf_formstring(&symbol)) d.name = out_.texts.add(source_name(text));
    // A method is declared in its class and defined elsewhere: the definition says where.
    std::string_view file = declared_in(die);
    d.file = file.empty() ? 0 : out_.texts.add(shown_path(file, dir_));
    d.line = declared_at(die);
    d.external = flag(origin, DW_AT_external);
    return d;
  }

  Record* add(Dwarf_Die& die, Entry kind, uint64_t address) {
    const Declaration& d = declaration(die);
    if (!d.name) return nullptr;
    out_.records.push_back({address, static_cast<uint32_t>(file_->number_of(die)), d.name, d.file,
                            Record::pack(d.line, d.external, kind), 0, 0});
    return &out_.records.back();
  }

  void top_level(Dwarf_Die& die) {
    Dwarf_Attribute attribute;
    switch (dwarf_tag(&die)) {
      case DW_TAG_subprogram:
        return function(die);
      case DW_TAG_variable:
        if (dwarf_attr(&die, DW_AT_location, &attribute))
          add(die, Entry::variable, 0);
        else if (is_declaration(die))
          once(die, Entry::declared);
        return;
      case DW_TAG_enumeration_type:
        if (is_declaration(die)) return;
        // Without a name it is here for its enumerators alone.
        if (name_of(die).empty() || once(die, Entry::type)) enumerators(die);
        return;
      case DW_TAG_namespace:
        return nested(die);
      case DW_TAG_class_type:
      case DW_TAG_structure_type:
      case DW_TAG_union_type:
        if (is_declaration(die)) return;
        once(die, Entry::type);
        if (scope_of_.size()) nested(die);
        return;
      case DW_TAG_typedef:
      case DW_TAG_base_type:
        once(die, Entry::type);
        return;
      default:
        return;
    }
  }

  void nested(Dwarf_Die& die) {
    if (++depth_ < 64) each_child(die, [&](Dwarf_Die& child) { top_level(child); });
    --depth_;
  }

  void function(Dwarf_Die& die) {
    auto ranges = ranges_of(die);
    if (ranges.empty()) return;
    Dwarf_Addr entry = entry_of(die);
    if (!entry) {
      entry = ranges[0].begin;
      for (const Range& r : ranges)
        if (!cold_.count(r.begin)) {
          entry = r.begin;
          break;
        }
    }
    Record* record = add(die, Entry::function, entry);
    if (!record) return;
    // Assembler says the unit alone.
    if (!record->file && !record->line()) record->file = unit_file_;
    auto offset = record->die;
    for (const Range& r : ranges) {
      if (entry >= r.begin && entry < r.end) record->size = static_cast<uint32_t>(r.end - entry);
      out_.parts.push_back({r, offset});
    }
    inside(die, offset, 0);
  }

  // True when the name is new. Thousands of units define the same type: the first will do.
  bool once(Dwarf_Die& die, Entry kind) {
    std::string_view name = name_of(die);
    int tag = dwarf_tag(&die) == DW_TAG_class_type ? DW_TAG_structure_type : dwarf_tag(&die);
    auto scope = scope_of_.find(file_->number_of(die));
    uint32_t around = scope == scope_of_.end() ? 0 : scope->second;
    if (name.empty() || !seen_.insert(fmt::format("{:x} {} {}", tag, around, name)).second)
      return false;
    if (Record* record = add(die, kind, 0); record && kind == Entry::type)
      record->detail = static_cast<uint32_t>(tag);
    return true;
  }

  void enumerators(Dwarf_Die& die) {
    auto offset = static_cast<uint32_t>(file_->number_of(die));
    each_child(die, [&](Dwarf_Die& child) {
      std::string_view name = name_of(child);
      auto value = signed_number(child, DW_AT_const_value);
      if (dwarf_tag(&child) != DW_TAG_enumerator || name.empty() || !value) return;
      if (!seen_enumerators_.insert(std::string(name)).second) return;
      out_.records.push_back({static_cast<uint64_t>(*value), offset, out_.texts.add(name), 0,
                              Record::pack(0, false, Entry::enumerator), 0, 0});
    });
  }

  void inside(Dwarf_Die& parent, uint32_t outer, int depth) {
    if (depth > 200) return;
    each_child(parent, [&](Dwarf_Die& child) {
      int tag = dwarf_tag(&child);
      if (tag == DW_TAG_inlined_subroutine) {
        Dwarf_Addr entry = entry_of(child);
        Record* record = entry ? add(child, Entry::inlined, entry) : nullptr;
        if (record) record->detail = outer;
      }
      // Functions of local classes, and of closures, which are such.
      bool local_class = is_scope(tag) && tag != DW_TAG_namespace && scope_of_.size();
      if (tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block || local_class)
        inside(child, outer, depth + 1);
      if (tag == DW_TAG_subprogram && ++depth_ < 64) function(child);
      if (tag == DW_TAG_subprogram) --depth_;
    });
  }

  Harvest& out_;
  const File* file_ = nullptr;  // the one that the unit was read from
  std::unordered_set<uint64_t> cold_;
  std::string dir_;
  uint32_t unit_file_ = 0;
  int depth_ = 0;
  std::unordered_map<Dwarf_Off, uint32_t> scope_of_;
  std::unordered_map<Dwarf_Off, Declaration> known_;
  std::unordered_set<std::string> seen_, seen_enumerators_;
};

// Walks every `step`-th unit from `first` on.
void harvest(const std::filesystem::path& path, size_t first, size_t step, Harvest& out) {
  File symbols(path);
  if (!symbols.dwarf()) return;
  Walk walk(out, symbols);
  symbols.release_pages();
  constexpr size_t opened_for = 256;
  each_unit_of(path, 0, 1, opened_for, [&](const File& file, size_t, Dwarf_Die& unit) { walk.names_of_scopes(file, unit); });
  each_unit_of(path, first, step, opened_for, [&](const File& file, size_t, Dwarf_Die& unit) { walk.unit(file, unit); });
}

// Threads know nothing of each other: types and enumerators are kept once, declarations of
// variables only where no definition is.
void drop_repetitions(std::vector<Record>& records) {
  size_t kept = 0;
  for (const Record& r : records) {
    bool repeated = false;
    if (r.kind() >= Entry::type)
      for (size_t k = kept; k-- > 0 && records[k].name == r.name && !repeated;) {
        const Record& before = records[k];
        repeated = (r.kind() != Entry::variable && before.kind() == r.kind() &&
                    before.detail == r.detail) ||
                   (r.kind() == Entry::declared && before.kind() == Entry::variable);
      }
    if (!repeated) records[kept++] = r;
  }
  records.resize(kept);
}

template <typename T>
std::string_view bytes_of(const std::vector<T>& list) {
  return {reinterpret_cast<const char*>(list.data()), list.size() * sizeof(T)};
}

// All records, with their names in `texts`, in the order of the index.
std::vector<Record> merged(std::vector<Harvest>& harvests, Texts& texts) {
  std::vector<Record> records;
  size_t count = 0;
  for (const Harvest& h : harvests) count += h.records.size();
  records.reserve(count);
  for (Harvest& h : harvests) {
    for (Record r : h.records) {
      r.name = texts.add(h.texts.bytes().c_str() + r.name);
      r.file = texts.add(h.texts.bytes().c_str() + r.file);
      records.push_back(r);
    }
    h.records = {};
    h.texts.take();
  }
  const char* base = texts.bytes().c_str();
  std::sort(records.begin(), records.end(), [&](const Record& a, const Record& b) {
    if (a.name != b.name) return std::strcmp(base + a.name, base + b.name) < 0;
    if (a.kind() != b.kind()) return a.kind() < b.kind();
    if (a.address != b.address && a.kind() != Entry::enumerator) return a.address < b.address;
    return a.die < b.die;
  });
  drop_repetitions(records);
  return records;
}

std::vector<Part> parts_of(const std::vector<Harvest>& harvests,
                           const std::vector<Record>& records) {
  std::unordered_map<uint32_t, uint32_t> record_of;
  for (uint32_t i = 0; i < records.size(); ++i)
    if (records[i].kind() == Entry::function) record_of.emplace(records[i].die, i);
  std::vector<Part> parts;
  for (const Harvest& h : harvests)
    for (const FoundPart& p : h.parts)
      parts.push_back(
          {p.range.begin, static_cast<uint32_t>(p.range.end - p.range.begin), record_of.at(p.die)});
  std::sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.record < b.record;
  });
  return parts;
}

}  // namespace

std::string build_index(const std::filesystem::path& path, uint64_t file_size) {
  constexpr size_t workers = 2;
  std::vector<Harvest> harvests(workers);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < workers; ++i)
    threads.emplace_back([&, i] { harvest(path, i, workers, harvests[i]); });
  for (auto& thread : threads) thread.join();

  Texts texts;
  std::vector<Record> records = merged(harvests, texts);
  if (records.empty()) return {};
  std::vector<Part> parts = parts_of(harvests, records);
  harvests.clear();
  const std::string name_texts = texts.take();
  std::vector<uint32_t> starts;
  for (size_t i = 0; i < records.size(); ++i)
    if (i == 0 || records[i].name != records[i - 1].name)
      starts.push_back(static_cast<uint32_t>(i));
  size_t names = starts.size();
  auto scoped = static_cast<uint64_t>(
      std::count_if(starts.begin(), starts.end(), [&](uint32_t first) {
        return std::strstr(name_texts.c_str() + records[first].name, "::") != nullptr;
      }));
  starts.push_back(static_cast<uint32_t>(records.size()));

  IndexHeader header{{}, file_size, records.size(), parts.size(), names, name_texts.size(), scoped};
  std::memcpy(header.magic, index_magic, sizeof index_magic);
  std::string out;
  out.reserve(sizeof header + bytes_of(records).size() + bytes_of(parts).size() + bytes_of(starts).size() +
              name_texts.size());
  out.append(reinterpret_cast<const char*>(&header), sizeof header);
  out.append(bytes_of(records)).append(bytes_of(parts)).append(bytes_of(starts)).append(name_texts);
  return out;
}

}  // namespace stp::dwarf
