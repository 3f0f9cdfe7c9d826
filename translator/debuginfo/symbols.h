// The kernel's symbol table, wherever one is to be had, indexed on disk.
#pragma once

#include <libelf.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "target/mapped_file.h"
#include "target/target.h"

namespace stp {

struct Symbol {
  std::string_view name;  // lives as long as the Symbols
  uint64_t address = 0;   // link-time
  uint64_t size = 0;      // up to the next symbol at a higher address; 0 for the last
  char type = '?';        // as nm writes it: T t D d B b R r W w ...

  bool is_text() const { return type == 'T' || type == 't' || type == 'W' || type == 'w'; }
  bool is_global() const { return type >= 'A' && type <= 'Z'; }
};

// The name in the source of a function's symbol: a copy that the compiler made for some of its callers,
// "foo.isra.0", is foo. Empty for what is no function: parts of one (".part", ".cold"), and the bytes before
// its entry that call thunks and CFI use, which objtool names (tools/objtool/check.c, add_prefix_symbol).
std::string_view function_of_symbol(std::string_view symbol);

// What compilers made of a function, "foo.isra.0", "foo.part.1", "foo.cold", by its own name. Patterns with a dot mean
// those: names of the source have none.
bool is_own_name_of_clone(std::string_view symbol);
inline bool means_clones(std::string_view pattern) { return pattern.find('.') != pattern.npos; }

class Symbols {
 public:
  // From, in order of preference: .symtab of the debuginfo, System.map beside it, the kallsyms
  // tables of the unpacked image. Null, with a phrase in `why_not`, when there is none. The first
  // call for a source reads it all and writes an index below cache_dir()/symbols/; later calls
  // map that.
  static std::unique_ptr<Symbols> open(const Target&, std::string& why_not);

  // Of a kernel module, whose sections have addresses (dwarf::File gives them). Kept in memory: a
  // module has a few thousand. Null when the file has none.
  static std::unique_ptr<Symbols> of_module(Elf*);

  // All symbols of that name, by address.
  std::vector<Symbol> find(std::string_view name) const;
  std::vector<Symbol> find_prefix(std::string_view prefix) const;
  std::optional<uint64_t> address(std::string_view name) const;

  // Symbols by address; names at one address in the order of the source.
  size_t size() const { return count_; }
  Symbol operator[](size_t by_address) const;
  // Parts of (*this)[i] that cost less than all of it.
  std::string_view name(size_t by_address) const { return name_at(rows_[by_address].name); }
  bool is_text(size_t by_address) const {
    return Symbol{{}, 0, 0, static_cast<char>(rows_[by_address].type)}.is_text();
  }
  // Of all that is no text.
  std::vector<std::string> data_names() const;
  // Index of the first symbol at an address above `address`.
  size_t upper_bound(uint64_t address) const;

  // Where init code lies, which is gone when the kernel or the module runs.
  bool is_init(uint64_t address) const { return address >= init_begin_ && address < init_end_; }

  // "symtab", "System.map" or "kallsyms": for messages.
  std::string_view source() const { return source_; }

 private:
  struct Row {
    uint64_t address;
    uint32_t name;  // offset into the names
    uint32_t type;
  };
  friend class SymbolIndexWriter;

  size_t lower_bound(std::string_view name) const;
  bool attach(std::string_view index);
  // Bounds are checked here and in named(), not when the index is mapped: that would read all of
  // it.
  std::string_view name_at(uint32_t offset) const {
    return offset < names_.size() ? names_.data() + offset : std::string_view{};
  }
  // The row that is `i`-th by name.
  size_t named(size_t i) const { return by_name_[i] < count_ ? by_name_[i] : 0; }

  std::unique_ptr<MappedFile> file_;
  std::string memory_;  // the index, when it could not be cached
  const Row* rows_ = nullptr;
  const uint32_t* by_name_ = nullptr;
  size_t count_ = 0;
  std::string_view names_;
  std::string_view source_;
  uint64_t init_begin_ = 0, init_end_ = 0;
};

}  // namespace stp
