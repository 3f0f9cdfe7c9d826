// A module in the kernel: putting it in, finding its files, taking it out.
#pragma once

#include <string>

#include "module_file.h"

namespace stp::load {

// Inserts the module; when one of its name is already loaded, under another name (`file` is
// changed to it). Throws std::runtime_error with a text that says what to do.
void insert_module(ModuleFile& file);

// Removes it, waiting up to `seconds` while it is in use. True when it is gone.
bool remove_module(const std::string& name, double seconds);

// /sys/kernel/debug/stp, where each session has a folder; mounts debugfs when nobody has. Throws
// std::runtime_error.
std::string sessions_directory();

// /sys/kernel/debug/stp/<name>; mounts debugfs when nobody has. Throws std::runtime_error.
std::string module_directory(const std::string& name);

}  // namespace stp::load
