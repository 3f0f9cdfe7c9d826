// Kinds of probe that the language has and this version does not run.
//
// They are told from typing mistakes, so that the error does not send anybody looking for one.
// Only the first parts are compared: what follows could be anything.
#include <algorithm>

#include "probes/kind.h"

namespace stp::probes {
namespace {

constexpr const char* families[] = {
    "java", "python2", "python3", "nfs", "socket", "ioblock", "scheduler",
    "vm",   "signal",  "tcp",     "udp", "vfs",    "stapdev"};
constexpr const char* of_the_kernel[] = {"mark"};
// Of process("path"); process(pid) and process alone are not run at all.
constexpr const char* of_a_process[] = {"begin", "end",  "thread", "syscall",
                                        "insn",  "mark", "plt",    "provider"};

template <size_t N>
bool lists(const char* const (&names)[N], const std::string& name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

bool is_unsupported(const std::vector<ast::Component>& components) {
  if (components.front().name == "process")
    return components.size() < 2 || !std::holds_alternative<std::string>(components.front().arg) ||
           lists(of_a_process, components[1].name) ||
           (components[1].name == "library" && components.size() > 2 &&
            lists(of_a_process, components[2].name));
  return lists(families, components.front().name) ||
         (components.size() > 1 && components.front().name == "kernel" &&
          lists(of_the_kernel, components[1].name));
}

}  // namespace stp::probes
