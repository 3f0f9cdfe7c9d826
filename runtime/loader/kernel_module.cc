#include "kernel_module.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/mempolicy.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>

namespace stp::load {
namespace {

constexpr const char* debugfs = "/sys/kernel/debug";

std::string release() {
  utsname name{};
  uname(&name);
  return name.release;
}

// What the kernel's refusal means to the person who typed the command.
std::string explain(int error, const ModuleFile& file) {
  auto built_for = file.info.find("release");
  bool other_kernel = built_for != file.info.end() && built_for->second != release();
  switch (error) {
    case EPERM:
      return geteuid() != 0 ? "loading a module needs root" : "this system forbids loading modules";
    case ENOSYS:
      return "this machine's kernel cannot load modules; `stp run --vm` runs the script in a "
             "virtual machine";
    case ENOEXEC:
    case EINVAL:
      if (other_kernel)
        return fmt::format("the module is for kernel {}, this is {}", built_for->second, release());
      return "the kernel does not accept the module's format; see dmesg";
    case EKEYREJECTED:
    case ENOKEY:
      return "this kernel loads signed modules only; sign the module with a key that it knows";
    case ENOENT:
      return "the module uses a symbol that this kernel does not have; see dmesg";
    default:
      return std::strerror(error);
  }
}

// The longest name of a module: MODULE_NAME_LEN - 1.
constexpr size_t longest_name = 55;

std::string unique_name(const std::string& name, unsigned attempt) {
  std::string number = fmt::format("_{}", static_cast<unsigned>(getpid()) + attempt);
  return name.substr(0, longest_name - number.size()) + number;
}

// Whom the module runs to be removed, should nobody come to start it.
std::string parameters() {
  char self[256];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self);
  std::string path = length > 0 ? std::string(self, static_cast<size_t>(length)) : "";
  bool plain = path.find_first_of(" \t\n\"") == path.npos;
  return plain && !path.empty() ? "unload=" + path : "";
}

int insert(const ModuleFile& file) {
  return syscall(SYS_init_module, file.image.data(), file.image.size(), parameters().c_str()) == 0 ? 0 : errno;
}

// Taken in turns by those who load modules: of calls for one file at one time kernels from 6.5 on
// (9b9879fc0327) carry out the first, and tell all of its success. The others would take its session for theirs.
// The folder is root's alone, so that nobody else can keep the turn.
class Turn {
 public:
  Turn() : fd_(open(debugfs, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    while (fd_ >= 0 && flock(fd_, LOCK_EX) != 0 && errno == EINTR)
      ;
  }
  ~Turn() { close(fd_); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  int fd_;
};

// What a module allocates when it is loaded, its arrays above all, is for every CPU: while this lives the kernel takes
// our memory from each of its nodes in turn (set_mempolicy(2)). Where there is one node, or none is
// known, nothing changes.
class OnAllNodes {
 public:
  OnAllNodes() {
    unsigned long nodes[most / (8 * sizeof(unsigned long))] = {};
    if (syscall(SYS_get_mempolicy, nullptr, nodes, most, nullptr, MPOL_F_MEMS_ALLOWED) == 0)
      syscall(SYS_set_mempolicy, MPOL_INTERLEAVE, nodes, most);
  }
  ~OnAllNodes() { syscall(SYS_set_mempolicy, MPOL_DEFAULT, nullptr, 0); }
  OnAllNodes(const OnAllNodes&) = delete;
  OnAllNodes& operator=(const OnAllNodes&) = delete;

 private:
  static constexpr unsigned long most = 1024;  // of nodes: CONFIG_NODES_SHIFT is 10 at most
};

// A file descriptor lets the kernel check where the module comes from; the image in memory
// serves only to load a second copy under another name.
int insert_file(const ModuleFile& file) {
  int fd = open(file.path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  Turn turn;
  int error = syscall(SYS_finit_module, fd, parameters().c_str(), 0) == 0 ? 0 : errno;
  close(fd);
  return error;
}

}  // namespace

void insert_module(ModuleFile& file) {
  OnAllNodes memory;
  int error = insert_file(file);
  const std::string name = file.name;
  for (unsigned attempt = 0; error == EEXIST && attempt < 16; ++attempt) {
    if (!rename_module(file, unique_name(name, attempt))) break;
    error = insert(file);
  }
  if (error == EEXIST)
    throw std::runtime_error(fmt::format(
        "a module named {} is loaded already; `stp-load unload {}` removes it", name, name));
  if (error != 0)
    throw std::runtime_error(fmt::format("cannot load {}: {}", file.path, explain(error, file)));
}

bool remove_module(const std::string& name, double seconds) {
  using Clock = std::chrono::steady_clock;
  auto deadline = Clock::now() + std::chrono::duration<double>(seconds);
  for (;;) {
    if (syscall(SYS_delete_module, name.c_str(), O_NONBLOCK) == 0) return true;
    if (errno == ENOENT) return true;
    if ((errno != EAGAIN && errno != EBUSY) || Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

std::string sessions_directory() {
  std::string directory = fmt::format("{}/stp", debugfs);
  struct stat info {};
  if (stat(directory.c_str(), &info) == 0) return directory;
  if (mount("debugfs", debugfs, "debugfs", 0, nullptr) != 0 && errno != EBUSY)
    throw std::runtime_error(
        fmt::format("cannot mount debugfs at {}: {}; `mount -t debugfs "
                    "debugfs {}` as root",
                    debugfs, std::strerror(errno), debugfs));
  return directory;
}

std::string module_directory(const std::string& name) {
  std::string directory = fmt::format("{}/{}", sessions_directory(), name);
  struct stat info {};
  if (stat(directory.c_str(), &info) != 0)
    throw std::runtime_error(fmt::format("{}: {}", directory, std::strerror(errno)));
  return directory;
}

}  // namespace stp::load
