// A libFuzzer target for everything between text and C, with a kernel that is made up.
// `make fuzz` builds and runs it.
#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stp::fuzz;
  demand(compile_wrong({reinterpret_cast<const char*>(data), size}, library()));
  return 0;
}
