// NOKPROBE_SYMBOL() leaves the address of a function in a table of vmlinux, which the kernel reads at
// boot (kernel/kprobes.c, populate_kprobe_blacklist()) and so do we.
#include "debuginfo/kprobe_blacklist.h"

#include <algorithm>

namespace stp {

std::vector<uint64_t> read_kprobe_blacklist(const Image& image, const Symbols& symbols) {
  auto begin = symbols.address("__start_kprobe_blacklist");
  auto end = symbols.address("__stop_kprobe_blacklist");
  std::vector<uint64_t> entries;
  if (!begin || !end) return entries;
  for (uint64_t at = *begin; at < *end; at += sizeof(uint64_t)) {
    auto entry = image.read<uint64_t>(at);
    if (!entry) break;
    entries.push_back(*entry);
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

}  // namespace stp
