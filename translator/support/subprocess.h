// Runs another program and waits for it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace stp {

// Runs `command` (looked up in PATH when it is no path) in `directory` (empty: this one) with no input, standard
// output and error appended to `log`. Returns its exit status, 128 + N when signal N ended it, or
// 127 when it could not be started; then the log says why.
int run_logged(const std::vector<std::string>& command, const std::filesystem::path& log,
               const std::filesystem::path& directory = {});

// `text` as one word of a shell command.
std::string shell_quote(const std::string& text);

}  // namespace stp
