// How much room the cache takes, and what is given up when that is too much: what was not used for the
// longest time.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stp {

struct CacheKind {
  const char* folder;  // below cache_dir()
  const char* what;
};
// What stp derives and can derive again. Kernels that were unpacked there are none of it.
std::span<const CacheKind> cache_kinds();
std::vector<std::string> cache_folders();  // their names

struct CacheEntry {
  std::filesystem::path path;  // a file, or a folder as a whole
  uintmax_t bytes;             // on disk
  std::filesystem::file_time_type used;
};
// Of one folder, what was not used for the longest time first. What is being made is none.
std::vector<CacheEntry> cache_entries(std::string_view folder);

struct Removed {
  size_t entries = 0;
  uintmax_t bytes = 0;
};
// Removes entries of `folders` until they take at most `limit` bytes; those that were used within
// `spared` stay.
Removed trim_cache(const std::vector<std::string>& folders, uintmax_t limit,
                   std::chrono::seconds spared);

// Tells that an entry was found of use. Costs a stat(2).
void mark_used(const std::filesystem::path& entry);

// "500M", "2G", bytes without a letter. Nothing when it is no size.
std::optional<uintmax_t> parse_size(std::string_view text);
// $STP_CACHE_LIMIT; 2 GB when that is not set, or no size.
uintmax_t cache_limit();

// Trims the whole cache to its limit, once an hour at most. Called when a command ends.
void tidy_cache();

}  // namespace stp
