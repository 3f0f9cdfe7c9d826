// One immutable description of the kernel that is traced.
//
// Found once at the start of a run and passed to whoever needs it. Nothing in it is
// computed from the machine that stp runs on, but for the place where files are.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/diagnostics.h"

namespace stp {

struct Target {
  std::string release;   // "6.1.0-56-amd64"
  std::string version;   // "6.1.0": what kernel_v is
  std::string arch;      // "x86_64"
  std::string build_id;  // hex of the image's GNU build-id; empty when unknown

  std::filesystem::path sysroot;      // "/" or the tree that the packages were unpacked in
  std::filesystem::path build_dir;    // headers, for Kbuild; may be empty
  std::filesystem::path image;        // vmlinuz; may be empty
  std::filesystem::path vmlinux;      // unpacked from the image (cached), with .BTF; may be empty
  std::filesystem::path debuginfo;    // vmlinux with DWARF; may be empty
  std::filesystem::path modules_dir;  // lib/modules/<release>
  // "/" and the trees that packages were unpacked in, where debuginfo is looked for; or a sysroot.
  std::vector<std::filesystem::path> trees;

  std::map<std::string, std::string> config;  // CONFIG_X -> y, m or text

  bool has_config(const std::string& name) const { return config.count(name) > 0; }
};

// A release that can be traced: its image and headers were found.
struct KnownKernel {
  std::string release;
  std::filesystem::path sysroot;
  bool has_image = false;
  bool has_headers = false;
  bool has_debuginfo = false;
};

// Kernels under "/" and under every tree of $STP_KERNELS (colon-separated) or, when that is
// not set, of cache_dir()/kernels/*. A tree is laid out as the packages unpack.
std::vector<KnownKernel> known_kernels(const std::filesystem::path& sysroot = {});

// `spec` is a release, the beginning of one ("6.12": the newest that is known), a build
// directory, or empty for the running kernel. Reports
// no_kernel with what was looked for and where, and the command that mends it.
//
// With a `sysroot` the files of the kernel are looked for there and nowhere else.
//
// `located` is called when the files are found and the configuration is read, before the image is unpacked:
// the first time that takes half a second, and who needs the headers alone can begin.
std::optional<Target> find_target(const std::string& spec, Diagnostics&,
                                  const std::filesystem::path& sysroot = {},
                                  const std::function<void(const Target&)>& located = {});

// ~/.cache/stp or $STP_CACHE; created if need be.
std::filesystem::path cache_dir();

}  // namespace stp
