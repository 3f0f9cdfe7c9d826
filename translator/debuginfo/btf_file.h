// The BTF of a kernel image, and how its types are found by name.
#pragma once

#include <bpf/btf.h>

#include <cstdint>
#include <filesystem>
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

  // Of a kernel module, whose types follow those of its kernel, `base`: from .BTF of its file.
  // A kernel has thousands of modules, and they share it.
  static std::unique_ptr<BtfFile> open_module(const std::filesystem::path& module,
                                              std::shared_ptr<const BtfFile> base,
                                              std::string& why_not);

  // Types are numbered from 1 to count() - 1. A module's own, and its functions, from first_own().
  uint32_t first_own() const { return first_own_; }
  uint32_t count() const { return count_; }
  const btf_type& type(uint32_t id) const { return *btf__type_by_id(btf_.get(), id); }
  const char* name(const btf_type& type) const { return string(type.name_off); }
  const char* string(uint32_t offset) const {
    const char* text = btf__name_by_offset(btf_.get(), offset);
    return text ? text : "";
  }

  // All types of that name and kind (BTF_KIND_*), by id; functions only the file's own.
  std::vector<uint32_t> find(std::string_view name, int kind) const;
  // Calls use(id, type) for each type of a kind; functions only the file's own.
  template <typename Use>
  void each(int kind, Use use) const {
    for (uint32_t id = kind == BTF_KIND_FUNC ? first_own_ : 1; id < count_; ++id)
      if (const btf_type& t = type(id); btf_kind(&t) == kind) use(id, t);
  }
  // Where a name is in the string section; 0 when no type, member or enumerator has it.
  uint32_t string_offset(std::string_view name) const;

 private:
  struct Free {
    void operator()(struct btf* b) const { btf__free(b); }
  };
  BtfFile(struct btf*, std::shared_ptr<const BtfFile> base);
  static std::unique_ptr<BtfFile> checked(struct btf* parsed, std::shared_ptr<const BtfFile> base,
                                          std::string& why_not);

  std::shared_ptr<const BtfFile> base_;  // of a module: the kernel's
  std::unique_ptr<struct btf, Free> btf_;
  uint32_t first_own_ = 1, count_ = 0;
  std::string_view strings_;
  uint32_t strings_at_ = 0;  // the offset that the first of strings_ has
};

}  // namespace stp
