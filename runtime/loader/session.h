// One run of a module: from the start of its probes to the account of them.
#pragma once

#include <string>

#include "bulk.h"
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
  Bulk* bulk = nullptr;          // with -b: takes the records instead of `output`
};

// Starts the probes, prints until something ends the session (the script, a signal, the
// command, the timeout, an error of the output), stops the probes, prints the rest and the
// account. Returns the exit status. Throws std::runtime_error when the module does not answer.
//
// SIGQUIT ends the reading alone: the session is a recorder then, and whoever calls must not unload.
struct Outcome {
  int status = 1;
  bool detached = false;
};
Outcome run_session(const Options&, const ModuleFile&, const SessionFiles&);

// Starts the probes of a recorder, and waits until they are armed.
Outcome start_recorder(const Options&, const ModuleFile&, const SessionFiles&);

// As run_session(), of a recorder that is there.
Outcome attach_session(const Options&, const ModuleFile&, const SessionFiles&);

// Takes over from a reader that died: stops the probes, prints what was relayed and the account.
Outcome recover_session(const Options&, const ModuleFile&, const SessionFiles&);

}  // namespace stp::load
