// Where the files of a kernel are: in the running system and in unpacked package trees.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace stp {

// The files of one release. Each may be empty, and each may be in a tree of its own.
struct KernelFiles {
  std::filesystem::path sysroot;  // the tree of the headers; without headers, of the image
  std::filesystem::path build_dir;
  std::filesystem::path image;
  std::filesystem::path debuginfo;
  std::filesystem::path modules_dir;
  std::filesystem::path config;

  bool nothing() const { return build_dir.empty() && image.empty() && debuginfo.empty(); }
};

// "/" and the trees that packages were unpacked in, in order of preference; the sysroot alone, when
// there is one.
std::vector<std::filesystem::path> kernel_trees(const std::filesystem::path& sysroot = {});

KernelFiles locate_kernel(const std::string& release, const std::filesystem::path& sysroot = {});

// `path`, which begins with "/", as it is inside of `tree`: symbolic links that point to absolute
// places lead to places in the tree. Empty when there is nothing.
std::filesystem::path inside_tree(const std::filesystem::path& tree,
                                  const std::filesystem::path& path);

// The release that a build directory was made for, from what its build left there; empty when
// it is none.
std::string release_of_build_dir(const std::filesystem::path& dir);

}  // namespace stp
