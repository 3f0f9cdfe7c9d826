// Points of functions of one image, which is the kernel, a module or a program: .function("f@file")
// with what may follow it, and the forms that all of them share.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "probes/kind.h"

namespace stp::probes {

// "f@file:place" of .function() and .statement().
struct PlacePattern {
  std::string function;
  std::string file;   // empty: any
  std::string place;  // with the ':' or '+' before it; empty: none
};
PlacePattern split_place(const std::string& text);

struct LineRange {
  uint32_t first = 0, last = 0;  // 0: all of the function's
};
struct Lines {
  std::vector<LineRange> ranges;
  bool relative = false;  // to the function's declaration
  bool is_one() const { return ranges.size() == 1 && ranges[0].first == ranges[0].last; }
};
// ":3", ":*", ":3-5", "+2", ":3,7-9", or nothing for where a function begins. What is none of these is
// an error at `span`.
std::optional<Lines> read_lines(const Request&, const std::string& place, const Span& span);

// Where functions are sought, as far as the kernel and programs differ.
struct FunctionImage {
  const types::Provider& provider;
  std::string name;                        // in messages: "the kernel", "'/bin/true'"
  std::vector<ast::Component> components;  // of the names of points: with a found file's own name
  // Why no probe may stand there; empty when one may.
  std::function<std::string(const types::Function&)> forbidden;
};

// Copies, labels and calls are known to DWARF alone.
bool needs_dwarf(const Request&);

// Appends the functions, inlined copies, labels and callees that the request means.
void resolve_functions(const Request&, const FunctionImage&, std::vector<Found>&);

// .label("l"), .callee("f") and its kin: what may follow .function("f") besides what each image
// has of its own.
std::vector<std::vector<Part>> forms_inside_functions();

}  // namespace stp::probes
