// Kinds of probe that the language has and this version does not run.
//
// They are told from typing mistakes, so that the error does not send anybody looking for one.
// Only the first parts are compared: what follows could be anything.
#include <algorithm>

#include "probes/kind.h"

namespace stp::probes {
namespace {

constexpr const char* families[] = {
    "process", "perf",    "procfs",     "netfilter", "java",    "python2",
    "python3", "nfs",    "syscall", "nd_syscall", "socket",    "ioblock", "scheduler",
    "vm",      "signal", "tcp",     "udp",        "vfs",       "input",   "stapdev"};
constexpr const char* of_the_kernel[] = {"mark", "data"};

template <size_t N>
bool lists(const char* const (&names)[N], const std::string& name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

bool is_unsupported(const std::vector<ast::Component>& components) {
  return lists(families, components.front().name) ||
         (components.size() > 1 && components.front().name == "kernel" &&
          lists(of_the_kernel, components[1].name));
}

}  // namespace stp::probes
