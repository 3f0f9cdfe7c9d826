// Files that stp derives from others and keeps: what they are called and how they get there.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace stp {

// 16 hex digits that change when the file at `path` is replaced: a hash of its absolute path,
// size, inode and time of modification. Empty when there is no such file. Reads no contents.
std::string file_key(const std::filesystem::path& path);

// Puts the concatenated `parts` at `path` so that readers see all of it or nothing; makes the
// folder. Blocks of zeroes become holes. False, with errno set, when that fails: the caller goes
// on without a cache.
bool write_atomically(const std::filesystem::path& path,
                      const std::vector<std::string_view>& parts);

}  // namespace stp
