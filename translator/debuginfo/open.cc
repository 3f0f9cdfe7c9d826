// Which debug information answers: DWARF knows the most, BTF is always at hand.

#include "debuginfo/open.h"

#include <fmt/format.h>

#include "debuginfo/btf.h"
#include "debuginfo/dwarf.h"
#include "debuginfo/find.h"
#include "debuginfo/symbols_provider.h"

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

std::unique_ptr<types::Provider> dwarf_of(const Target& target, std::vector<std::string>& why_not) {
  std::string no_dwarf;
  std::filesystem::path file = target.debuginfo;
  if (file.empty() && !target.build_id.empty()) {
    // No path leads to it, but perhaps the build-id: in a tree, or on a server.
    DebugSearch search = find_debuginfo_of(target.build_id, target.trees);
    file = search.file;
    why_not = told(search.looked_for);
  }
  if (file.empty()) return nullptr;
  auto provider = open_dwarf(file, target, no_dwarf);
  if (!provider) why_not.push_back(no_dwarf);
  return provider;
}

}  // namespace

std::unique_ptr<types::Provider> open_debuginfo(const Target& target, DebuginfoChoice choice,
                                                Diagnostics& diagnostics) {
  using Choice = DebuginfoChoice;
  std::vector<std::string> no_dwarf;
  std::string no_btf, no_symbols;
  if (choice == Choice::automatic || choice == Choice::dwarf)
    if (auto provider = dwarf_of(target, no_dwarf)) return provider;
  if (choice == Choice::dwarf) {
    auto& error = diagnostics.error(Code::no_debuginfo, {}, dwarf_missing(target));
    for (const auto& note : no_dwarf) error.note(note);
    say_how_to_get_dwarf(error, target);
    return nullptr;
  }
  if (choice != Choice::none)
    if (auto provider = open_btf(target, no_btf)) {
      // Asking for less than was found would puzzle: say why DWARF is not used.
      if (!no_dwarf.empty() && !target.debuginfo.empty()) {
        auto& warning = diagnostics.warning(Code::no_debuginfo, {}, dwarf_missing(target));
        for (const auto& note : no_dwarf) warning.note(note);
      }
      return provider;
    }
  if (choice != Choice::btf)
    if (auto provider = open_kernel_symbols(
            target, choice == Choice::none ? "--debuginfo=none" : no_btf, no_symbols))
      return provider;
  bool has_image = !target.vmlinux.empty();
  auto& error =
      diagnostics.error(has_image ? Code::no_debuginfo : Code::no_kernel, {},
                        fmt::format("kernel {} has {} that stp can read: {}", target.release,
                                    choice == Choice::none ? "no symbols" : "no debug information",
                                    choice == Choice::none ? no_symbols : no_btf));
  if (!has_image)
    error.note(fmt::format("BTF comes with the kernel image: `apt-get install linux-image-{}`",
                           target.release));
  if (choice == Choice::automatic) say_how_to_get_dwarf(error, target);
  return nullptr;
}

}  // namespace stp
