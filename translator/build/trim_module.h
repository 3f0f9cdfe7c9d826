// Takes out of a module's two objects what the kernel would load for nothing.
#pragma once

#include <filesystem>

namespace stp {

// `object` is the module's code, `mod` the .mod.o that modpost's file became; both are written anew.
// Throws std::runtime_error when one cannot be read or written. An object with parts that are not
// known here is left as it is.
void trim_module(const std::filesystem::path& object, const std::filesystem::path& mod);

// The module that they became: takes out symbols that nothing refers to, and names of functions. `names` gets those,
// a line for each with its place in .text and size, hexadecimal; in the module one function is left, "stp", all of .text. A module
// with code elsewhere is left as it is, and has no `names`.
void trim_linked_module(const std::filesystem::path& module, const std::filesystem::path& names);

}  // namespace stp
