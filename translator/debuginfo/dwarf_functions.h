// Functions by name, file and address.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "debuginfo/dwarf_context.h"
#include "debuginfo/glob.h"

namespace stp::dwarf {

// As types::Provider::functions(), function_at() and symbol-less names for "did you mean".
std::vector<types::Function> find_functions(const Context&, const types::FunctionQuery&);
std::optional<types::Function> function_at(const Context&, uint64_t address);

// A pattern matches a whole path, or its tail behind a slash.
bool file_matches(const Glob& pattern, std::string_view file);

// A pattern matches a whole name, "ns::Class::method", or its tail behind "::".
bool scoped_name_matches(const Glob& pattern, std::string_view name);

// "no function 'vfs_raed' in 'fs/x.c' in the kernel", with names that are alike.
types::Lack no_function(const Context&, const types::FunctionQuery&);

}  // namespace stp::dwarf
