// The source that knows least: a symbol table, where there is no debug information.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "target/target.h"
#include "types/provider.h"

namespace stp {

// A symbol as it is called in the source, without what is in parentheses: "geo::Point::dot".
std::string source_name(std::string_view symbol);

// Functions by name and address, tracepoints by name, and nothing of what is in them: those questions are
// refused with Lack::debuginfo. Null, with a phrase in `why_not`, when there are no symbols.
std::unique_ptr<types::Provider> open_user_symbols(const std::filesystem::path& program,
                                                   std::string& why_not);
// `instead_of`: why there is nothing better, for errors about what symbols do not have.
std::unique_ptr<types::Provider> open_kernel_symbols(const Target&, const std::string& instead_of,
                                                     std::string& why_not);
std::unique_ptr<types::Provider> open_module_symbols(const std::filesystem::path& path,
                                                     const std::string& module,
                                                     const std::string& instead_of,
                                                     std::string& why_not);

}  // namespace stp
