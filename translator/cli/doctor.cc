// stp doctor: what a run needs, whether it is here, and the one command that mends it.
//
// Each row is a function from the facts to a finding. What is needed depends on where scripts can
// run: a machine whose kernel loads modules needs no QEMU, and one that has QEMU and a kernel to
// boot can do without. So a finding is "needed" with respect to that, and the status says whether
// a script could run after all.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>

#include "build/home.h"
#include "cli/command.h"
#include "cli/compile.h"
#include "cli/install.h"
#include "cli/loadable.h"
#include "cli/options.h"
#include "debuginfo/btf.h"
#include "debuginfo/btf_file.h"
#include "debuginfo/find.h"

namespace stp::cli {
namespace {

namespace fs = std::filesystem;

struct Facts {
  std::string release;           // that the rows are about
  std::optional<Target> target;  // of that release, if anything of it is here
  std::string not_loadable;      // why
  bool in_vm = false;            // scripts run in a virtual machine, if at all
};

struct Finding {
  bool good = false;
  std::string what;  // what was found, or what is wrong
  std::string mend;  // a command; empty when there is none
};

Finding program(const std::string& name, const std::string& package) {
  fs::path found = program_in_path(name);
  if (!found.empty()) return {true, found, ""};
  return {false, "there is no " + name + " in $PATH", "apt-get install " + package};
}

// "gcc-12 (Debian 12.2.0-14) 12.2.0" -> "gcc-12"
std::string kernel_compiler(const Facts& facts) {
  if (!facts.target) return "gcc";
  auto text = facts.target->config.find("CONFIG_CC_VERSION_TEXT");
  if (text == facts.target->config.end()) return "gcc";
  std::string name = text->second.substr(0, text->second.find(' '));
  return program_in_path(name).empty() ? "gcc" : name;
}

Finding compiler(const Facts& facts) { return program(kernel_compiler(facts), "gcc"); }
Finding make(const Facts&) { return program("make", "make"); }

Finding re2c(const Facts&) { return program("re2c", "re2c"); }

Finding headers(const Facts& facts) {
  if (facts.target && !facts.target->build_dir.empty()) return {true, facts.target->build_dir, ""};
  return {false, "no headers of " + facts.release,
          "apt-get install linux-headers-" + facts.release};
}

Finding image(const Facts& facts) {
  if (facts.target && !facts.target->image.empty()) {
    if (!facts.target->vmlinux.empty()) return {true, facts.target->image, ""};
    return {false, facts.target->image.string() + " cannot be unpacked",
            "apt-get install --reinstall linux-image-" + facts.release};
  }
  return {false, "no image of " + facts.release, "apt-get install linux-image-" + facts.release};
}

Finding btf(const Facts& facts) {
  std::string why_not = "its image is missing";
  if (facts.target && open_btf(*facts.target, why_not)) return {true, "in the image", ""};
  return {false, why_not, "apt-get install linux-image-" + facts.release};
}

Finding debuginfo(const Facts& facts) {
  if (facts.target && !facts.target->debuginfo.empty()) return {true, facts.target->debuginfo, ""};
  return {false, "no DWARF of " + facts.release + ": local variables and lines are not known",
          fmt::format("apt-get install linux-image-{}-dbg", facts.release)};
}

// By where packages put it: to search for each of four thousand modules takes seconds.
Finding module_dwarf(const Facts& facts) {
  size_t all = facts.target ? module_names(*facts.target).size() : 0, found = 0;
  const std::vector<fs::path> no_trees;
  for (const fs::path& tree : facts.target ? facts.target->trees : no_trees)
    for (const char* below : {"usr/lib/debug/lib/modules", "usr/lib/debug/usr/lib/modules"}) {
      std::error_code failed;
      fs::recursive_directory_iterator it(tree / below / facts.release, failed), end;
      for (; !failed && it != end; it.increment(failed))
        found += it->path().filename().string().find(".ko") != std::string::npos;
    }
  if (found > 0) return {true, fmt::format("of {} of {} modules", std::min(found, all), all), ""};
  return {false, fmt::format("of none of {} modules", all),
          fmt::format("apt-get install linux-image-{}-dbg", facts.release)};
}

Finding module_btf(const Facts& facts) {
  if (!facts.target) return {false, "no modules of " + facts.release, ""};
  auto names = module_names(*facts.target);
  std::string why_not = "no modules were found";
  if (!names.empty()) {
    ModuleFiles files = find_module(*facts.target, names.front());
    std::shared_ptr<const BtfFile> base = BtfFile::open(*facts.target, why_not);
    if (base && !files.module.empty() &&
        open_module_btf(files.module, names.front(), *facts.target, base, why_not))
      return {true, "in the modules", ""};
  }
  return {false, why_not, "apt-get install linux-image-" + facts.release};
}

Finding debuginfod(const Facts&) {
  const char* urls = getenv("DEBUGINFOD_URLS");
  if (urls && *urls) return {true, urls, ""};
  return {false, "no server is asked for debuginfo", "export DEBUGINFOD_URLS=https://debuginfod.debian.net"};
}

Finding modules(const Facts& facts) {
  if (facts.not_loadable.empty()) return {true, "the running kernel loads them", ""};
  return {false, facts.not_loadable, "stp run --vm ..."};
}

Finding debugfs(const Facts&) {
  std::ifstream mounts("/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string device, place, type;
    words >> device >> place >> type;
    if (type == "debugfs") return {true, place, ""};
  }
  return {false, "not mounted", "mount -t debugfs none /sys/kernel/debug"};
}

Finding qemu(const Facts&) { return program("qemu-system-x86_64", "qemu-system-x86"); }
Finding busybox(const Facts&) { return program("busybox", "busybox-static"); }

Finding kvm(const Facts&) {
  int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (fd < 0)
    return {false,
            fmt::format("/dev/kvm: {}; virtual machines are emulated, which is slower",
                        strerror(errno)),
            errno == EACCES ? "adduser $USER kvm" : ""};
  close(fd);
  return {true, "/dev/kvm opens; it is used where a test boot works", ""};
}

Finding loader(const Facts&) {
  fs::path found = loader_program();
  if (!found.empty()) return {true, found, ""};
  return {false, "stp-load is not beside stp", "make stp-load"};
}

Finding cache(const Facts&) {
  fs::path dir = cache_dir();
  if (access(dir.c_str(), W_OK) == 0) return {true, dir, ""};
  return {false, fmt::format("{}: {}", dir.string(), strerror(errno)),
          "export STP_CACHE=/some/writable/folder"};
}

enum class Needed { always, here, in_vm, never };
struct Row {
  const char* name;
  Needed needed;
  Finding (*find)(const Facts&);
};
constexpr Row rows[] = {
    {"compiler", Needed::always, compiler},
    {"make", Needed::always, make},
    {"re2c", Needed::never, re2c},
    {"headers", Needed::always, headers},
    {"image", Needed::always, image},
    {"BTF", Needed::always, btf},
    {"DWARF", Needed::never, debuginfo},
    {"module BTF", Needed::never, module_btf},
    {"module DWARF", Needed::never, module_dwarf},
    {"debuginfod", Needed::never, debuginfod},
    {"modules", Needed::here, modules},
    {"debugfs", Needed::here, debugfs},
    {"qemu", Needed::in_vm, qemu},
    {"busybox", Needed::in_vm, busybox},
    {"KVM", Needed::never, kvm},
    {"stp-load", Needed::always, loader},
    {"cache", Needed::always, cache},
};

bool is_needed(Needed needed, const Facts& facts) {
  return needed == Needed::always || (needed == Needed::here && !facts.in_vm) ||
         (needed == Needed::in_vm && facts.in_vm);
}

Facts gather(const std::string& kernel) {
  Facts facts;
  facts.not_loadable = why_not_loadable();
  facts.in_vm = !facts.not_loadable.empty() || (!kernel.empty() && kernel != running_release());
  Diagnostics ignored;  // the rows say it in their own words
  facts.release = kernel;
  if (kernel.empty()) facts.release = facts.in_vm ? kernel_for_vm() : running_release();
  if (facts.release.empty()) facts.release = running_release();
  facts.target = find_target(facts.release, ignored);
  if (facts.target) facts.release = facts.target->release;
  return facts;
}

int print_table(const Facts& facts) {
  fmt::print("kernel {}, {}\n", facts.release,
             facts.in_vm ? "to be run in a virtual machine (stp run --vm)" : "running here");
  bool missing = false;
  for (const Row& row : rows) {
    Finding finding = row.find(facts);
    bool needed = is_needed(row.needed, facts);
    missing = missing || (needed && !finding.good);
    fmt::print("  {:<8}{:<13}{}\n",
               finding.good ? "ok"
               : needed     ? "MISSING"
                            : "without",
               row.name, finding.what);
    if (!finding.good && !finding.mend.empty()) fmt::print("{:23}mend: {}\n", "", finding.mend);
  }
  fmt::print("{}\n", missing ? "scripts cannot run yet" : "scripts can run");
  return missing ? status_failed : status_good;
}

}  // namespace

int doctor_command(const Words& words) {
  std::string kernel;
  CLI::App app{"Say what this machine has and lacks for tracing, and the command that mends it.",
               "stp doctor"};
  set_usage(app, "stp doctor [-r KERNEL]");
  add_kernel_option(app, kernel);
  app.footer(
      "A row is ok, MISSING (scripts cannot run) or without (they can).\n"
      "Exit status: 0 when scripts can run, 1 when something needed is missing, 2 for a wrong\n"
      "command line.\n"
      "\nExample: stp doctor -r 6.12");
  int status;
  if (!parse(app, words, status)) return status;
  return print_table(gather(kernel));
}

}  // namespace stp::cli
