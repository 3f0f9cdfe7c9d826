// A libFuzzer target for everything between text and tree, and from the tree back to text.
// `make fuzz` builds and runs it.
#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stp::fuzz;
  demand(parse_wrong({reinterpret_cast<const char*>(data), size}, library()));
  return 0;
}
