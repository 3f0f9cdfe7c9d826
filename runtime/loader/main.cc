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
#include "merge.h"
#include "module_file.h"
#include "options.h"
#include "recorder.h"
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

// One that is closed would be the number of the next file that is opened: the session's control, and what is printed
// would go there. Writing fails, as it should.
void occupy_standard_files() {
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", O_RDONLY);
}

// A session that somebody reads ends with its reader.
int unload_by_name(const std::string& name) {
  if (is_read(name))
    return complain(fmt::format("{} is being read: SIGINT to its reader ends it, SIGQUIT leaves it without one", name));
  return unload(name);
}

int open_output(const std::string& path) {
  if (path.empty()) return STDOUT_FILENO;
  int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) throw std::runtime_error(fmt::format("{}: {}", path, std::strerror(errno)));
  return fd;
}

// The reader's whole life, and the module's end, unless it is left to record.
int read_and_unload(const Options& options, const ModuleFile& file, const SessionFiles& files,
                    Outcome (*session)(const Options&, const ModuleFile&, const SessionFiles&)) {
  Outcome outcome;
  try {
    outcome = session(options, file, files);
  } catch (const std::exception& e) {
    complain(e.what());
  }
  int unloaded = outcome.detached ? 0 : unload(file.name);
  return outcome.status ? outcome.status : unloaded;
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

// Where the output goes.
struct Files {
  SessionFiles session;
  std::unique_ptr<Rotation> rotation;
  std::unique_ptr<Bulk> bulk;
};

Files open_files(const Options& options, const ModuleFile& module) {
  Files files;
  if (options.file_bytes)
    files.rotation = std::make_unique<Rotation>(options.output, options.file_bytes, options.most_files);
  if (options.bulk)
    files.bulk = std::make_unique<Bulk>(options.output.empty() ? "stpd" : options.output, module.formats);
  else
    files.session.output = files.rotation ? files.rotation->fd() : open_output(options.output);
  files.session.rotation = files.rotation.get();
  files.session.bulk = files.bulk.get();
  return files;
}

// Needs no supervisor: a recorder whose reader is killed goes on.
int attach(const Options& options) {
  ModuleFile file = loaded_module(options.name);
  Files opened = open_files(options, file);
  SessionFiles& files = opened.session;
  files.directory = module_directory(file.name);
  Outcome outcome = attach_session(options, file, files);
  int unloaded = outcome.detached ? 0 : unload(file.name);
  return outcome.status ? outcome.status : unloaded;
}

int run(const Options& options) {
  ModuleFile file = read_module_file(options.module_path);
  Files opened = open_files(options, file);
  SessionFiles& files = opened.session;
  std::unique_ptr<Input> input = input_of(file);
  files.input = input.get();
  insert_module(file);
  try {
    files.directory = module_directory(file.name);
  } catch (...) {
    unload(file.name);
    throw;
  }
  if (options.detach) return read_and_unload(options, file, files, start_recorder);
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
  occupy_standard_files();
  Parsed parsed = parse_options(argc, argv);
  if (!parsed.options) return parsed.status;
  try {
    switch (parsed.options->mode) {
      case Options::Mode::run:
        return run(*parsed.options);
      case Options::Mode::attach:
        return attach(*parsed.options);
      case Options::Mode::sessions:
        fmt::print("{}", describe_sessions());
        return 0;
      case Options::Mode::merge:
        return merge_files(parsed.options->files, open_output(parsed.options->output),
                           parsed.options->verbose);
      case Options::Mode::unload:
        return unload_by_name(parsed.options->name);
    }
    return 2;
  } catch (const std::exception& e) {
    return complain(e.what());
  }
}
