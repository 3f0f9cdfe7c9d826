// One run of a module: from the start of its probes to the account of them.
#pragma once

#include <string>

#include "input.h"
#include "module_file.h"
#include "options.h"
#include "rotation.h"

namespace stp::load {

struct SessionFiles {
  std::string directory;  // of the module, in debugfs
  int output = 1;         // file descriptor for the script's output
  int messages = 2;
  Rotation* rotation = nullptr;  // of `output`, with -S
  Input* input = nullptr;        // null: the script does not read the standard input
};

// Starts the probes, prints until something ends the session (the script, a signal, the
// command, the timeout, an error of the output), stops the probes, prints the rest and the
// account. Returns the exit status. Throws std::runtime_error when the module does not answer.
int run_session(const Options&, const ModuleFile&, const SessionFiles&);

// Takes over from a reader that died: stops the probes, prints what was relayed and the account.
int recover_session(const Options&, const ModuleFile&, const SessionFiles&);

}  // namespace stp::load
