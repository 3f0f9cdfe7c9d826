// A libFuzzer target for arguments, macros and conditionals. `make fuzz` builds and runs it.
#include "fuzz/target.h"
#include "fuzz/token_passes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stp::fuzz;
  demand(preprocess_wrong({reinterpret_cast<const char*>(data), size}, library()));
  return 0;
}
