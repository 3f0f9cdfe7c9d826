// The provider that knows the most: DWARF of vmlinux, through elfutils.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "target/target.h"
#include "types/provider.h"

namespace stp {

// Null, with a phrase in `why_not`, when the file has no DWARF that can be read. The first call for
// a build-id reads all of it and leaves an index below cache_dir()/index/; later calls map that.
std::unique_ptr<types::Provider> open_dwarf(const std::filesystem::path& vmlinux, const Target&,
                                            std::string& why_not);

// The same of a kernel module, by a file with its DWARF; `build_id` is that of the module as it is
// loaded, or empty.
std::unique_ptr<types::Provider> open_module_dwarf(const std::filesystem::path& file,
                                                   const std::string& module,
                                                   const std::string& build_id,
                                                   std::string& why_not);

// The same of a program or library. `debuginfo` has the DWARF, `program` the code and how its
// frames are unwound; they may be one file. `whole` is what errors call it.
std::unique_ptr<types::Provider> open_dwarf_of_program(const std::filesystem::path& debuginfo,
                                                        const std::filesystem::path& program,
                                                        const std::string& whole,
                                                        std::string& why_not);

}  // namespace stp
