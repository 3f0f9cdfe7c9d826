// Where a chain of accesses to the probed code has come to.
#pragma once

#include "sema/lower.h"
#include "types/type.h"

namespace stp::sema {

struct Lowering::Place {
  const types::Type* type;
  prog::Expr* at;  // the address, or the value
  bool in_memory;
  uint8_t bit_offset = 0, bit_size = 0;
  // Of what is not in memory and more than a number: the parts of the whole variable, and where in
  // it this begins. `at` is then the value only where it fits a number, else null.
  std::vector<types::Location::Piece> parts = {};
  uint64_t first_bit = 0;
  // Of a pointer to what has no address: where that begins, and how far behind it points.
  std::shared_ptr<const types::Location> target = {};
  int64_t target_offset = 0;
};

}  // namespace stp::sema
