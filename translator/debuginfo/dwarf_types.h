// Entries of DWARF as types.
#pragma once

#include <elfutils/libdw.h>

#include <memory>
#include <unordered_map>
#include <vector>

#include "debuginfo/dwarf_file.h"
#include "debuginfo/dwarf_index.h"
#include "types/provider.h"

namespace stp::dwarf {

class Types {
 public:
  // `home`: the provider that answers for these types.
  Types(const File& file, const Index& index, const types::Provider* home)
      : file_(file), index_(index), home_(home) {}

  // The type that an entry is; null for void. Lives as long as this object.
  const types::Type* of_die(Dwarf_Die& die, int depth = 0);
  // The type that DW_AT_type of an entry names; null for void.
  const types::Type* of_attribute(Dwarf_Die& die, int depth = 0);
  // By name, "struct file *", as in types::Provider::type().
  types::Answer<const types::Type*> named(std::string_view spelling);
  std::vector<types::Member> members(const types::Type&);
  std::vector<types::Enumerator> enumerators(const types::Type&);

 private:
  types::Type* make(types::Kind kind);
  const types::Type* array(Dwarf_Die& die, int depth);
  const types::Type* pointer_to(const types::Type*);

  const File& file_;
  const Index& index_;
  const types::Provider* home_;
  std::vector<std::unique_ptr<types::Type>> owned_;
  std::unordered_map<Dwarf_Off, const types::Type*> known_;
};

}  // namespace stp::dwarf
