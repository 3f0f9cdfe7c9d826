// The provider that needs no debuginfo: types from the BTF of the kernel image, addresses from
// its symbol table.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "target/target.h"
#include "types/provider.h"

namespace stp {

class BtfFile;

// Null, with a phrase in `why_not`, when the target has no BTF. Without a symbol table it still
// works: functions then have address 0, to be resolved at load. The provider keeps its own copy of
// what it needs of the target.
std::unique_ptr<types::Provider> open_btf(const Target&, std::string& why_not);

// The same of a kernel module, by its file (unpacked), over the BTF of its kernel.
std::unique_ptr<types::Provider> open_module_btf(const std::filesystem::path& file,
                                                 const std::string& module, const Target&,
                                                 std::shared_ptr<const BtfFile> base,
                                                 std::string& why_not);

}  // namespace stp
