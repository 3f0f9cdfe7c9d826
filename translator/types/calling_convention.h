// Where a function's arguments and result are, by the x86-64 System V ABI.
//
// Register numbers are DWARF's (System V ABI, AMD64 supplement, figure 3.36).
#pragma once

#include <vector>

#include "types/location.h"
#include "types/provider.h"
#include "types/type.h"

namespace stp::types {

// One answer for each of `params`, for the first instruction of a function that returns `result`
// (null: void). Values in registers are as wide as the register: what lies above the type's size is
// undefined. Lack::unusable for what is passed in a vector register.
std::vector<Answer<Location>> entry_arguments(const Provider&,
                                              const std::vector<const Type*>& params,
                                              const Type* result);

// The same of a tracepoint: its arguments among the words that its probes are called with, those of
// registers first (LocOp::argument). What lies behind the words that the runtime keeps has no known location.
struct TracepointArguments {
  std::vector<Variable> each;
  int words = 0;  // up to here are arguments
};
TracepointArguments tracepoint_arguments(const Provider&, const std::vector<Param>& params);

// Where the result is when the function has returned. `result` is not void.
Answer<Location> return_location(const Provider&, const Type& result);

}  // namespace stp::types
