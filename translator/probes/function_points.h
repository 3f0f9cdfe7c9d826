// Points of functions of one image, which is the kernel, a module or a program: .function("f@file")
// with what may follow it, and the forms that all of them share.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "probes/kind.h"
#include "probes/source_lines.h"

namespace stp::probes {

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
