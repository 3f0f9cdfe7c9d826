// The lines of `stap -v`, and how a failed pass is told.
#pragma once

#include <sys/resource.h>

#include <array>
#include <chrono>
#include <string>

#include "cli/stap_options.h"

namespace stp::cli {

// Measures pass after pass: memory of this process, processor time of it and of its children.
class PassClock {
 public:
  explicit PassClock(const StapOptions& options) : options_(options) { begin(); }
  void begin();
  // "Pass N: WHAT using …kb, in …ms." when this pass is to be told; the next begins.
  void end(int pass, const std::string& what);
  // "in 10usr/0sys/25real ms."
  std::string time() const;
  // "Pass N: … failed." Returns the exit status.
  int failed(int pass) const;

 private:
  const StapOptions& options_;
  std::chrono::steady_clock::time_point start_;
  rusage self_{}, children_{};
};

// "1 probe", "2 probes"
std::string counted(size_t number, const char* noun);

}  // namespace stp::cli
