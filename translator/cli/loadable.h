// Whether the kernel that stp runs on can load modules that probe it.
#pragma once

#include <filesystem>
#include <string>

namespace stp::cli {

// Why not, as a phrase ("it was built without loadable modules"); empty when it can. `root` is
// where /proc and /sys are; a test passes a folder of its own. Capabilities are this process's
// and only asked when `root` is "/".
std::string why_not_loadable(const std::filesystem::path& root = "/");

// The error about it, for such a phrase.
std::string cannot_load(const std::string& reason, const std::string& cure = {});

std::string running_release();

}  // namespace stp::cli
