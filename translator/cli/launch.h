// From a module that was built to one that runs, here or in a virtual machine.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/options.h"
#include "target/target.h"

namespace stp::cli {

struct Launch {
  std::string command = "stp run";  // whose name is in front of messages
  RunOptions run;
  bool verbose = false;  // stp-load says what happens
  bool vm = false;
  std::vector<std::string> shares;  // with `vm`: folders that the guest sees
};

// What can be said before anything is read: whether there is a place to run. With `vm`, names the
// kernel that is booted when none was asked for. Returns an exit status.
int check_place(const Launch&, std::string& kernel);

// What options say together that cannot be; empty when nothing is wrong.
std::string contradiction(const Launch&);

// Becomes stp-load, or what boots the machine that it runs in. Returns only when that fails.
int launch(const Launch&, const Target&, const std::filesystem::path& module);

// The same as a child, and waits for it: the status is that of stp-load. Signals that mean to end
// the run are handed on.
int launch_and_wait(const Launch&, const Target&, const std::filesystem::path& module);

// The same as a child that is left alone, in a session of its own; prints its process id.
int launch_behind(const Launch&, const Target&, const std::filesystem::path& module);

}  // namespace stp::cli
