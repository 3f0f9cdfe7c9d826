// Variables that can be seen at a place, and where they are.
#pragma once

#include <string_view>
#include <vector>

#include "debuginfo/dwarf_context.h"

namespace stp::dwarf {

// As types::Provider::variables(), variable(), return_value() and global(). `provider` answers the
// calling convention's questions about types.
std::vector<types::Variable> variables_at(const Context&, const types::Provider& provider,
                                          const types::Place&);
types::Answer<types::Variable> variable_at(const Context&, const types::Provider& provider,
                                           const types::Place&, std::string_view name);
types::Answer<types::Variable> return_value_of(const Context&, const types::Provider& provider,
                                               const types::Function&);
types::Answer<types::Variable> global_variable(const Context&, std::string_view name,
                                               std::string_view file);

// Parameters in the order of the source. A clone may have lost some, or have them in another order.
std::vector<types::Param> parameters_of(const Context&, Dwarf_Die function);

}  // namespace stp::dwarf
