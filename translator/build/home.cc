// A program knows where it lies (/proc/self/exe), so that nothing need be compiled in and a tree
// can be moved.
#include "build/home.h"

#include <fmt/format.h>

#include <boost/process/search_path.hpp>
#include <cstdlib>
#include <stdexcept>

namespace stp {
namespace fs = std::filesystem;
namespace {

fs::path program_dir() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

bool is_home(const fs::path& path) {
  std::error_code error;
  return fs::exists(path / "runtime/Kbuild", error) &&
         fs::exists(path / "include/stp/abi.h", error);
}

}  // namespace

fs::path home_dir() {
  if (const char* set = std::getenv("STP_HOME")) {
    if (is_home(set)) return set;
    throw std::runtime_error(fmt::format("STP_HOME is {}, where there is no runtime/Kbuild", set));
  }
  fs::path here = program_dir();
  // The tests' programs lie one folder deeper than stp itself.
  for (const fs::path& place : {here, here.parent_path(), here.parent_path() / "share/stp"})
    if (is_home(place)) return place;
  throw std::runtime_error(fmt::format("no runtime/Kbuild in {}, {} or {}; set STP_HOME",
                                       here.string(), here.parent_path().string(),
                                       (here.parent_path() / "share/stp").string()));
}

fs::path loader_program() {
  fs::path here = program_dir();
  std::error_code error;
  for (const fs::path& place : {here / "stp-load", here.parent_path() / "stp-load",
                                here.parent_path() / "libexec/stp/stp-load"})
    // Where it truly is: a guest that is given this folder must find it there.
    if (fs::exists(place, error)) return fs::canonical(place);
  return boost::process::search_path("stp-load").string();
}

}  // namespace stp
