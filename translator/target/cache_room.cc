// There is no list of entries beside the entries: it would be one more thing to tear. An entry's time of
// modification says when it was last used, and is moved on once an hour, so that a run which finds
// everything in the cache writes nothing.
//
// Removing what another process has mapped or opened does it no harm. What it is about to open was marked as
// used within the hour, and is spared.
#include "target/cache_room.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include "target/target.h"

namespace stp {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds spared_by_default = std::chrono::hours(1);

uintmax_t bytes_on_disk(const fs::path& path) {
  struct stat st;
  return lstat(path.c_str(), &st) == 0 ? static_cast<uintmax_t>(st.st_blocks) * 512 : 0;
}

uintmax_t bytes_below(const fs::path& path) {
  uintmax_t bytes = bytes_on_disk(path);
  std::error_code failed;
  for (fs::recursive_directory_iterator it(path, failed), end; !failed && it != end;
       it.increment(failed))
    bytes += bytes_on_disk(it->path());
  return bytes;
}

// Folders that modules are built in, and files that keep two processes from making one thing.
bool in_the_making(const std::string& name) {
  return name.starts_with("work-") || name.ends_with(".lock");
}

bool older_than(const fs::path& path, std::chrono::seconds age) {
  std::error_code failed;
  auto time = fs::last_write_time(path, failed);
  return failed || time < fs::file_time_type::clock::now() - age;
}

void set_to_now(const fs::path& path) {
  std::error_code ignored;
  fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
}

}  // namespace

std::span<const CacheKind> cache_kinds() {
  static constexpr CacheKind kinds[] = {
      {"index", "indexes of DWARF"},          {"symbols", "indexes of symbol tables"},
      {"images", "unpacked kernel images"},   {"unpacked", "unpacked modules and sections"},
      {"runtime", "the runtime, per kernel"}, {"modules", "modules made of scripts"},
  };
  return kinds;
}

std::vector<std::string> cache_folders() {
  std::vector<std::string> folders;
  for (const auto& kind : cache_kinds()) folders.push_back(kind.folder);
  return folders;
}

std::vector<CacheEntry> cache_entries(std::string_view folder) {
  std::vector<CacheEntry> entries;
  std::error_code failed;
  for (fs::directory_iterator it(cache_dir() / folder, failed), end; !failed && it != end;
       it.increment(failed)) {
    if (in_the_making(it->path().filename().string())) continue;
    std::error_code gone;
    auto used = it->last_write_time(gone);
    if (!gone) entries.push_back({it->path(), bytes_below(it->path()), used});
  }
  std::sort(entries.begin(), entries.end(),
            [](const CacheEntry& a, const CacheEntry& b) { return a.used < b.used; });
  return entries;
}

Removed trim_cache(const std::vector<std::string>& folders, uintmax_t limit,
                   std::chrono::seconds spared) {
  std::vector<CacheEntry> entries;
  for (const auto& folder : folders)
    for (auto& entry : cache_entries(folder)) entries.push_back(std::move(entry));
  std::sort(entries.begin(), entries.end(),
            [](const CacheEntry& a, const CacheEntry& b) { return a.used < b.used; });
  uintmax_t all = 0;
  for (const auto& entry : entries) all += entry.bytes;
  Removed removed;
  for (const auto& entry : entries) {
    if (all <= limit || !older_than(entry.path, spared)) break;
    std::error_code failed;
    fs::remove_all(entry.path, failed);
    if (failed) continue;
    all -= entry.bytes;
    removed.bytes += entry.bytes;
    ++removed.entries;
  }
  return removed;
}

void mark_used(const fs::path& entry) {
  if (older_than(entry, spared_by_default / 2)) set_to_now(entry);
}

std::optional<uintmax_t> parse_size(std::string_view text) {
  uintmax_t value = 0;
  auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  int shift = unit.empty() ? 0 : unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : -1;
  if (wrong != std::errc{} || shift < 0 || value > UINTMAX_MAX >> shift) return std::nullopt;
  return value << shift;
}

uintmax_t cache_limit() {
  const char* set = getenv("STP_CACHE_LIMIT");
  return parse_size(set ? set : "").value_or(uintmax_t{2} << 30);
}

void tidy_cache() {
  fs::path stamp = cache_dir() / ".tidied";
  if (!older_than(stamp, std::chrono::hours(1))) return;
  std::ofstream{stamp};
  set_to_now(stamp);
  trim_cache(cache_folders(), cache_limit(), spared_by_default);
}

}  // namespace stp
