// libdw runs the instructions of call frame information and says what holds at an address and how
// far; where functions begin it does not say for one section alone, so entries are walked here.
#include "debuginfo/unwind.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>

#include "debuginfo/elf_file.h"

namespace stp {
namespace {

using Kind = UnwindRule::Kind;

struct Extent {
  uint64_t begin, end;
};

// An address in a CIE's encoding (DW_EH_PE_*). Those that linkers write are read.
std::optional<uint64_t> read_encoded(const uint8_t*& at, const uint8_t* end, uint8_t encoding,
                                     uint64_t address_of_at) {
  size_t size = 0;
  bool is_signed = false;
  switch (encoding & 0x0f) {
    case DW_EH_PE_absptr:
    case DW_EH_PE_udata8:
    case DW_EH_PE_sdata8:
      size = 8;
      break;
    case DW_EH_PE_udata4:
      size = 4;
      break;
    case DW_EH_PE_sdata4:
      size = 4;
      is_signed = true;
      break;
    default:
      return std::nullopt;
  }
  if (static_cast<size_t>(end - at) < size) return std::nullopt;
  uint64_t value = 0;
  std::memcpy(&value, at, size);
  if (is_signed) value = static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(value)));
  at += size;
  switch (encoding & 0x70) {
    case 0:
      return value;
    case DW_EH_PE_pcrel:
      return value + address_of_at;
    default:
      return std::nullopt;
  }
}

// The encoding of addresses that a CIE's augmentation ("zR", "zPLR") gives.
uint8_t encoding_of(const Dwarf_CIE& cie) {
  const char* letters = cie.augmentation;
  const uint8_t* data = cie.augmentation_data;
  if (!letters || *letters != 'z' || !data) return DW_EH_PE_absptr;
  size_t left = cie.augmentation_data_size;
  for (++letters; *letters && left > 0; ++letters) {
    if (*letters == 'R') return *data;
    size_t skip = 0;
    if (*letters == 'L') skip = 1;
    if (*letters == 'P')
      skip = 1 + ((*data & 7) == DW_EH_PE_udata4 ? 4 : (*data & 7) == DW_EH_PE_udata2 ? 2 : 8);
    if (skip > left) break;
    data += skip;
    left -= skip;
  }
  return DW_EH_PE_absptr;
}

struct Section {
  Elf_Data* data = nullptr;
  uint64_t address = 0;
};

Section section_called(Elf* elf, std::string_view wanted) {
  size_t names = 0;
  if (elf_getshdrstrndx(elf, &names) != 0) return {};
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(elf, section))) {
    GElf_Shdr header;
    const char* name =
        gelf_getshdr(section, &header) ? elf_strptr(elf, names, header.sh_name) : nullptr;
    if (!name || name != wanted || header.sh_type == SHT_NOBITS) continue;
    if ((header.sh_flags & SHF_COMPRESSED) && elf_compress(section, 0, 0) < 0) return {};
    return {elf_getdata(section, nullptr), header.sh_addr};
  }
  return {};
}

// Where the functions are that a section describes.
std::vector<Extent> extents_of(Elf* elf, const Section& section, bool eh_frame) {
  std::vector<Extent> found;
  size_t size = 0;
  const char* ident_bytes = elf_getident(elf, &size);
  auto* ident = reinterpret_cast<const unsigned char*>(ident_bytes);
  if (!section.data || !section.data->d_buf || !ident) return found;
  auto* base = static_cast<const uint8_t*>(section.data->d_buf);
  std::map<Dwarf_Off, uint8_t> encodings;
  Dwarf_Off at = 0, next = 0;
  Dwarf_CFI_Entry entry;
  for (int result; at < section.data->d_size; at = next) {
    result = dwarf_next_cfi(ident, section.data, eh_frame, at, &next, &entry);
    if (result != 0 || next <= at) {
      // A damaged entry is passed over as long as its length is whole.
      if (result == 1 || next <= at || next == static_cast<Dwarf_Off>(-1)) break;
      continue;
    }
    if (dwarf_cfi_cie_p(&entry)) {
      encodings[at] = eh_frame ? encoding_of(entry.cie) : static_cast<uint8_t>(DW_EH_PE_absptr);
      continue;
    }
    auto encoding = encodings.find(entry.fde.CIE_pointer);
    if (encoding == encodings.end()) continue;
    const uint8_t* p = entry.fde.start;
    auto begin = read_encoded(p, entry.fde.end, encoding->second,
                              section.address + static_cast<uint64_t>(p - base));
    auto length = read_encoded(p, entry.fde.end, encoding->second & 0x0f, 0);
    if (begin && length && *length > 0 && *begin + *length > *begin)
      found.push_back({*begin, *begin + *length});
  }
  return found;
}

std::vector<UnwindOp> copied(const Dwarf_Op* ops, size_t count) {
  std::vector<UnwindOp> list;
  for (size_t i = 0; i < count; ++i) list.push_back({ops[i].atom, ops[i].number, ops[i].number2});
  return list;
}

// dwarf_frame_register() tells a rule as an expression; these are its forms.
UnwindRule rule_of(Dwarf_Frame* frame, int reg) {
  Dwarf_Op memory[3];
  Dwarf_Op* ops = nullptr;
  size_t count = 0;
  if (dwarf_frame_register(frame, reg, memory, &ops, &count) != 0) return {Kind::undefined};
  if (count == 0) return {ops == memory ? Kind::undefined : Kind::same};
  bool value = ops[count - 1].atom == DW_OP_stack_value;
  size_t rest = count - value;
  if (ops[0].atom == DW_OP_call_frame_cfa && rest <= 2 &&
      (rest == 1 || ops[1].atom == DW_OP_plus_uconst))
    return {value ? Kind::is_cfa : Kind::at_cfa,
            rest == 1 ? 0 : static_cast<int64_t>(ops[1].number)};
  if (count == 1 && ops[0].atom == DW_OP_regx)
    return {Kind::reg, static_cast<int64_t>(ops[0].number)};
  if (count == 1 && ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31)
    return {Kind::reg, ops[0].atom - DW_OP_reg0};
  return {value ? Kind::value : Kind::expression, 0, copied(ops, rest)};
}

std::optional<UnwindState> state_of(Dwarf_Frame* frame, bool signal_frame) {
  Dwarf_Op* ops = nullptr;
  size_t count = 0;
  if (dwarf_frame_cfa(frame, &ops, &count) != 0 || count == 0) return std::nullopt;
  UnwindState state;
  state.signal_frame = signal_frame;
  if (count == 1 && ops[0].atom >= DW_OP_breg0 && ops[0].atom <= DW_OP_breg31) {
    state.cfa_register = ops[0].atom - DW_OP_breg0;
    state.cfa_offset = static_cast<int64_t>(ops[0].number);
  } else if (count == 1 && ops[0].atom == DW_OP_bregx) {
    state.cfa_register = static_cast<int>(ops[0].number);
    state.cfa_offset = static_cast<int64_t>(ops[0].number2);
  } else {
    state.cfa = copied(ops, count);
  }
  for (int reg = 0; reg < UnwindState::registers; ++reg) state.rules.push_back(rule_of(frame, reg));
  return state;
}

class Reader {
 public:
  void section(Dwarf_CFI* cfi, std::vector<Extent> extents, const AddressRanges& only) {
    for (const Extent& e : extents) {
      bool wanted = only.empty();
      for (const auto& [begin, end] : only) wanted |= e.begin >= begin && e.begin < end;
      if (wanted) function(cfi, e);
    }
  }

  // Rows by address, gaps between functions included.
  void take(std::vector<UnwindTable::Row>& rows, std::vector<UnwindState>& states) {
    uint64_t end = 0;
    for (const auto& [begin, found] : rows_) {
      if (!rows.empty() && end < begin) rows.push_back({end, UnwindTable::none});
      if (rows.empty() || rows.back().state != found.state) rows.push_back({begin, found.state});
      end = std::max(end, found.end);
    }
    if (!rows.empty()) rows.push_back({end, UnwindTable::none});
    states = std::move(states_);
  }

 private:
  struct Found {
    uint64_t end;
    uint32_t state;
  };

  // What is known already stays: sections come in order of preference.
  bool known(uint64_t address) const {
    auto above = rows_.upper_bound(address);
    return above != rows_.begin() && std::prev(above)->second.end > address;
  }

  void function(Dwarf_CFI* cfi, const Extent& extent) {
    // No function has more; of damaged files a row may be one byte, and a function all of memory.
    constexpr int most = 100'000;
    if (known(extent.begin)) return;
    uint64_t pc = extent.begin;
    for (int rows = 0; pc < extent.end && rows < most; ++rows) {
      Dwarf_Frame* frame = nullptr;
      if (dwarf_cfi_addrframe(cfi, pc, &frame) != 0) return;
      Dwarf_Addr begin = 0, end = 0;
      bool signal_frame = false;
      bool good = dwarf_frame_info(frame, &begin, &end, &signal_frame) >= 0;
      auto state = good ? state_of(frame, signal_frame) : std::nullopt;
      free(frame);
      if (!state || end <= pc) return;
      rows_[pc] = {std::min<uint64_t>(end, extent.end), number(std::move(*state))};
      pc = end;
    }
  }

  uint32_t number(UnwindState state) {
    auto [at, fresh] = numbers_.try_emplace(std::move(state), static_cast<uint32_t>(states_.size()));
    if (fresh) states_.push_back(at->first);
    return at->second;
  }

  std::map<uint64_t, Found> rows_;
  std::map<UnwindState, uint32_t> numbers_;
  std::vector<UnwindState> states_;
};

}  // namespace

std::unique_ptr<UnwindTable> UnwindTable::read(const std::filesystem::path& path,
                                               const AddressRanges& only, std::string& why_not) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    why_not = std::strerror(errno);
    return nullptr;
  }
  why_not = hostile_sections(fd);
  auto plain = why_not.empty() ? with_sections_unpacked(path, why_not) : path;
  if (why_not.empty() && plain != path) {
    close(fd);
    fd = ::open(plain.c_str(), O_RDONLY | O_CLOEXEC);
  }
  elf_version(EV_CURRENT);
  Elf* elf = elf_begin(fd, ELF_C_READ_MMAP, nullptr);
  Reader reader;
  if (why_not.empty() && elf && elf_kind(elf) == ELF_K_ELF) {
    if (Dwarf* dwarf = dwarf_begin_elf(elf, DWARF_C_READ, nullptr)) {
      if (Dwarf_CFI* cfi = dwarf_getcfi(dwarf))
        reader.section(cfi, extents_of(elf, section_called(elf, ".debug_frame"), false), only);
      dwarf_end(dwarf);
    }
    if (Dwarf_CFI* cfi = dwarf_getcfi_elf(elf)) {
      reader.section(cfi, extents_of(elf, section_called(elf, ".eh_frame"), true), only);
      dwarf_cfi_end(cfi);
    }
  }
  elf_end(elf);
  close(fd);
  auto table = std::make_unique<UnwindTable>();
  reader.take(table->rows_, table->states_);
  if (!table->rows_.empty()) return table;
  if (why_not.empty()) why_not = "it has no call frame information";
  return nullptr;
}

const UnwindState* UnwindTable::at(uint64_t pc) const {
  auto above = std::upper_bound(rows_.begin(), rows_.end(), pc,
                                [](uint64_t a, const Row& row) { return a < row.begin; });
  if (above == rows_.begin()) return nullptr;
  uint32_t state = std::prev(above)->state;
  return state < states_.size() ? &states_[state] : nullptr;
}

}  // namespace stp
