// Two threads, each with its own handle on the file, walk half of the compilation units; what they
// find is merged, sorted and written as it will be used: the file is mapped, not parsed.
//
// A unit is walked in full only below functions, where inlined copies are. Copies name what they
// are copies of by reference, and a few thousand functions are copied a million times, so what a
// reference leads to is remembered.
#include "debuginfo/dwarf_index.h"

#include <dwarf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <unordered_map>

#include "target/cache.h"
#include "target/target.h"

namespace stp::dwarf {
namespace {

constexpr char magic[8] = {'s', 't', 'p', 'd', 'w', 'f', '0', '2'};

struct Header {
  char magic[8];
  uint64_t records, names, functions, texts;
};

// Texts once each. Offset 0 is the empty text.
class Texts {
 public:
  Texts() { add(""); }
  uint32_t add(std::string_view text) {
    auto [at, fresh] =
        offsets_.try_emplace(std::string(text), static_cast<uint32_t>(bytes_.size()));
    if (fresh) bytes_.append(text).push_back('\0');
    return at->second;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::unordered_map<std::string, uint32_t> offsets_;
};

// What a walk has found; names are offsets into its own texts.
struct Harvest {
  std::vector<Record> records;
  Texts texts;
};

struct Declaration {
  uint32_t name = 0, file = 0, line = 0;
};

class Walk {
 public:
  explicit Walk(Harvest& out) : out_(out) {}

  void unit(Dwarf_Die& cu) {
    Dwarf_Die child;
    if (dwarf_child(&cu, &child) != 0) return;
    do top_level(child);
    while (dwarf_siblingof(&child, &child) == 0);
  }

 private:
  Declaration declaration(Dwarf_Die& die) {
    Dwarf_Off offset = dwarf_dieoffset(&die);
    if (auto known = known_.find(offset); known != known_.end()) return known->second;
    Declaration d;
    Dwarf_Die origin = die;
    Dwarf_Attribute attribute;
    // A copy, or a definition apart from its declaration: the name is at the other end.
    for (int link : {DW_AT_abstract_origin, DW_AT_specification}) {
      Dwarf_Die to;
      if (dwarf_attr(&die, static_cast<unsigned>(link), &attribute) &&
          dwarf_formref_die(&attribute, &to)) {
        origin = to;
        if (depth_ < 8) {
          ++depth_;
          d = declaration(origin);
          --depth_;
        }
      }
    }
    if (!d.name) {
      if (const char* name = dwarf_diename(&die)) d.name = out_.texts.add(name);
      if (const char* file = dwarf_decl_file(&die)) d.file = out_.texts.add(file);
      int line = 0;
      if (dwarf_decl_line(&die, &line) == 0) d.line = static_cast<uint32_t>(line) & 0x0fffffff;
    }
    known_.emplace(offset, d);
    return d;
  }

  void add(Dwarf_Die& die, Entry kind, uint64_t address) {
    Declaration d = declaration(die);
    if (!d.name) return;
    out_.records.push_back({address, static_cast<uint32_t>(dwarf_dieoffset(&die)), d.name, d.file,
                            d.line | static_cast<uint32_t>(kind) << 28});
  }

  static bool is_declaration(Dwarf_Die& die) {
    Dwarf_Attribute attribute;
    bool flag = false;
    return dwarf_attr(&die, DW_AT_declaration, &attribute) &&
           dwarf_formflag(&attribute, &flag) == 0 && flag;
  }

  void top_level(Dwarf_Die& die) {
    Dwarf_Addr entry = 0;
    Dwarf_Attribute attribute;
    switch (dwarf_tag(&die)) {
      case DW_TAG_subprogram:
        if (dwarf_entrypc(&die, &entry) == 0 && entry) {
          add(die, Entry::function, entry);
          inside(die, 0);
        }
        break;
      case DW_TAG_variable:
        if (dwarf_attr(&die, DW_AT_location, &attribute)) add(die, Entry::variable, 0);
        break;
      case DW_TAG_structure_type:
      case DW_TAG_union_type:
      case DW_TAG_enumeration_type:
        if (!is_declaration(die) && dwarf_diename(&die)) once(die);
        break;
      case DW_TAG_typedef:
      case DW_TAG_base_type:
        once(die);
        break;
      default:
        break;
    }
  }

  // Thousands of units define the same type: the first will do.
  void once(Dwarf_Die& die) {
    const char* name = dwarf_diename(&die);
    if (!name) return;
    std::string key = fmt::format("{}{}", dwarf_tag(&die), name);
    if (types_.emplace(std::move(key), 0).second) add(die, Entry::type, 0);
  }

  void inside(Dwarf_Die& parent, int depth) {
    Dwarf_Die child;
    if (depth > 200 || dwarf_child(&parent, &child) != 0) return;
    do {
      int tag = dwarf_tag(&child);
      if (tag == DW_TAG_inlined_subroutine) {
        Dwarf_Addr entry = 0;
        if (dwarf_entrypc(&child, &entry) == 0 && entry) add(child, Entry::inlined, entry);
      }
      if (tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block) inside(child, depth + 1);
    } while (dwarf_siblingof(&child, &child) == 0);
  }

  Harvest& out_;
  int depth_ = 0;
  std::unordered_map<Dwarf_Off, Declaration> known_;
  std::unordered_map<std::string, int> types_;
};

// Walks every second unit from `first` on.
bool harvest(const std::filesystem::path& path, size_t first, size_t step, Harvest& out) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  Dwarf* dwarf = fd < 0 ? nullptr : dwarf_begin(fd, DWARF_C_READ);
  if (dwarf) {
    Walk walk(out);
    Dwarf_CU* unit = nullptr;
    Dwarf_Half version;
    uint8_t type;
    Dwarf_Die die, sub;
    for (size_t i = 0; dwarf_get_units(dwarf, unit, &unit, &version, &type, &die, &sub) == 0; ++i)
      if (i % step == first) walk.unit(die);
  }
  bool good = dwarf != nullptr;
  dwarf_end(dwarf);
  if (fd >= 0) close(fd);
  return good;
}

template <typename T>
std::string_view bytes_of(const std::vector<T>& list) {
  return {reinterpret_cast<const char*>(list.data()), list.size() * sizeof(T)};
}

// The finished index as bytes, from all harvests.
std::string build(std::vector<Harvest>& harvests) {
  Texts texts;
  std::vector<Record> records;
  for (Harvest& h : harvests) {
    for (Record r : h.records) {
      r.name = texts.add(h.texts.bytes().c_str() + r.name);
      r.file = texts.add(h.texts.bytes().c_str() + r.file);
      records.push_back(r);
    }
    h = {};
  }
  const char* base = texts.bytes().c_str();
  std::sort(records.begin(), records.end(), [&](const Record& a, const Record& b) {
    if (a.name != b.name) return std::strcmp(base + a.name, base + b.name) < 0;
    if (a.kind() != b.kind()) return a.kind() < b.kind();
    return a.address != b.address ? a.address < b.address : a.die < b.die;
  });
  std::vector<uint32_t> starts, functions;
  for (size_t i = 0; i < records.size(); ++i) {
    if (i == 0 || records[i].name != records[i - 1].name)
      starts.push_back(static_cast<uint32_t>(i));
    if (records[i].kind() == Entry::function) functions.push_back(static_cast<uint32_t>(i));
  }
  size_t names = starts.size();
  starts.push_back(static_cast<uint32_t>(records.size()));
  std::sort(functions.begin(), functions.end(),
            [&](uint32_t a, uint32_t b) { return records[a].address < records[b].address; });
  Header header{{}, records.size(), names, functions.size(), texts.bytes().size()};
  std::memcpy(header.magic, magic, sizeof magic);
  std::string out(reinterpret_cast<const char*>(&header), sizeof header);
  out.append(bytes_of(records)).append(bytes_of(starts)).append(bytes_of(functions));
  return out.append(texts.bytes());
}

std::string build_index(const std::filesystem::path& path) {
  size_t workers = std::clamp<size_t>(std::thread::hardware_concurrency(), 1, 4);
  std::vector<Harvest> harvests(workers);
  std::vector<char> good(workers);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < workers; ++i)
    threads.emplace_back([&, i] { good[i] = harvest(path, i, workers, harvests[i]); });
  for (auto& thread : threads) thread.join();
  bool any = false;
  for (size_t i = 0; i < workers; ++i) any |= good[i] && !harvests[i].records.empty();
  return any ? build(harvests) : "";
}

}  // namespace

bool Index::attach(std::string_view bytes) {
  Header header;
  if (bytes.size() < sizeof header) return false;
  std::memcpy(&header, bytes.data(), sizeof header);
  // Torn or foreign: then it is built again.
  constexpr uint64_t sane = 1u << 30;
  if (std::memcmp(header.magic, magic, sizeof magic) != 0 || header.records > sane ||
      header.names > sane || header.functions > sane || header.texts > sane)
    return false;
  size_t whole = sizeof header + header.records * sizeof(Record) + (header.names + 1) * 4 +
                 header.functions * 4 + header.texts;
  if (bytes.size() != whole || header.texts == 0 || bytes.back() != '\0') return false;
  const char* at = bytes.data() + sizeof header;
  records_ = {reinterpret_cast<const Record*>(at), header.records};
  at += header.records * sizeof(Record);
  starts_ = {reinterpret_cast<const uint32_t*>(at), header.names + 1};
  at += (header.names + 1) * 4;
  by_address_ = {reinterpret_cast<const uint32_t*>(at), header.functions};
  at += header.functions * 4;
  texts_ = {at, header.texts};
  return starts_.back() == header.records;
}

std::unique_ptr<Index> Index::open(const std::filesystem::path& path, const std::string& key,
                                   std::string& why_not) {
  auto index = std::make_unique<Index>();
  std::filesystem::path kept = cache_dir() / "index" / key;
  index->file_ = MappedFile::open(kept);
  if (index->file_ && index->attach(index->file_->bytes())) return index;
  index->memory_ = build_index(path);
  if (index->memory_.empty() || !index->attach(index->memory_)) {
    why_not = fmt::format("{} has no DWARF that can be read", path.string());
    return nullptr;
  }
  write_atomically(kept, {index->memory_});
  return index;
}

std::vector<Record> Index::find(std::string_view sought, Entry kind) const {
  size_t low = 0, high = names();
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (name(middle) < sought)
      low = middle + 1;
    else
      high = middle;
  }
  std::vector<Record> found;
  if (low == names() || name(low) != sought) return found;
  for (const Record& r : records(low))
    if (r.kind() == kind) found.push_back(r);
  return found;
}

const Record* Index::function_below(uint64_t address) const {
  auto above = std::upper_bound(
      by_address_.begin(), by_address_.end(), address,
      [&](uint64_t a, uint32_t i) { return i < records_.size() && a < records_[i].address; });
  if (above == by_address_.begin()) return nullptr;
  uint32_t i = *(above - 1);
  return i < records_.size() ? &records_[i] : nullptr;
}

}  // namespace stp::dwarf
