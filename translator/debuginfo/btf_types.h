// BTF's types in the model of types/.
#pragma once

#include <deque>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "debuginfo/btf_file.h"
#include "types/provider.h"
#include "types/type.h"

namespace stp {

// Makes and owns the types that are asked for. Their handle is the BTF id, 0 for those that BTF
// does not have (a pointer that only the script names). Not for several threads at once.
class BtfTypes {
 public:
  // `home`: the provider that answers for these types.
  BtfTypes(const BtfFile& file, const types::Provider* home) : file_(file), home_(home) {}

  const types::Type* get(uint32_t id);  // null: void
  types::Answer<const types::Type*> find(std::string_view spelling);
  std::vector<types::Member> members(const types::Type&);
  std::vector<types::Enumerator> enumerators(const types::Type&) const;
  std::optional<int64_t> enumerator(std::string_view name) const;

  struct Prototype {
    std::vector<types::Param> params;
    const types::Type* result = nullptr;  // null: void
    bool variadic = false;
  };
  // Of a FUNC_PROTO.
  Prototype prototype(uint32_t id);

 private:
  types::Type make(uint32_t id);
  const types::Type* pointer_to(const types::Type*);
  uint32_t find_named(std::string_view name, std::optional<int> tag) const;
  types::Lack no_such_type(std::string_view name) const;

  const BtfFile& file_;
  const types::Provider* home_;
  std::deque<types::Type> owned_;
  std::unordered_map<uint32_t, const types::Type*> made_;
  std::unordered_map<const types::Type*, const types::Type*> pointers_;
};

}  // namespace stp
