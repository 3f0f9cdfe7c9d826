// The subcommands: each takes the words behind its name and returns the exit status.
#pragma once

#include <string>
#include <vector>

namespace stp::cli {

constexpr const char* version = "0.1";

using Words = std::vector<std::string>;

int run_command(const Words&);
int build_command(const Words&);
int load_command(const Words&);
int attach_command(const Words&);
int sessions_command(const Words&);
int unload_command(const Words&);
int merge_command(const Words&);
int check_command(const Words&);
int list_command(const Words&);
int doctor_command(const Words&);
int cache_command(const Words&);

// The whole program when it is called `stap`: SystemTap's command line.
int stap_command(const Words&);

}  // namespace stp::cli
