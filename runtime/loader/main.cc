// stp-load: the part of stp that a host without compiler and debug information needs.
//
// Two processes share the work. The reader starts the probes and prints. Its parent waits; it
// is there for the one case that the reader cannot handle itself, being killed, and then stops
// the probes, prints what was relayed, and unloads. Should both be killed, the module notices
// that its control file was closed and has itself removed (runtime/transport/control.c).
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>

#include "input.h"
#include "kernel_module.h"
#include "module_file.h"
#include "options.h"
#include "session.h"

namespace stp::load {
namespace {

// Longer than any handler's budget and any grace period of the kernel.
constexpr double unload_seconds = 10;

int complain(const std::string& text) {
  fmt::print(stderr, "stp: {}\n", text);
  return 1;
}

int unload(const std::string& name) {
  if (remove_module(name, unload_seconds)) return 0;
  return complain(fmt::format("cannot unload {}: {}", name, std::strerror(errno)));
}

int open_output(const std::string& path) {
  if (path.empty()) return STDOUT_FILENO;
  int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) throw std::runtime_error(fmt::format("{}: {}", path, std::strerror(errno)));
  return fd;
}

// The reader's whole life, and the module's end.
int read_and_unload(const Options& options, const ModuleFile& file, const SessionFiles& files,
                    int (*session)(const Options&, const ModuleFile&, const SessionFiles&)) {
  int status = 1;
  try {
    status = session(options, file, files);
  } catch (const std::exception& e) {
    complain(e.what());
  }
  int unloaded = unload(file.name);
  return status ? status : unloaded;
}

// Signals that reach this process alone are the reader's; those of a terminal reached it too.
void forward(int signal, siginfo_t* info, void*);
pid_t reader = 0;

void forward(int signal, siginfo_t* info, void*) {
  if (info->si_code != SI_KERNEL && reader > 0) kill(reader, signal);
}

// Whether the script reads the standard input, and how.
std::unique_ptr<Input> input_of(const ModuleFile& file) {
  auto use = file.info.find("stdin");
  return use == file.info.end() ? nullptr : std::make_unique<Input>(use->second == "char");
}

int supervise(const Options& options, const ModuleFile& file, const SessionFiles& files) {
  struct sigaction action {};
  action.sa_sigaction = forward;
  action.sa_flags = SA_SIGINFO;
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaction(signal, &action, nullptr);
  int status = 0;
  while (waitpid(reader, &status, 0) < 0)
    if (errno != EINTR) return 1;
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  complain(
      fmt::format("the reader was killed by signal {}; the session is stopped", WTERMSIG(status)));
  return read_and_unload(options, file, files, recover_session);
}

int run(const Options& options) {
  ModuleFile file = read_module_file(options.module_path);
  std::unique_ptr<Rotation> rotation;
  if (options.file_bytes)
    rotation = std::make_unique<Rotation>(options.output, options.file_bytes, options.files);
  int output = rotation ? rotation->fd() : open_output(options.output);
  std::unique_ptr<Input> input = input_of(file);
  insert_module(file);
  SessionFiles files;
  files.input = input.get();
  files.output = output;
  files.rotation = rotation.get();
  try {
    files.directory = module_directory(file.name);
  } catch (...) {
    unload(file.name);
    throw;
  }
  reader = fork();
  if (reader == 0) {
    int status = read_and_unload(options, file, files, run_session);
    input.reset();  // should the parent be gone
    _exit(status);
  }
  if (reader < 0) {
    unload(file.name);
    throw std::runtime_error(fmt::format("fork: {}", std::strerror(errno)));
  }
  return supervise(options, file, files);
}

}  // namespace
}  // namespace stp::load

int main(int argc, char** argv) {
  using namespace stp::load;
  Parsed parsed = parse_options(argc, argv);
  if (!parsed.options) return parsed.status;
  try {
    return parsed.options->unload.empty() ? run(*parsed.options) : unload(parsed.options->unload);
  } catch (const std::exception& e) {
    return complain(e.what());
  }
}
