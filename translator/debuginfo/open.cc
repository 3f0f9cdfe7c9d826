// Which debug information answers: DWARF knows the most, BTF is always at hand.

#include "debuginfo/open.h"

#include <fmt/format.h>

#include "debuginfo/btf.h"
#include "debuginfo/dwarf.h"
#include "debuginfo/find.h"

namespace stp {
namespace {

std::string dwarf_missing(const Target& target) {
  return target.debuginfo.empty()
             ? fmt::format("no debuginfo of kernel {} was found", target.release)
             : fmt::format("{} cannot be used", target.debuginfo.string());
}

void say_how_to_get_dwarf(Diagnostic& error, const Target& target) {
  error.note(
      fmt::format("looked for usr/lib/debug/boot/vmlinux-{0} and "
                  "usr/lib/debug/lib/modules/{0}/vmlinux",
                  target.release));
  error.note(fmt::format("`apt-get install linux-image-{}-dbg` installs it", target.release));
}

}  // namespace

std::unique_ptr<types::Provider> open_debuginfo(const Target& target, DebuginfoChoice choice,
                                                Diagnostics& diagnostics) {
  std::string no_dwarf, no_btf;
  // No path leads to it, but perhaps the build-id: in a tree, or on a server.
  if (choice != DebuginfoChoice::btf && target.debuginfo.empty() && !target.build_id.empty()) {
    DebugSearch search = find_debuginfo_of(target.build_id, target.trees);
    if (search.file.empty())
      no_dwarf = told(search);
    else if (auto provider = open_dwarf(search.file, target, no_dwarf))
      return provider;
  }
  if (choice != DebuginfoChoice::btf && !target.debuginfo.empty())
    if (auto provider = open_dwarf(target.debuginfo, target, no_dwarf)) return provider;
  if (choice == DebuginfoChoice::dwarf) {
    auto& error = diagnostics.error(Code::no_debuginfo, {}, dwarf_missing(target));
    if (!no_dwarf.empty()) error.note(no_dwarf);
    say_how_to_get_dwarf(error, target);
    return nullptr;
  }
  if (auto provider = open_btf(target, no_btf)) {
    // Asking for less than was found would puzzle: say why DWARF is not used.
    if (!no_dwarf.empty() && !target.debuginfo.empty())
      diagnostics.warning(Code::no_debuginfo, {}, dwarf_missing(target)).note(no_dwarf);
    return provider;
  }
  bool has_image = !target.vmlinux.empty();
  auto& error =
      diagnostics.error(has_image ? Code::no_debuginfo : Code::no_kernel, {},
                        fmt::format("kernel {} has no debug information that stp can read: {}",
                                    target.release, no_btf));
  if (!has_image)
    error.note(fmt::format("BTF comes with the kernel image: `apt-get install linux-image-{}`",
                           target.release));
  if (choice == DebuginfoChoice::automatic) say_how_to_get_dwarf(error, target);
  return nullptr;
}

}  // namespace stp
