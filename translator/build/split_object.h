// Takes the runtime's objects apart, function by function, so that a module gets what it uses.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "build/library.h"

namespace stp {

struct SplitObjects {
  std::vector<LibraryMember> always;   // what nothing refers to and every module needs
  std::vector<LibraryMember> members;  // the others, for a library: one section of code or data each
};

// Splits `objects`, compiled with -ffunction-sections and -fdata-sections. What is local to an object may be named by
// other parts of it afterwards, and becomes global under a name that no other object knows. Throws std::runtime_error
// that says what cannot be split: then the objects are still good as they are.
SplitObjects split_objects(const std::vector<std::filesystem::path>& objects);

}  // namespace stp
