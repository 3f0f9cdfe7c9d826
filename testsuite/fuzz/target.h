// What the fuzz targets share: where the sources are, the mutator, and how a property fails.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "fuzz/mutate.h"
#include "fuzz/passes.h"

namespace stp::fuzz {

inline std::filesystem::path source_dir() {
  const char* dir = std::getenv("STP_SOURCE_DIR");
  return dir ? dir : ".";
}

inline const Library& library() {
  static const Library library(source_dir() / "tapsets");
  return library;
}

inline void demand(const std::string& wrong) {
  if (wrong.empty()) return;
  std::fprintf(stderr, "%s\n", wrong.c_str());
  std::abort();
}

}  // namespace stp::fuzz

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed) {
  using namespace stp::fuzz;
  static const Words words = read_dictionary(source_dir() / "testsuite/fuzz/stp.dict");
  return mutate(data, size, most, seed, words);
}
