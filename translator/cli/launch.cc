// stp does not stay as a parent where it need not: whatever loads the module must be able to unload
// it when the terminal, a pipe or a signal ends the run, and one program that does this is
// stp-load. In a virtual machine everything is the same one step further out, but for -o: the file
// is the host's, so it is opened here and becomes the standard output of the whole machine.
//
// Who wants to say something behind the run (`stap`) waits for a child instead, and hands the
// signals on.
#include "cli/launch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "build/home.h"
#include "cli/install.h"
#include "cli/loadable.h"

namespace stp::cli {
namespace {

namespace fs = std::filesystem;

int complain(const Launch& l, const std::string& text) {
  fmt::print(stderr, "{}: {}\n", l.command, text);
  return status_failed;
}

std::vector<std::string> loader_args(const Launch& l, const fs::path& module) {
  std::vector<std::string> args = {module};
  auto add = [&](const char* option, const std::string& value) {
    if (value.empty()) return;
    args.push_back(option);
    args.push_back(value);
  };
  add("-c", l.run.command);
  add("-x", l.run.target);
  if (!l.vm) add("-o", l.run.output);
  if (!l.vm) add("-S", l.run.rotate);
  add("-T", l.run.timeout);
  add("--monitor", l.run.monitor);
  if (l.run.bulk) args.push_back("-b");
  if (l.run.detach && l.run.output.empty()) args.push_back("--detach");
  if (l.verbose) args.push_back("-v");
  return args;
}

bool redirect_output(const Launch& l) {
  if (l.run.output.empty()) return true;
  int fd = open(l.run.output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0) return true;
  complain(l, fmt::format("{}: {}", l.run.output, strerror(errno)));
  return false;
}

int exec_in_vm(const Launch& l, const Target& target, const fs::path& loader,
               const fs::path& module) {
  fs::path vm = vm_program();
  if (vm.empty()) return complain(l, "--vm: vm/run-in-vm is not beside this program");
  std::vector<std::string> args = {"--kernel", target.release};
  std::vector<std::string> shares = {module.parent_path(), loader.parent_path()};
  shares.insert(shares.end(), l.shares.begin(), l.shares.end());
  // A command is looked for from the folder that the user is in.
  if (!l.run.command.empty() && fs::current_path() != "/") shares.push_back(fs::current_path());
  std::sort(shares.begin(), shares.end());
  shares.erase(std::unique(shares.begin(), shares.end()), shares.end());
  for (const auto& dir : shares) args.insert(args.end(), {"--share", dir});
  args.insert(args.end(), {"--", loader});
  for (const auto& arg : loader_args(l, module)) args.push_back(arg);
  if (!redirect_output(l)) return status_failed;
  return exec_program(vm, args);
}

// Signals that reach this process alone are the child's; those of a terminal reached it too.
pid_t running = 0;
void hand_on(int signal, siginfo_t* info, void*) {
  if (info->si_code != SI_KERNEL && running > 0) kill(running, signal);
}

}  // namespace

std::string contradiction(const Launch& l) {
  const RunOptions& run = l.run;
  if (!l.shares.empty() && !l.vm) return "--share is for --vm only";
  if (!run.rotate.empty() && run.output.empty()) return "-S needs -o FILE";
  if (!run.rotate.empty() && l.vm) return "-S does not reach out of a virtual machine";
  if (run.bulk && !run.rotate.empty()) return "-S does not go with -b";
  if (run.bulk && l.vm) return "-b does not reach out of a virtual machine";
  if (!run.monitor.empty() && run.detach) return "--monitor does not go with -F";
  if (!run.detach || !run.output.empty()) return "";
  if (l.vm) return "-F needs -o FILE with --vm: nothing outlives the virtual machine";
  if (run.bulk) return "-F needs -o FILE with -b; or `stp attach -b` later";
  if (!run.command.empty() || !run.timeout.empty())
    return "-F needs -o FILE with -c or -T: otherwise nobody stays who could wait for them";
  return "";
}

int check_place(const Launch& l, std::string& kernel) {
  if (l.vm) {
    if (kernel.empty()) kernel = kernel_for_vm();
    if (!kernel.empty()) return status_good;
    return complain(l,
                    "--vm: no kernel was found that has an image and headers; `vm/fetch-kernel "
                    "6.1` fetches one");
  }
  // One sentence for the case that most newcomers meet in a container.
  std::string reason = why_not_loadable();
  if (reason.empty()) return status_good;
  return complain(
      l, cannot_load(reason, "with --vm the script runs on a kernel in a virtual machine"));
}

int launch(const Launch& l, const Target& target, const fs::path& module) {
  fs::path loader = loader_program();
  if (loader.empty()) return complain(l, "stp-load is not beside this program; `make` builds it");
  return l.vm ? exec_in_vm(l, target, loader, module)
              : exec_program(loader, loader_args(l, module));
}

int launch_and_wait(const Launch& l, const Target& target, const fs::path& module) {
  constexpr int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  fflush(nullptr);
  sigset_t set, before;
  sigemptyset(&set);
  for (int signal : ends) sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, &before);
  running = fork();
  if (running < 0) return complain(l, fmt::format("fork: {}", strerror(errno)));
  if (running == 0) {
    sigprocmask(SIG_SETMASK, &before, nullptr);
    prctl(PR_SET_PDEATHSIG, SIGTERM);  // a killed parent ends the run as well
    _exit(launch(l, target, module));
  }
  struct sigaction action {};
  action.sa_sigaction = hand_on;
  action.sa_flags = SA_SIGINFO;
  for (int signal : ends) sigaction(signal, &action, nullptr);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  int status = 0;
  while (waitpid(running, &status, 0) < 0)
    if (errno != EINTR) return status_failed;
  running = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : status_failed;
}

int launch_behind(const Launch& l, const Target& target, const fs::path& module) {
  fflush(nullptr);
  pid_t child = fork();
  if (child < 0) return complain(l, fmt::format("fork: {}", strerror(errno)));
  if (child > 0) {
    fmt::print("{}\n", child);
    return status_good;
  }
  setsid();
  // Whoever reads the process id from a pipe must not wait for the end of the run.
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd : {STDIN_FILENO, STDOUT_FILENO}) dup2(null, fd);
  _exit(launch(l, target, module));
}

}  // namespace stp::cli
