// Where distributions put the parts of a kernel.
//
// Image, headers and debuginfo come in packages of their own, so each part is looked for by itself
// over all trees: an image under "/" goes well with debuginfo that was only unpacked somewhere. The
// places are a table; a distribution that uses another one is a row.

#include "target/locate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <system_error>

#include "target/target.h"

namespace stp {
namespace {

namespace fs = std::filesystem;

// {} is the release. The first that exists is taken.
struct Place {
  fs::path KernelFiles::*part;
  const char* pattern;
};

constexpr Place places[] = {
    {&KernelFiles::image, "/boot/vmlinuz-{}"},
    {&KernelFiles::image, "/lib/modules/{}/vmlinuz"},
    {&KernelFiles::image, "/usr/lib/modules/{}/vmlinuz"},
    {&KernelFiles::build_dir, "/lib/modules/{}/build"},
    {&KernelFiles::build_dir, "/usr/lib/modules/{}/build"},
    {&KernelFiles::build_dir, "/usr/src/linux-headers-{}"},
    {&KernelFiles::build_dir, "/usr/src/kernels/{}"},
    {&KernelFiles::debuginfo, "/usr/lib/debug/boot/vmlinux-{}"},
    {&KernelFiles::debuginfo, "/usr/lib/debug/lib/modules/{}/vmlinux"},
    {&KernelFiles::debuginfo, "/usr/lib/debug/usr/lib/modules/{}/vmlinux"},
    {&KernelFiles::debuginfo, "/boot/vmlinux-{}"},
    {&KernelFiles::debuginfo, "/lib/modules/{}/build/vmlinux"},
    {&KernelFiles::modules_dir, "/lib/modules/{}"},
    {&KernelFiles::modules_dir, "/usr/lib/modules/{}"},
    {&KernelFiles::config, "/boot/config-{}"},
    {&KernelFiles::config, "/lib/modules/{}/config"},
};

// Folders whose entries, behind the prefix, are names of releases.
struct Listing {
  const char* folder;
  std::string_view prefix;
};
constexpr Listing listings[] = {
    {"/boot", "vmlinuz-"},
    {"/lib/modules", ""},
    {"/usr/lib/modules", ""},
    {"/usr/lib/debug/boot", "vmlinux-"},
    {"/usr/lib/debug/lib/modules", ""},
};

// A link chain longer than this is a loop (as in Linux).
constexpr int link_limit = 40;

bool there_is(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

fs::path resolve_in_tree(const fs::path& tree, const fs::path& path, int& links) {
  fs::path at = tree;
  for (const auto& name : path.relative_path()) {
    if (name == "..") {
      if (at != tree) at = at.parent_path();
      continue;
    }
    if (name.empty() || name == ".") continue;
    std::error_code failed;
    fs::path target = fs::read_symlink(at / name, failed);
    if (failed) {
      at /= name;
    } else {
      if (++links > link_limit) return {};
      fs::path from_root = target.is_absolute() ? target : at.lexically_relative(tree) / target;
      at = resolve_in_tree(tree, from_root, links);
      if (at.empty()) return {};
    }
  }
  return at;
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed))
    if (it->is_directory(failed)) found.push_back(it->path());
  std::sort(found.begin(), found.end());
  return found;
}

void add_releases(const fs::path& tree, const Listing& listing, std::vector<std::string>& names) {
  std::error_code failed;
  fs::path folder = inside_tree(tree, listing.folder);
  if (folder.empty()) return;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
    std::string name = it->path().filename().string();
    if (name.starts_with(listing.prefix) && name.size() > listing.prefix.size())
      names.push_back(name.substr(listing.prefix.size()));
  }
}

std::string first_line(const fs::path& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

}  // namespace

fs::path inside_tree(const fs::path& tree, const fs::path& path) {
  // Under "/" the kernel resolves links as well as we do, and faster.
  if (tree == "/") return there_is(path) ? path : fs::path{};
  int links = 0;
  fs::path found = resolve_in_tree(tree, path, links);
  return !found.empty() && there_is(found) ? found : fs::path{};
}

std::vector<fs::path> kernel_trees(const fs::path& sysroot) {
  if (!sysroot.empty()) return {sysroot};
  std::vector<fs::path> trees = {"/"};
  if (const char* set = getenv("STP_KERNELS")) {
    std::string_view rest = set;
    while (!rest.empty()) {
      size_t colon = std::min(rest.find(':'), rest.size());
      if (colon > 0) trees.emplace_back(rest.substr(0, colon));
      rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
  } else {
    auto unpacked = folders_in(cache_dir() / "kernels");
    trees.insert(trees.end(), unpacked.begin(), unpacked.end());
  }
  return trees;
}

KernelFiles locate_kernel(const std::string& release, const fs::path& sysroot) {
  KernelFiles files;
  fs::path image_tree, headers_tree;
  for (const auto& tree : kernel_trees(sysroot)) {
    for (const auto& place : places) {
      fs::path& part = files.*place.part;
      if (!part.empty()) continue;
      part = inside_tree(tree, fmt::format(fmt::runtime(place.pattern), release));
      if (part.empty()) continue;
      if (place.part == &KernelFiles::image) image_tree = tree;
      if (place.part == &KernelFiles::build_dir) headers_tree = tree;
    }
  }
  files.sysroot = !headers_tree.empty() ? headers_tree
                  : !image_tree.empty() ? image_tree
                  : !sysroot.empty()    ? sysroot
                                        : "/";
  return files;
}

std::string release_of_build_dir(const fs::path& dir) {
  std::string release = first_line(dir / "include/config/kernel.release");
  if (!release.empty()) return release;
  // #define UTS_RELEASE "6.1.0-56-amd64"
  std::string define = first_line(dir / "include/generated/utsrelease.h");
  size_t open = define.find('"'), close = define.rfind('"');
  return open < close && close != define.npos ? define.substr(open + 1, close - open - 1) : "";
}

std::vector<KnownKernel> known_kernels(const fs::path& sysroot) {
  std::vector<std::string> releases;
  for (const auto& tree : kernel_trees(sysroot))
    for (const auto& listing : listings) add_releases(tree, listing, releases);
  std::sort(releases.begin(), releases.end());
  releases.erase(std::unique(releases.begin(), releases.end()), releases.end());

  std::vector<KnownKernel> known;
  for (const auto& release : releases) {
    KernelFiles files = locate_kernel(release, sysroot);
    if (files.nothing()) continue;
    known.push_back({release, files.sysroot, !files.image.empty(), !files.build_dir.empty(),
                     !files.debuginfo.empty()});
  }
  return known;
}

}  // namespace stp
