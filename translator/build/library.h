// A library of objects, as ar(1) makes them: a linker takes from it what is wanted.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "build/object_file.h"

namespace stp {

struct LibraryMember {
  std::string name;  // as ar shows it
  Object object;
};

// Throws std::runtime_error when it cannot be written, or is larger than 4 GB.
void write_library(const std::vector<LibraryMember>&, const std::filesystem::path& file);

}  // namespace stp
