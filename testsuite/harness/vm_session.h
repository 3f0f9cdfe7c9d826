// One virtual machine that stays up while many commands run in it, one after the other.
//
// A boot takes four seconds and most tests take one, so tests share a guest. `vm/run-in-vm` boots
// it; the command it runs is agent.sh, which reads requests from its input and answers on its
// output. What a command prints goes through a folder that both sides see, so no protocol has
// to carry it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace stp::harness {

struct Outcome {
  int status = -1;  // of the command; 128 + N when signal N ended it
  std::string out, err;
  std::string kernel_log;    // what the guest's kernel said meanwhile
  std::string left;          // modules, traced functions and breakpoints that were not there before
  std::string failure;       // not empty: the guest hung or died; nothing else is meaningful
};

class VmSession {
 public:
  struct Setup {
    std::filesystem::path top;       // of the source tree
    std::string kernel;              // a name of vm/kernels.list
    std::vector<std::string> files;  // copied to the guest's /opt before anything runs
  };
  explicit VmSession(Setup);
  ~VmSession();
  VmSession(const VmSession&) = delete;
  VmSession& operator=(const VmSession&) = delete;

  // Runs a shell command in the guest, in an empty folder of its own, and waits up to `timeout`
  // seconds. While it runs, `load` (if any) runs beside it. Boots the guest first where there is
  // none; a guest that failed is replaced at the next call.
  Outcome run(const std::string& command, const std::string& load = {}, int timeout = 60);

  // A folder of the host that the guest sees under the same path, for modules.
  const std::filesystem::path& shared() const { return shared_; }

 private:
  bool boot(std::string& why);
  void end();
  bool answered(int timeout);

  Setup setup_;
  std::filesystem::path shared_;
  pid_t child_ = -1;
  int requests_ = -1, answers_ = -1;
  int count_ = 0;
};

// The lines of a kernel log that no test may cause.
std::vector<std::string> complaints(const std::string& kernel_log);

// The whole file, or nothing when there is none.
std::string contents(const std::filesystem::path&);

}  // namespace stp::harness
