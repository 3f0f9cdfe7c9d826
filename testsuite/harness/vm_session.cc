// Speaks with agent.sh in the guest. The process tree is ours -> run-in-vm -> QEMU; ending our
// child with SIGTERM ends them all, since run-in-vm passes it to the agent, and the agent's end is
// the guest's end.
#include "harness/vm_session.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

#include "support/subprocess.h"

namespace stp::harness {
namespace fs = std::filesystem;
namespace {

constexpr int boot_timeout = 240;  // seconds; an idle machine takes 5, with the kernel that watches itself 20

void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

}  // namespace

std::string contents(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> complaints(const std::string& kernel_log) {
  static const std::regex bad(
      "BUG:|WARNING:|Oops|stall|lockdep|possible (recursive|circular)|unreferenced object|"
      "general protection|leak|Kernel panic|Call Trace");
  std::vector<std::string> found;
  std::istringstream in(kernel_log);
  for (std::string line; std::getline(in, line);)
    if (std::regex_search(line, bad)) found.push_back(line);
  return found;
}

VmSession::VmSession(Setup setup) : setup_(std::move(setup)) {
  char name[] = "/tmp/stp-vm-XXXXXX";
  if (!mkdtemp(name))
    throw fs::filesystem_error("mkdtemp", std::error_code(errno, std::generic_category()));
  shared_ = name;
}

VmSession::~VmSession() {
  end();
  std::error_code ignored;
  fs::remove_all(shared_, ignored);
}

bool VmSession::boot(std::string& why) {
  std::vector<std::string> words = {(setup_.top / "vm/run-in-vm").string(),
                                    "--stdin",
                                    "--kernel",
                                    setup_.kernel,
                                    "--share",
                                    setup_.top.string(),
                                    "--share-rw",
                                    shared_.string()};
  std::vector<std::string> agent = {(setup_.top / "testsuite/harness/agent.sh").string(),
                                    shared_.string()};
  // The guest sees the source tree and the shared folder; other files take the latter way.
  for (const std::string& file : setup_.files) {
    fs::path copy = shared_ / fs::path(file).filename();
    fs::copy_file(file, copy, fs::copy_options::overwrite_existing);
    agent.push_back(copy);
  }
  words.push_back("--");
  words.insert(words.end(), agent.begin(), agent.end());
  std::string command = "exec";
  for (const std::string& word : words) command += " " + shell_quote(word);
  command += " 2> " + shell_quote(shared_ / "boot.err");

  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC)) return why = "no pipe", false;
  child_ = fork();
  if (child_ == 0) {
    dup2(in[0], 0);
    dup2(out[1], 1);
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  requests_ = in[1];
  answers_ = out[0];
  if (answered(boot_timeout)) return true;
  end();
  why = "the guest did not start: " + contents(shared_ / "boot.err");
  return false;
}

// True when a line arrives in time.
bool VmSession::answered(int timeout) {
  pollfd ready{answers_, POLLIN, 0};
  for (char c;;) {
    if (poll(&ready, 1, timeout * 1000) <= 0) return false;
    if (read(answers_, &c, 1) != 1) return false;
    if (c == '\n') return true;
  }
}

void VmSession::end() {
  if (child_ <= 0) return;
  close(requests_);
  // The agent of a guest that works ends at the first signal; at the second QEMU is killed.
  bool gone = false;
  for (int signals = 0; signals < 3 && !gone; ++signals) {
    kill(child_, SIGTERM);
    for (int tenths = 0; tenths < 40 && !gone; ++tenths) {
      gone = waitpid(child_, nullptr, WNOHANG) != 0;
      if (!gone) usleep(100'000);
    }
  }
  close(answers_);
  child_ = -1;
}

Outcome VmSession::run(const std::string& command, const std::string& load, int timeout) {
  Outcome outcome;
  if (child_ <= 0 && !boot(outcome.failure)) return outcome;
  fs::path folder = shared_ / std::to_string(++count_);
  fs::create_directory(folder);
  write(folder / "command", command);
  if (!load.empty()) write(folder / "load", load);
  std::string request = std::to_string(count_) + "\n";
  bool sent = ::write(requests_, request.data(), request.size()) == ssize_t(request.size());
  if (!sent || !answered(timeout)) {
    end();
    outcome.failure = fmt::format("the guest died or took more than {} s: {}\n{}", timeout, command,
                                  contents(shared_ / "boot.err"));
    return outcome;
  }
  outcome.out = contents(folder / "out");
  outcome.err = contents(folder / "err");
  outcome.kernel_log = contents(folder / "kernel_log");
  outcome.left = contents(folder / "left");
  outcome.status = atoi(contents(folder / "status").c_str());
  fs::remove_all(folder);
  return outcome;
}

}  // namespace stp::harness
