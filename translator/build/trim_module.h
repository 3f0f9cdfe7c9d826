// Takes out of a module's two objects what the kernel would load for nothing.
#pragma once

#include <filesystem>

namespace stp {

// `object` is the module's code, `mod` the .mod.o that modpost's file became; both are written anew.
// Throws std::runtime_error when one cannot be read or written. An object with parts that are not
// known here is left as it is.
void trim_module(const std::filesystem::path& object, const std::filesystem::path& mod);

// What the linker adds to the module that they became: symbols of sections that nothing refers to.
void trim_linked_module(const std::filesystem::path& module);

}  // namespace stp
