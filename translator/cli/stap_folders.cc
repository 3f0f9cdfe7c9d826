// The cache has no list of its own: a module is a folder, and its age is the folder's.
#include "cli/stap_folders.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

namespace stp::cli {
namespace {

namespace fs = std::filesystem;

std::string work_prefix() { return fmt::format("work-{}-", getpid()); }

}  // namespace

TemporaryFolder::TemporaryFolder(const std::string& wanted, bool keep)
    : path_(wanted), keep_(keep || !wanted.empty()) {
  if (!wanted.empty()) {
    fs::create_directories(path_);
    return;
  }
  const char* place = getenv("TMPDIR");
  std::string name = fmt::format("{}/stapXXXXXX", place ? place : "/tmp");
  if (!mkdtemp(name.data())) throw std::system_error(errno, std::generic_category(), name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!keep_) fs::remove_all(path_, ignored);
}

void remove_own_builds(const fs::path& folder) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    std::error_code ignored;
    if (entry.path().filename().string().starts_with(work_prefix()))
      fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace stp::cli
