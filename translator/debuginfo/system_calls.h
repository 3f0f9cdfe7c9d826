// The system calls of a kernel: their names and numbers, the functions that serve them, and what these
// were declared to take.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "debuginfo/image.h"
#include "target/target.h"
#include "types/provider.h"

namespace stp {

struct SystemCall {
  std::string name;      // as user space calls it: "newfstatat"
  uint32_t number = 0;
  bool ia32 = false;     // of the 32-bit table
  bool compat = false;   // has a function of its own for 32-bit callers
  std::string function;  // as the kernel declares it, without sys_: "newfstatat"
  std::string declared;  // whose declaration tells the parameters
  std::string symbol;    // "__x64_sys_newfstatat"
};

// Both tables, by name, those of 64 bits first. Numbers that no function serves are left out. Empty, with a
// phrase in `why_not`, when the kernel's headers have no tables.
std::vector<SystemCall> read_system_calls(const Target&, std::string& why_not);

// What calls were declared to take, as the kernel has it for its own trace events. Types are as in the
// source: "const char *".
class SystemCallParameters {
 public:
  struct Parameter {
    std::string type, name;
  };

  SystemCallParameters(const Target&, const types::Provider&);
  // Empty when nothing is known, and when there are none.
  std::vector<Parameter> of(const SystemCall&) const;

 private:
  const types::Provider& provider_;
  std::unique_ptr<Image> image_;  // null: not to be had
};

}  // namespace stp
