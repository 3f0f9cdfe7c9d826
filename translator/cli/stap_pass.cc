// Programs read these lines (harnesses wait for "Pass 5: starting run."), so they are SystemTap's to
// the letter.
#include "cli/stap_pass.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

namespace stp::cli {
namespace {

constexpr const char* fault_names[] = {"parse", "analysis", "translation", "compilation", "run"};

long milliseconds(const timeval& since, const timeval& now) {
  return (now.tv_sec - since.tv_sec) * 1000 + (now.tv_usec - since.tv_usec) / 1000;
}

// proc(5), statm: pages of the whole, resident, shared, text, unused, data.
std::string memory() {
  long virt = 0, resident = 0, shared = 0, text = 0, unused = 0, data = 0;
  std::ifstream("/proc/self/statm") >> virt >> resident >> shared >> text >> unused >> data;
  long kb = sysconf(_SC_PAGESIZE) / 1024;
  return fmt::format("using {}virt/{}res/{}shr/{}data kb", virt * kb, resident * kb, shared * kb,
                     data * kb);
}

}  // namespace

void PassClock::begin() {
  start_ = std::chrono::steady_clock::now();
  getrusage(RUSAGE_SELF, &self_);
  getrusage(RUSAGE_CHILDREN, &children_);
}

std::string PassClock::time() const {
  rusage self{}, children{};
  getrusage(RUSAGE_SELF, &self);
  getrusage(RUSAGE_CHILDREN, &children);
  auto real = std::chrono::steady_clock::now() - start_;
  return fmt::format(
      "in {}usr/{}sys/{}real ms.",
      milliseconds(self_.ru_utime, self.ru_utime) +
          milliseconds(children_.ru_utime, children.ru_utime),
      milliseconds(self_.ru_stime, self.ru_stime) +
          milliseconds(children_.ru_stime, children.ru_stime),
      std::chrono::duration_cast<std::chrono::milliseconds>(real).count());
}

void PassClock::end(int pass, const std::string& what) {
  if (options_.tells(pass))
    fmt::print(stderr, "Pass {}: {} {}, {}\n", pass, what, memory(), time());
  begin();
}

int PassClock::failed(int pass) const {
  fmt::print(stderr, "Pass {}: {} failed.  [man error::pass{}]\n", pass, fault_names[pass - 1],
             pass);
  return status_failed;
}

std::string counted(size_t number, const char* noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

}  // namespace stp::cli
