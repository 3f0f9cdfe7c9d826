// The reader's loop.
//
// It waits for whatever comes first (the module, a signal, the command's end, the timeout),
// asks the module for its state, and prints what the rings hold. Between the first reason to
// end and the module's word that it has finished, it goes on printing: end probes write to the
// same rings, and wait there for room.
//
// Detaching ends the loop in the middle: what was handed over is written and given back to the
// kernel, and the next reader begins behind it.
#include "session.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>

#include "account.h"
#include "command.h"
#include "control.h"
#include "monitor.h"
#include "printer.h"
#include "recorder.h"
#include "rings.h"
#include "times.h"

namespace stp::load {
namespace {

using Clock = std::chrono::steady_clock;

// The longest a line waits while the kernel sees no need to wake the reader.
constexpr std::chrono::milliseconds idle_round{50};

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
  // What arrived since the last call.
  struct Wishes {
    bool end = false, detach = false;
  };
  Wishes arrived() {
    signalfd_siginfo info{};
    Wishes wishes;
    while (read(fd_, &info, sizeof info) == sizeof info)
      (info.ssi_signo == SIGQUIT ? wishes.detach : wishes.end) = true;
    return wishes;
  }

 private:
  int fd_;
};

std::string describe_detached(const std::string& name) {
  return fmt::format("stp: detached: {0} goes on; `stp attach {0}` prints what it has recorded\n",
                     name);
}

// Reading must be faster than what it reads about, on a machine that is busy with just that.
void hurry() { setpriority(PRIO_PROCESS, 0, -20); }

bool is_pipe(int fd) {
  struct stat file {};
  return fstat(fd, &file) == 0 && S_ISFIFO(file.st_mode);
}

bool same_file(int a, int b) {
  struct stat first {}, second {};
  return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

class Session {
 public:
  Session(const Options& options, const ModuleFile& file, const SessionFiles& files)
      : options_(options),
        files_(files),
        control_(files.directory),
        rings_(files.directory),
        name_(file.name),
        out_(files.output, files.rotation),
        messages_(files.messages),
        printer_(file.formats, out_, messages_) {
    // With -o the script's output has its own place; the tables are on standard output.
    bool own_output = !options.output.empty() || files.bulk;
    if (options.monitor > 0) {
      monitor_ = std::make_unique<Monitor>(file.name, files.directory, control_, STDOUT_FILENO,
                                           options.monitor);
      shows_output_ = !own_output;
    }
  }

  // A recorder runs from here on without us.
  void start(bool recorder) {
    for (const std::string& global : options_.globals)
      if (int error = control_.set_global(global))
        throw std::runtime_error(fmt::format(
            "-G {}: {}", global,
            error == ENOENT ? "the script has no such global variable" : strerror(error)));
    if (!options_.command.empty()) command_ = std::make_unique<Command>(options_.command, !files_.input);
    if (recorder) record();
    long target = command_ ? command_->pid() : options_.target;
    std::string self = std::filesystem::read_symlink("/proc/self/exe");
    if (int error = control_.start(target, self))
      throw std::runtime_error(fmt::format("the module refuses to start: {}", strerror(error)));
    started_ = Clock::now();
    hurry();  // the command is under way, and keeps its own pace
  }

  // Until the module has finished and every ring is empty, or somebody detaches.
  void loop() {
    if (is_pipe(files_.output) && !files_.bulk) out_.keep_waiting([this] { return is_patient(); });
    while (!detached_ || rings_.any_aside()) {
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
    stopped_ = Clock::now();
    control_.stop();
  }

  // Before the first record of a recorder: what is no longer there.
  void tell_losses() {
    Losses losses = rings_.take_losses();
    for (const auto& [cpu, records] : losses.lost.records_by_cpu) lost_[cpu] += records;
    messages_.append(describe(losses));
  }

  // Messages for the end.
  Outcome finish() {
    monitor_.reset();
    if (int error = out_.drain(); error && !output_error_) output_error_ = error;
    stp_status status = control_.status();
    if (!detached_) tell_account();
    tell_losses();
    if (files_.bulk && !output_error_) output_error_ = files_.bulk->end(lost_);
    if (detached_) messages_.append(describe_detached(name_));
    bool failed = status.errors > 0 || output_error_ != 0 || (status.failed && !status.armed);
    if (output_error_ == ECANCELED)
      messages_.append(fmt::format("stp: {} bytes of the output and {} more records were given up\n",
                                   out_.left() + out_.buffer().size(), dropped_));
    else if (output_error_)
      messages_.append(fmt::format("stp: cannot write the output: {}; the session was stopped\n",
                                   strerror(output_error_)));
    if (command_) failed |= report_command();
    messages_.flush();
    return {failed ? 1 : 0, detached_};
  }

 private:
  void wait() {
    pollfd fds[] = {{control_.fd(), POLLIN, 0},
                    {signals_.fd(), POLLIN, 0},
                    {command_ && !command_seen_ ? command_->fd() : -1, POLLIN, 0},
                    {announced_ && !stopping_ && files_.input ? files_.input->fd() : -1, POLLIN, 0},
                    {monitor_ ? monitor_->keys() : -1, POLLIN, 0}};
    poll(fds, std::size(fds), rings_.more() ? 0 : static_cast<int>(idle_round.count()));
  }

  // Whether something asks for the end.
  void look_for_end(const stp_status& status) {
    SignalFile::Wishes wishes = signals_.arrived();
    // One wish may arrive twice, from a terminal and from who forwards it.
    constexpr std::chrono::seconds apart{1};
    if (wishes.end && (detached_ || (stopping_ && Clock::now() - stopped_ >= apart))) given_up_ = true;
    if (detached_) return;
    if (wishes.end || status.wants_stop) stop();
    if (wishes.detach && !stopping_) detach();
    if (monitor_ && monitor_->look()) stop();
    if (status.state == STP_RUNNING && !announced_) announce(status);
    if (command_ && !command_seen_ && command_->ended()) {
      command_seen_ = true;
      stop();
    }
    if (options_.timeout > 0 &&
        Clock::now() - started_ >= std::chrono::duration<double>(options_.timeout))
      stop();
  }

  // While the output's reader takes nothing: the session can be ended all the same, and a second wish to end it
  // gives up what waits.
  bool is_patient() {
    look_for_end(control_.status());
    auto now = Clock::now();
    if (size_t left = out_.left(); left != left_) {
      left_ = left;
      moved_ = now;
    }
    bool stands = stopping_ && now - std::max(stopped_, moved_) >= std::chrono::seconds{2};
    if (stands && !told_ && !one_place_) {
      told_ = true;
      messages_.append(fmt::format(
          "stp: {} bytes wait for the reader of the output; Ctrl-C (SIGINT) once more gives them up\n",
          left_));
      messages_.flush();
    }
    return !given_up_;
  }

  // Hands on what there is of the standard input; a little, so that what handlers print of it is taken
  // before there is more.
  void feed(const stp_status& status) {
    if (status.state != STP_RUNNING || stopping_ || !files_.input || !files_.input->is_ready()) return;
    auto text = files_.input->read();
    if (text) control_.give_stdin(text->data(), text->size());
  }

  // What became of every hit, and what the handlers took.
  void tell_account() {
    std::vector<TimesRow> times = read_times(files_.directory);
    messages_.append(
        describe(read_account(files_.directory), options_.verbose || !times.empty()));
    messages_.append(describe(times));
  }

  void record() {
    if (int error = control_.record())
      throw std::runtime_error(fmt::format("the module cannot be detached: {}", strerror(error)));
  }

  void detach() {
    if (command_) {
      messages_.append("stp: a run with -c cannot be detached; it goes on\n");
      return;
    }
    record();
    rings_.put_nothing_aside();
    detached_ = true;
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

  // Whatever was printed, to where it belongs. Returns 0 or errno.
  int write_out() {
    if (monitor_ && shows_output_) {
      // Messages would disturb the screen.
      if (int error = monitor_->take(messages_.buffer())) return error;
      return monitor_->take(out_.buffer());
    }
    if (!messages_.buffer().empty() && one_place_) out_.drain();
    messages_.flush();
    return files_.bulk ? files_.bulk->flush() : out_.flush();
  }

  void use(const Record& r) {
    bool message = r.head->kind == STP_RECORD_ERROR || r.head->kind == STP_RECORD_WARN;
    if (files_.bulk && !message)
      files_.bulk->add(r);
    else
      printer_.print(r);
  }

  // Prints what is certain (or all); gives the room back once it is written.
  size_t print(bool everything) {
    size_t printed = rings_.read(everything, [&](const Record& r) {
      output_error_ ? void(++dropped_) : use(r);
    });
    int error = write_out();
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
  std::string name_;
  Output out_;
  Output messages_;
  Printer printer_;
  std::unique_ptr<Command> command_;
  std::unique_ptr<Monitor> monitor_;
  bool shows_output_ = false;  // the monitor does
  const bool one_place_ = same_file(files_.output, files_.messages);  // output and messages keep their order
  std::map<unsigned, uint64_t> lost_;  // records, by CPU
  Clock::time_point started_ = Clock::now(), stopped_;  // the second: with stopping_
  bool stopping_ = false;
  bool given_up_ = false, told_ = false;  // what a pipe has no room for
  size_t left_ = 0;                       // of that, when it was looked at last,
  Clock::time_point moved_;               // and since when it is so much
  bool detached_ = false;
  bool announced_ = false;
  bool command_seen_ = false;
  int output_error_ = 0;
  uint64_t dropped_ = 0;  // records, after that
};

// Waits until the probes of a recorder are armed; a begin probe may take its time.
SessionState wait_for_start(const std::string& directory) {
  for (;;) {
    auto state = SessionState::read(directory);
    if (!state) throw std::runtime_error("the session was removed while it started");
    std::string word = state->text("state");
    if (word != "loaded" && word != "starting") return *state;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace

Outcome run_session(const Options& options, const ModuleFile& file, const SessionFiles& files) {
  Session session(options, file, files);
  session.start(false);
  session.loop();
  return session.finish();
}

Outcome start_recorder(const Options& options, const ModuleFile& file, const SessionFiles& files) {
  // Closed before anything is waited for: a begin probe would wait for its reader.
  Session(options, file, files).start(true);
  SessionState state = wait_for_start(files.directory);
  fmt::print("{}\n", file.name);
  fmt::print(stderr, "{}", describe_detached(file.name));
  if (uint64_t failed = state.number("failed"))
    fmt::print(stderr, "stp: {} probe points could not be armed; who attaches is told why\n", failed);
  return {0, true};
}

Outcome attach_session(const Options& options, const ModuleFile& file, const SessionFiles& files) {
  Session session(options, file, files);
  session.tell_losses();
  session.loop();
  return session.finish();
}

Outcome recover_session(const Options& options, const ModuleFile& file, const SessionFiles& files) {
  Options quiet = options;
  quiet.command.clear();
  if (files.rotation && !files.rotation->follow())
    throw std::runtime_error(fmt::format("{}: {}", options.output, strerror(errno)));
  if (int error = files.bulk ? files.bulk->follow() : 0)
    throw std::runtime_error(fmt::format("-b: {}", strerror(error)));
  Session session(quiet, file, files);
  session.stop();
  session.loop();
  session.finish();
  return {1, false};
}

}  // namespace stp::load
