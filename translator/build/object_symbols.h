// The symbols that an object file defines for others, and those that it wants from others.
#pragma once

#include <filesystem>
#include <set>
#include <string>

namespace stp {

struct ObjectSymbols {
  std::set<std::string> defined;  // global or weak
  std::set<std::string> undefined;
};

// Throws std::runtime_error when the file is no ELF object.
ObjectSymbols object_symbols(const std::filesystem::path& object);

}  // namespace stp
