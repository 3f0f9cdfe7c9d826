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
// The inlined copies that an entry of the debug information, by its number, describes: some names have thousands.
std::vector<types::Function> copies_at(const Context&, std::string_view name, uint32_t entry);

// A pattern matches a whole path, or its tail behind a slash.
bool file_matches(const Glob& pattern, std::string_view file);

// What stands in namespaces and classes may be called by its last names: "method", "Class::method";
// wildcards do not reach over "::". A leading "::" means that nothing is around.
class ScopedPattern {
 public:
  explicit ScopedPattern(std::string_view pattern);
  bool matches(std::string_view name) const;

 private:
  std::vector<Glob> parts_;
  bool whole_ = false;
};

// "no function 'vfs_raed' in 'fs/x.c' in the kernel", with names that are alike.
types::Lack no_function(const Context&, const types::FunctionQuery&);

}  // namespace stp::dwarf
