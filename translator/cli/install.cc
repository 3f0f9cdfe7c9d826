// What stp finds around it, and which kernel it takes when nobody said.
//
// The default of commands that only look (check, list, doctor) follows that of `stp run`: where the
// running kernel cannot be traced, scripts run in a virtual machine, so that is the kernel to look
// at. Rejected: to do the same for `stp build`, whose module somebody means to load.

#include "cli/install.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>

#include "build/home.h"
#include "cli/loadable.h"
#include "target/target.h"

namespace stp::cli {
namespace {

namespace fs = std::filesystem;

fs::path in_home(const char* name) {
  std::error_code ignored;
  fs::path place = home_dir() / name;
  return fs::exists(place, ignored) ? place : fs::path{};
}

// The first column of vm/kernels.list.
std::vector<std::string> listed_kernels() {
  std::vector<std::string> names;
  fs::path program = vm_program();
  std::ifstream list(program.parent_path() / "kernels.list");
  for (std::string line; std::getline(list, line);) {
    std::string name = line.substr(0, line.find_first_of(" \t"));
    if (!name.empty() && name[0] != '#') names.push_back(name);
  }
  return names;
}

}  // namespace

// In a tree, or as `make install` lays it out: <prefix>/share/stp is home.
fs::path vm_program() {
  fs::path in_tree = in_home("vm/run-in-vm");
  return in_tree.empty() ? in_home("../../libexec/stp/vm/run-in-vm") : in_tree;
}

fs::path tapset_dir() { return in_home("tapsets"); }

fs::path program_in_path(const std::string& name) {
  const char* path = getenv("PATH");
  std::istringstream folders(path ? path : "/usr/bin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (fs::path found = fs::path(folder) / name; access(found.c_str(), X_OK) == 0) return found;
  return {};
}

int exec_program(const fs::path& program, const std::vector<std::string>& args) {
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (const auto& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  fflush(nullptr);
  execv(program.c_str(), argv.data());
  fmt::print(stderr, "stp: cannot run {}: {}\n", program.string(), strerror(errno));
  return 1;
}

std::string kernel_for_vm() {
  std::vector<std::string> releases;
  for (const auto& known : known_kernels())
    if (known.has_image && known.has_headers) releases.push_back(known.release);
  std::sort(releases.begin(), releases.end(), [](const std::string& a, const std::string& b) {
    return strverscmp(a.c_str(), b.c_str()) > 0;
  });
  if (std::find(releases.begin(), releases.end(), running_release()) != releases.end())
    return running_release();
  for (const auto& name : listed_kernels())
    for (const auto& release : releases)
      if (release.starts_with(name + ".") || release == name) return release;
  return releases.empty() ? "" : releases.front();
}

std::string kernel_or_default(const std::string& asked, const std::string& command) {
  if (!asked.empty() || why_not_loadable().empty()) return asked;
  std::string running = running_release(), kernel = kernel_for_vm();
  if (kernel == running || kernel.empty()) return asked;
  fmt::print(stderr, "{}: for kernel {}, since {} cannot load modules (-r chooses)\n", command,
             kernel, running);
  return kernel;
}

}  // namespace stp::cli
