// Where functions are called from, and what was passed there: DW_TAG_call_site (DWARF5 3.4), which
// compilers write for optimised code.
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "debuginfo/dwarf_file.h"

namespace stp::dwarf {

bool is_call_site(int tag);
// Where a call site's call returns to; nothing when it is a jump, or does not say.
std::optional<uint64_t> return_address(Dwarf_Die& site, int tag);
// The function that a call site's entry says to be called; nothing of a call through a pointer.
std::optional<Dwarf_Die> called_by(Dwarf_Die& site);
// What a call site says of the value that a register had; false when it says nothing.
bool passed_in(Dwarf_Die& site, int dwarf_register, Dwarf_Attribute& value);

struct CallSite {
  Dwarf_Off entry, caller;  // numbers of entries
  uint64_t returns;         // what lies on the stack while the callee runs
};

// Read once, when it is first asked for: it takes a walk over all functions.
class CallSites {
 public:
  explicit CallSites(const File& file) : file_(file) {}

  // The calls of a function that debug information names it in. None when a jump may lead from the
  // function to its own beginning: the frame of the call is there then, and what was passed is not.
  const std::vector<CallSite>& of(Dwarf_Die& function) const;

 private:
  struct Calls {
    std::vector<CallSite> sites;
    std::vector<std::string> jumps;  // to functions, as the last thing
    bool jumps_anywhere = false;     // through a pointer
  };

  void read() const;
  void walk(Dwarf_Die& parent, Dwarf_Die& function, const std::string& name, int depth) const;
  bool may_jump_to_itself(const std::string& name) const;
  std::string key_of(Dwarf_Die function) const;

  const File& file_;
  mutable std::unordered_map<std::string, Calls> calls_;  // by key_of()
  mutable bool known_ = false;
};

}  // namespace stp::dwarf
