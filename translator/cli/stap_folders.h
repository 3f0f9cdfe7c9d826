// Folders that stap's options speak of: the temporary one, and the cache of modules.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace stp::cli {

// -k --tmpdir: where the C and the module can be looked at.
class TemporaryFolder {
 public:
  // `wanted` is made when it is not there, and stays; when empty, a new folder is made, and goes
  // with this object unless `keep`. Throws std::system_error.
  TemporaryFolder(const std::string& wanted, bool keep);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  bool keep_;
};

// What a build that was told to keep its folder (BuildOptions::keep) left there in this process.
void remove_own_builds(const std::filesystem::path& folder);

}  // namespace stp::cli
