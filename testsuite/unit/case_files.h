// What the tests have in common that read cases from files below testsuite/.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "support/diagnostics.h"
#include "target/target.h"

namespace stp {

// The top of the source tree: STP_SOURCE_DIR, or the current directory.
inline std::filesystem::path source_dir() {
  const char* dir = std::getenv("STP_SOURCE_DIR");
  return dir ? dir : ".";
}

// The files of `folder`, named from the top of the tree, that end in `extension` (".stp"), sorted;
// none when there is no such folder.
inline std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder,
                                                   const std::string& extension) {
  std::vector<std::filesystem::path> files;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(source_dir() / folder, none))
    if (entry.path().extension() == extension) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

// The first kernel of vm/kernels.list, found once, by the beginning of its release; nothing when it
// is not installed.
inline const std::optional<Target>& first_kernel() {
  static const std::optional<Target> target = [] {
    std::ifstream list(source_dir() / "vm/kernels.list");
    std::string line;
    while (std::getline(list, line) && (line.empty() || line[0] == '#')) {
    }
    Diagnostics ignored;
    return find_target(line.substr(0, line.find_first_of(" \t")), ignored);
  }();
  return target;
}

inline std::string text_of_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// What follows `mark` on the line, or nothing.
inline std::string behind(std::string_view line, std::string_view mark) {
  size_t at = line.find(mark);
  return at == line.npos ? "" : std::string(line.substr(at + mark.size()));
}

// All that was reported, as people see it.
inline std::string rendered(const Diagnostics& diagnostics) {
  std::string out;
  for (const Diagnostic& one : diagnostics.all()) out += render(one);
  return out;
}

}  // namespace stp
