// The BTF of a kernel image, and how its types are found by name.
#pragma once

#include <bpf/btf.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "target/target.h"

namespace stp {

class BtfFile {
 public:
  // From .BTF of the unpacked image, or of the debuginfo; for the running kernel without either,
  // from /sys/kernel/btf/vmlinux. Null, with a phrase in `why_not`, when there is none.
  static std::unique_ptr<BtfFile> open(const Target&, std::string& why_not);

  // Types are numbered from 1 to count() - 1.
  uint32_t count() const { return count_; }
  const btf_type& type(uint32_t id) const { return *btf__type_by_id(btf_.get(), id); }
  const char* name(const btf_type& type) const { return string(type.name_off); }
  const char* string(uint32_t offset) const {
    const char* text = btf__name_by_offset(btf_.get(), offset);
    return text ? text : "";
  }

  // All types of that name and kind (BTF_KIND_*), by id.
  std::vector<uint32_t> find(std::string_view name, int kind) const;
  // Calls use(id, type) for each type of a kind.
  template <typename Use>
  void each(int kind, Use use) const {
    for (uint32_t id = 1; id < count_; ++id)
      if (const btf_type& t = type(id); btf_kind(&t) == kind) use(id, t);
  }
  // Where a name is in the string section; 0 when no type, member or enumerator has it.
  uint32_t string_offset(std::string_view name) const;

 private:
  struct Free {
    void operator()(struct btf* b) const { btf__free(b); }
  };
  explicit BtfFile(struct btf*);

  std::unique_ptr<struct btf, Free> btf_;
  uint32_t count_ = 0;
  std::string_view strings_;
};

}  // namespace stp
