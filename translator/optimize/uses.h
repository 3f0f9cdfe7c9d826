// What a handler touches: globals read and written, functions called, registers of the probed code.
#pragma once

#include <set>
#include <vector>

#include "sema/program.h"

namespace stp {

struct Uses {
  std::set<size_t> read, written;
  std::set<size_t> accumulated;  // scalar statistics that only get values: `s <<< x`
  std::set<size_t> added;        // numbers that a handler's statements only add to: `n++`, `n += x`
  std::set<std::pair<size_t, ast::AggregateOp>> asked;  // what of a statistic
  bool target = false;           // registers or arguments of the probed code at all
  bool all_registers = false;    // one that a function's entry does not keep
};

// Of every function, with all that it calls. What it adds to counts as read and written: who calls it may
// read it next.
std::vector<Uses> function_uses(const prog::Program&);
// Of a value that calls no function.
Uses value_uses(const prog::Expr*);
// Of a probe's handler and its entry values; `functions` is what function_uses() gave.
Uses probe_uses(const prog::Probe&, const std::vector<Uses>& functions);

// Of what is kept when a return probe's function is entered.
Uses entry_uses(const prog::Probe&, const std::vector<Uses>& functions);

}  // namespace stp
