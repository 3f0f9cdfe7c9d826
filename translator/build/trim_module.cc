// Taken out are:
//
// Versions: the .mod.o was made for the whole runtime and has a row of 64 bytes for each symbol of
// the kernel that any part of it uses; a script's module needs the rows of its own.
//
// Relocations (share_calls.h, merge_code.h): of a call from one function to another `ld -r` leaves 24 bytes to the
// kernel's module loader.
//
// Tables that the kernel can do without. With .smp_locks it takes the `lock` from instructions where there is one
// CPU. .ibt_endbr_seal lists functions that are never called through a pointer, in which it overwrites the instruction that
// would admit that, endbr64: done here.
//
// What refers to functions that the script does not need (STP_IF_NEEDED in runtime/script.h): nobody comes there.
//
// Names of data, and of the room before functions: a relocation may as well name the section. Names of functions
// go last, into a file of their own: the kernel tells places in the module by the one that is left.
//
// What frames.h says of functions that keep a frame pointer.
#include "build/trim_module.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>
#include <vector>

#include "build/code_places.h"
#include "build/frames.h"
#include "build/merge_code.h"
#include "build/object_file.h"
#include "build/share_calls.h"

namespace stp {
namespace fs = std::filesystem;
namespace {

constexpr const char* patchable = "__patchable_function_entries";  // ftrace's; it is kept off

bool is_known(const Object& object) {
  return std::all_of(object.sections.begin(), object.sections.end(), [](const ObjectSection& s) {
    return s.type != SHT_GROUP && (!(s.flags & SHF_LINK_ORDER) || s.name == patchable);
  });
}

// What nobody reads: the compiler's name, what it wants of the stack, and pointers to the module's two functions that
// keep a linker from throwing those away.
void drop_unread(Object& object) {
  std::set<uint32_t> used;
  for (const ObjectSection& section : object.sections)
    for (const Relocation& r : section.relocations) used.insert(object.symbols[r.symbol].section);
  for (uint32_t i = 1; i < object.sections.size(); ++i) {
    const std::string& name = object.sections[i].name;
    bool is_pointer = name == ".init.data" || name == ".exit.data";
    if (name == patchable || name == ".smp_locks" || name == ".comment" || name == ".note.GNU-stack" ||
        (is_pointer && !used.count(i)))
      object.sections[i] = {};
  }
}

// A function that is not there has the address 0: written already where an address belongs. What would have called it
// finds that it gives 0: nobody comes there, and if somebody did, no machine should stop.
void forget_missing(Object& object) {
  const std::string called("\x31\xc0\x0f\x1f\x00", 5),  // xor %eax,%eax; nopl (%rax)
      jumped_to("\x31\xc0\xc3\xcc\xcc", 5);             // xor %eax,%eax; ret; int3; int3
  for (ObjectSection& section : object.sections)
    std::erase_if(section.relocations, [&](const Relocation& r) {
      const ObjectSymbol& symbol = object.symbols[r.symbol];
      if (symbol.section || symbol.binding != STB_WEAK) return false;
      if (r.type == R_X86_64_64 || r.type == R_X86_64_32S) return r.addend == 0;
      bool branches = r.offset && r.offset + sizeof(int32_t) <= section.bytes.size() &&
                      (section.flags & SHF_EXECINSTR) && r.type == R_X86_64_PLT32 &&
                      (section.bytes[r.offset - 1] == call_operation || section.bytes[r.offset - 1] == jump_operation);
      if (branches) section.bytes.replace(r.offset - 1, 5, section.bytes[r.offset - 1] == call_operation ? called : jumped_to);
      return branches;
    });
}

// Puts in place of endbr64 what the kernel does (asm/ibt.h, gen_endbr_poison(): a `nop` that tells what was there).
void seal(Object& object) {
  const std::string endbr("\xf3\x0f\x1e\xfa"), sealed("\x66\x0f\x1f\x00", 4);
  ObjectSection& sites = object.sections[section_named(object, ".ibt_endbr_seal")];
  for (const Relocation& r : sites.relocations) {
    Place place = target(object, r);
    std::string& code = object.sections[place.section].bytes;
    if (code.compare(place.at, endbr.size(), endbr) == 0) code.replace(place.at, sealed.size(), sealed);
  }
  sites = {};
}

// What all code of a module is called where its functions have no names.
constexpr const char* text_name = "stp";

// The symbols that the module loader and the linker look for by name.
bool is_looked_for(const std::string& name) {
  return name == "__this_module" || name == "init_module" || name == "cleanup_module";
}

// A symbol for each section's start, made when there is none.
std::vector<uint32_t> section_symbols(Object& object) {
  std::vector<uint32_t> of(object.sections.size());
  for (uint32_t i = 1; i < of.size(); ++i)
    if (object.sections[i].type) of[i] = section_symbol(object, i);
  return of;
}

// `functions`: those as well.
void unname(Object& object, bool functions) {
  std::vector<uint32_t> starts = section_symbols(object);
  std::set<uint32_t> used;
  for (ObjectSection& section : object.sections)
    for (Relocation& r : section.relocations) {
      const ObjectSymbol& symbol = object.symbols[r.symbol];
      bool here = symbol.section && symbol.section < object.sections.size();
      bool is_named = functions ? false : symbol.type == STT_FUNC || symbol.binding == STB_WEAK || is_looked_for(symbol.name);
      if (here && symbol.type != STT_SECTION && !is_named) {
        r.addend += symbol.value;
        r.symbol = starts[symbol.section];
      }
      used.insert(r.symbol);
    }
  std::vector<uint32_t> number(object.symbols.size());
  std::vector<ObjectSymbol> kept(1);
  for (uint32_t i = 1; i < object.symbols.size(); ++i) {
    const ObjectSymbol& symbol = object.symbols[i];
    bool is_named = functions ? symbol.name == text_name
                              : (symbol.type == STT_FUNC && !is_room(symbol)) || is_looked_for(symbol.name);
    if (!used.count(i) && !is_named) continue;
    number[i] = kept.size();
    kept.push_back(symbol);
  }
  object.symbols = std::move(kept);
  for (ObjectSection& section : object.sections)
    for (Relocation& r : section.relocations) r.symbol = number[r.symbol];
}

// struct modversion_info: a checksum and a name (linux/module.h). The kernel asks for its own layout's, too.
void drop_versions(Object& mod, const Object& object) {
  constexpr size_t row = 64, name_at = sizeof(uint64_t);
  std::set<std::string> wanted = {"module_layout"};
  for (const ObjectSymbol& symbol : object.symbols)
    if (!symbol.section) wanted.insert(symbol.name);
  for (ObjectSection& section : mod.sections) {
    if (section.name != "__versions" || section.bytes.size() % row) continue;
    std::string kept;
    for (size_t at = 0; at < section.bytes.size(); at += row) {
      const char* name = &section.bytes[at + name_at];
      if (wanted.count({name, strnlen(name, row - name_at)})) kept += section.bytes.substr(at, row);
    }
    section.bytes = kept;
  }
}

}  // namespace

void trim_module(const fs::path& object_path, const fs::path& mod_path) {
  Object object = read_object(object_path), mod = read_object(mod_path);
  if (!is_known(object) || !is_known(mod)) return;
  drop_unread(object);
  drop_unread(mod);
  forget_missing(object);
  seal(object);
  share_calls(object);
  shorten_unwind_table(object);
  merge_code(object);
  resolve_inside(object);
  unname(object, false);
  drop_versions(mod, object);
  write_object(object, object_path);
  write_object(mod, mod_path);
}

void trim_linked_module(const fs::path& path, const fs::path& names) {
  Object object = read_object(path);
  uint32_t text = section_named(object, ".text");
  std::map<uint64_t, std::string> functions;
  bool is_one = is_known(object) && text;
  for (const ObjectSymbol& s : object.symbols)
    if (s.type == STT_FUNC && s.section) {
      is_one &= s.section == text;
      functions[s.value] = fmt::format("{:x} {:x} {}\n", s.value, s.size, s.name);
    }
  if (!is_one) return;
  std::ofstream out(names);
  for (const auto& [at, line] : functions) out << line;
  if (!out.flush()) throw std::runtime_error(fmt::format("cannot write {}", names.string()));
  drop_unread(object);
  object.symbols.push_back({text_name, STB_LOCAL, STT_FUNC, STV_DEFAULT, text, 0, object.sections[text].bytes.size()});
  unname(object, true);
  write_object(object, path);
}

}  // namespace stp
