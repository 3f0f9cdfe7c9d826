// The reader's loop.
//
// It waits for whatever comes first (the module, a signal, the command's end, the timeout),
// asks the module for its state, and prints what the rings hold. Between the first reason to
// end and the module's word that it has finished, it goes on printing: end probes write to the
// same rings, and wait there for room.
#include "session.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>

#include "account.h"
#include "command.h"
#include "control.h"
#include "printer.h"
#include "rings.h"

namespace stp::load {
namespace {

using Clock = std::chrono::steady_clock;

// The longest a line waits while the kernel sees no need to wake the reader.
constexpr std::chrono::milliseconds idle_round{50};
constexpr std::chrono::seconds rescan_round{1};

class SignalFile {
 public:
  SignalFile() {
    sigset_t set;
    sigemptyset(&set);
    for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&set, signal);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    signal(SIGPIPE, SIG_IGN);
    fd_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  ~SignalFile() { close(fd_); }
  SignalFile(const SignalFile&) = delete;
  SignalFile& operator=(const SignalFile&) = delete;
  int fd() const { return fd_; }
  bool arrived() {
    signalfd_siginfo info{};
    bool any = false;
    while (read(fd_, &info, sizeof info) == sizeof info) any = true;
    return any;
  }

 private:
  int fd_;
};

class Session {
 public:
  Session(const Options& options, const ModuleFile& file, const SessionFiles& files)
      : options_(options),
        files_(files),
        control_(files.directory),
        rings_(files.directory),
        out_(files.output, files.rotation),
        messages_(files.messages),
        printer_(file.formats, out_, messages_) {}

  void start() {
    for (const std::string& global : options_.globals)
      if (int error = control_.set_global(global))
        throw std::runtime_error(fmt::format(
            "-G {}: {}", global,
            error == ENOENT ? "the script has no such global variable" : strerror(error)));
    if (!options_.command.empty()) command_ = std::make_unique<Command>(options_.command, !files_.input);
    long target = command_ ? command_->pid() : options_.target;
    std::string self = std::filesystem::read_symlink("/proc/self/exe");
    if (int error = control_.start(target, self))
      throw std::runtime_error(fmt::format("the module refuses to start: {}", strerror(error)));
    started_ = Clock::now();
  }

  // Until the module has finished and every ring is empty.
  void loop() {
    for (;;) {
      wait();
      stp_status status = control_.status();
      look_for_end(status);
      feed(status);
      bool finished = status.state == STP_FINISHED;
      size_t printed = print(finished);
      if (finished && printed == 0) break;
    }
  }

  void stop() {
    if (stopping_) return;
    stopping_ = true;
    control_.stop();
  }

  // Messages for the end; returns the exit status.
  int finish() {
    stp_status status = control_.status();
    messages_.append(describe(read_account(files_.directory), rings_.loss(), options_.verbose));
    bool failed = status.errors > 0 || output_error_ != 0 || (status.failed && !status.armed);
    if (output_error_)
      messages_.append(fmt::format("stp: cannot write the output: {}; the session was stopped\n",
                                   strerror(output_error_)));
    if (command_) failed |= report_command();
    messages_.flush();
    return failed ? 1 : 0;
  }

 private:
  void wait() {
    pollfd fds[] = {{control_.fd(), POLLIN, 0},
                    {signals_.fd(), POLLIN, 0},
                    {command_ && !command_seen_ ? command_->fd() : -1, POLLIN, 0},
                    {announced_ && !stopping_ && files_.input ? files_.input->fd() : -1, POLLIN, 0}};
    poll(fds, std::size(fds), static_cast<int>(idle_round.count()));
  }

  // Whether something asks for the end.
  void look_for_end(const stp_status& status) {
    if (signals_.arrived() || status.wants_stop) stop();
    if (status.state == STP_RUNNING && !announced_) announce(status);
    if (command_ && !command_seen_ && command_->ended()) {
      command_seen_ = true;
      stop();
    }
    if (options_.timeout > 0 &&
        Clock::now() - started_ >= std::chrono::duration<double>(options_.timeout))
      stop();
  }

  // Hands on what there is of the standard input; a little, so that what handlers print of it is taken
  // before there is more.
  void feed(const stp_status& status) {
    if (status.state != STP_RUNNING || stopping_ || !files_.input || !files_.input->is_ready()) return;
    auto text = files_.input->read();
    if (text) control_.give_stdin(text->data(), text->size());
  }

  void announce(const stp_status& status) {
    announced_ = true;
    if (options_.verbose) {
      auto took = std::chrono::duration<double, std::milli>(Clock::now() - started_).count();
      messages_.append(fmt::format("stp: {} probe points armed, {} failed, in {:.1f} ms\n",
                                   status.armed, status.failed, took));
    }
    if (command_) command_->let_go();
  }

  // Prints what is certain (or all); gives the room back once it is written.
  size_t print(bool everything) {
    if (Clock::now() - rescanned_ >= rescan_round) {
      rings_.rescan();
      rescanned_ = Clock::now();
    }
    size_t printed = rings_.read(everything, [&](const Record& r) {
      if (!output_error_) printer_.print(r);
    });
    messages_.flush();
    int error = out_.flush();
    if (error && !output_error_) {
      output_error_ = error;
      stop();
    }
    rings_.release();
    return printed;
  }

  // True when it did not end well.
  bool report_command() {
    if (!command_->ended()) {
      command_->terminate();
      return false;
    }
    int status = *command_->ended();
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return false;
    messages_.append(
        WIFEXITED(status)
            ? fmt::format("stp: the command ended with status {}\n", WEXITSTATUS(status))
            : fmt::format("stp: the command was killed by signal {}\n", WTERMSIG(status)));
    return true;
  }

  const Options& options_;
  const SessionFiles& files_;
  SignalFile signals_;
  Control control_;
  Rings rings_;
  Output out_;
  Output messages_;
  Printer printer_;
  std::unique_ptr<Command> command_;
  Clock::time_point started_ = Clock::now();
  Clock::time_point rescanned_ = Clock::now();
  bool stopping_ = false;
  bool announced_ = false;
  bool command_seen_ = false;
  int output_error_ = 0;
};

}  // namespace

int run_session(const Options& options, const ModuleFile& file, const SessionFiles& files) {
  Session session(options, file, files);
  session.start();
  session.loop();
  return session.finish();
}

int recover_session(const Options& options, const ModuleFile& file, const SessionFiles& files) {
  Options quiet = options;
  quiet.command.clear();
  if (files.rotation && !files.rotation->follow())
    throw std::runtime_error(fmt::format("{}: {}", options.output, strerror(errno)));
  Session session(quiet, file, files);
  session.stop();
  session.loop();
  session.finish();
  return 1;
}

}  // namespace stp::load
