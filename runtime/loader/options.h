// The command line of stp-load.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stp::load {

struct Options {
  std::string module_path;           // the .ko
  std::string command;               // -c: run it, stop when it ends
  long target = 0;                   // -x: what target() returns
  std::string output;                // -o: instead of stdout
  uint64_t file_bytes = 0;           // -S: size of one output file; 0: there is one
  unsigned most_files = 0;           // -S: how many stay; 0: all
  double timeout = 0;                // -T seconds; 0: none
  bool verbose = false;              // -v
  std::vector<std::string> globals;  // -G name=value
  bool bulk = false;                 // -b: files of each CPU
  double monitor = 0;                // -M: seconds between two looks; 0: none
  bool detach = false;               // -L: start it, and leave it to record
  enum class Mode { run, attach, sessions, unload, merge } mode = Mode::run;
  std::vector<std::string> files;    // to merge
  std::string name;                  // of the loaded module; empty: the one that there is
};

// Either the options, or the status to exit with (after --help or a usage error, whose text
// has been printed).
struct Parsed {
  std::optional<Options> options;
  int status = 0;
};
Parsed parse_options(int argc, char** argv);

}  // namespace stp::load
