// The programs and folders that stp leans on.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace stp::cli {

// vm/run-in-vm of the installation. Empty when it is not there.
std::filesystem::path vm_program();
// The folder of the tapset library. Empty when it is not there.
std::filesystem::path tapset_dir();

// Where a program of that name is in $PATH; empty when nowhere.
std::filesystem::path program_in_path(const std::string& name);

// Replaces this process; returns only when that fails, after saying so: status 1.
int exec_program(const std::filesystem::path&, const std::vector<std::string>& args);

// The kernel that a virtual machine boots when none is asked for: the running one if its image and
// headers are here, else the first of vm/kernels.list that is, else the newest that is. Empty when
// there is none.
std::string kernel_for_vm();

// The kernel that a command is about when -r names none: the running one; on a machine where that
// cannot be traced and nothing of it is here, the one of a virtual machine, which is said to stderr
// with the command's name in front.
std::string kernel_or_default(const std::string& asked, const std::string& command);

}  // namespace stp::cli
