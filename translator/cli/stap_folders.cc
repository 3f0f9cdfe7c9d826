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

uintmax_t bytes_below(const fs::path& dir) {
  uintmax_t bytes = 0;
  std::error_code failed;
  for (fs::recursive_directory_iterator it(dir, failed), end; !failed && it != end;
       it.increment(failed)) {
    std::error_code ignored;
    if (it->is_regular_file(ignored)) bytes += it->file_size(ignored);
  }
  return bytes;
}

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

void prune_modules(const fs::path& folder, uintmax_t limit) {
  struct Entry {
    fs::file_time_type time;
    fs::path path;
    uintmax_t bytes;
  };
  std::vector<Entry> entries;
  uintmax_t all = 0;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    // Somebody may be building in the others.
    if (entry.path().filename().string().starts_with("work-")) continue;
    std::error_code ignored;
    entries.push_back({entry.last_write_time(ignored), entry.path(), bytes_below(entry.path())});
    all += entries.back().bytes;
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.time < b.time; });
  for (const auto& entry : entries) {
    if (all <= limit) return;
    std::error_code failed;
    fs::remove_all(entry.path, failed);
    if (!failed) all -= entry.bytes;
  }
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
