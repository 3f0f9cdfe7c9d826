// What compiled scripts do: every file of testsuite/run becomes tests, one per kernel and, where it
// makes a difference, per source of types.
//
// Modules are built here and run in a guest that has nothing but the module and stp-load: that is
// the air-gapped host of which the manual speaks, in every test. One guest per kernel serves all.
// Afterwards the guest must be as it was: no module left, no complaint in the kernel's log.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "harness/run_case.h"
#include "harness/vm_session.h"
#include "support/subprocess.h"

namespace stp::harness {
namespace fs = std::filesystem;
namespace {

struct Options {
  fs::path top = fs::current_path();
  std::string stp = "./stp", loader = "./stp-load", programs = "build/testsuite/progs", kmods = "build/testsuite/kmod";
  std::string kernel;
  bool all_kernels = false;
};
Options options;

struct Kernel {
  std::string name, release;
  bool dwarf = false;
  int patience = 1;  // by what timeouts are multiplied
  std::unique_ptr<VmSession> session;
};
std::map<std::string, Kernel> kernels;

// The first line a command prints, without its end.
std::string first_line_of(const std::string& command) {
  std::string text;
  if (FILE* pipe = popen(command.c_str(), "r")) {
    char line[512];
    if (fgets(line, sizeof line, pipe)) text = line;
    pclose(pipe);
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::vector<std::string> names_of_kernels() {
  std::vector<std::string> names;
  std::ifstream in(options.top / "vm/kernels.list");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string name;
    if (words >> name && name[0] != '#') names.push_back(name);
  }
  return names;
}

std::vector<std::string> guest_files() {
  std::vector<std::string> files = {options.loader};
  for (const auto& entry : fs::directory_iterator(options.programs))
    if (entry.is_regular_file() && access(entry.path().c_str(), X_OK) == 0)
      files.push_back(entry.path());
  return files;
}

class Scratch {
 public:
  Scratch() {
    char name[] = "/tmp/stp-test-XXXXXX";
    path = mkdtemp(name);
  }
  ~Scratch() { fs::remove_all(path); }
  fs::path path;
};

class VmTest : public testing::Test {
 public:
  VmTest(const RunCase& run_case, Kernel& kernel, std::string types, std::string kmod)
      : case_(run_case), kernel_(kernel), types_(std::move(types)) {
    if (!kmod.empty())
      kmod_ = fs::absolute(options.kmods) / kernel.name / (kmod + ".ko");
  }

 private:
  void TestBody() override {
    if (!kernel_.session)
      kernel_.session =
          std::make_unique<VmSession>(VmSession::Setup{options.top, kernel_.name, guest_files()});
    fs::path module = kernel_.session->shared() / "case.ko";
    if (!kmod_.empty() && !build_kmods()) return;
    if (case_.file.extension() == ".sh") return run_shell(module);
    if (!build(case_.file, module)) return;
    Outcome outcome = kernel_.session->run(
        with_kmod(fmt::format("stp-load {}{}", module.string(), case_.run)), case_.load,
        case_.timeout * kernel_.patience);
    judge(outcome,
          outcome.failure.empty() ? mismatch(case_, outcome.status, outcome.out, outcome.err) : "");
  }

  bool build_kmods() {
    fs::path log = scratch_.path / "kmod.log";
    int status = run_logged({(options.top / "testsuite/kmod/build").string(), kernel_.name,
                             kmod_.parent_path().string()},
                            log);
    EXPECT_EQ(status, 0) << contents(log);
    return status == 0;
  }

  // A command for the guest, with the module there while it runs.
  std::string with_kmod(const std::string& command) {
    if (kmod_.empty()) return command;
    return fmt::format("export KMOD={0}\ninsmod $KMOD || exit 99\n( {1}\n)\ns=$?\nrmmod {2}\nexit $s",
                       kmod_.string(), command, kmod_.stem().string());
  }

  // False when there is nothing to run: the failure is recorded, or was what the test is about.
  bool build(const fs::path& script, const fs::path& module) {
    fs::path log = scratch_.path / "build.log";
    fs::remove(module);
    std::string command =
        fmt::format("{} build {} -r {} -o {}{}", shell_quote(options.stp), shell_quote(script),
                    kernel_.release, shell_quote(module), case_.build);
    if (!types_.empty()) command += " --debuginfo=" + types_;
    if (!kmod_.empty()) command = fmt::format("KMOD={}; {}", shell_quote(kmod_), command);
    int status = run_logged({"timeout", "120", "sh", "-c", command}, log);
    std::string text = contents(log);
    if (case_.build_error.empty()) {
      EXPECT_EQ(status, 0) << command << "\n" << text;
      return status == 0 && fs::exists(module);
    }
    EXPECT_EQ(status, 1) << text;
    EXPECT_NE(text.find("[" + case_.build_error + "]"), std::string::npos) << text;
    return false;
  }

  void run_shell(const fs::path& module) {
    if (!case_.script.empty()) {
      fs::path script = scratch_.path / case_.file.filename().replace_extension(".stp");
      std::ofstream(script) << case_.script;
      if (!build(script, module)) return;
    }
    if (case_.on_host) {
      fs::path log = scratch_.path / "log";
      int status =
          run_logged({"timeout", std::to_string(case_.timeout), "env",
                      "STP=" + fs::absolute(options.stp).string(), "MODULE=" + module.string(),
                      "KERNEL=" + kernel_.name, "sh", fs::absolute(case_.file).string()},
                     log, scratch_.path);
      EXPECT_EQ(status, 0) << contents(log);
      return;
    }
    std::string command =
        fmt::format("export MODULE={} ROUNDS={}\n{}", module.string(),
                    options.all_kernels ? 200 : 20, contents(case_.file));
    Outcome outcome = kernel_.session->run(with_kmod(command), case_.load, case_.timeout * kernel_.patience);
    judge(outcome, outcome.status == 0 ? "" : fmt::format("status {}\n", outcome.status));
  }

  void judge(const Outcome& outcome, const std::string& wrong) {
    if (!outcome.failure.empty()) {
      ADD_FAILURE() << outcome.failure;
      return;
    }
    constexpr size_t shown = 4000;
    if (!wrong.empty())
      ADD_FAILURE() << wrong << "stdout:\n"
                    << outcome.out.substr(0, shown) << "stderr:\n"
                    << outcome.err.substr(0, shown) << "kernel log:\n"
                    << outcome.kernel_log.substr(0, shown);
    EXPECT_TRUE(complaints(outcome.kernel_log).empty()) << outcome.kernel_log;
    EXPECT_EQ(outcome.left.substr(0, shown), "") << "is still loaded or armed";
  }

  const RunCase& case_;
  Kernel& kernel_;
  std::string types_;
  fs::path kmod_;  // the module to be probed; empty: none
  Scratch scratch_;
};

void register_test(const RunCase& c, Kernel& kernel, const std::string& types,
                   const std::string& kmod) {
  std::string name = c.file.stem().string() + (types.empty() ? "" : "_" + types);
  if (c.kmods.size() > 1) name += "_" + kmod;
  std::string suite = "kernel_" + kernel.name;
  std::replace(suite.begin(), suite.end(), '.', '_');
  testing::RegisterTest(suite.c_str(), name.c_str(), nullptr, nullptr, c.file.c_str(), 1,
                        [&c, &kernel, types, kmod] { return new VmTest(c, kernel, types, kmod); });
}

// With which --debuginfo a case is run on a kernel.
std::vector<std::string> sources_of_types(const RunCase& c, const Kernel& kernel) {
  if (c.file.extension() == ".sh") return {""};
  if (c.only == "dwarf")
    return kernel.dwarf ? std::vector<std::string>{"dwarf"} : std::vector<std::string>{};
  if (c.only == "btf" || c.only == "none") return {c.only};
  if (!c.needs_types) return {""};
  if (!kernel.dwarf) return {"btf"};
  return {"btf", "dwarf"};
}

void register_tests(const std::vector<RunCase>& cases) {
  std::vector<std::string> names = names_of_kernels();
  if (!options.kernel.empty()) names = {options.kernel};
  if (!options.all_kernels) names.resize(1);
  fs::path home = getenv("HOME") ? getenv("HOME") : "/root";
  fs::path cache = getenv("STP_CACHE") ? fs::path(getenv("STP_CACHE")) : home / ".cache/stp";
  for (const std::string& name : names) {
    Kernel& kernel = kernels[name];
    kernel.name = name;
    kernel.release = first_line_of((options.top / "vm/fetch-kernel").string() + " " + name);
    fs::path tree = cache / "kernels" / kernel.release;
    if (name == "debug") {
      kernel.patience = 8;
      // Kept apart: nobody is to get it who only asks for some kernel.
      tree = cache / "debug" / kernel.release;
      setenv("STP_KERNELS", tree.c_str(), 1);
    }
    kernel.dwarf = fs::exists(tree / ".debuginfo");
    for (const RunCase& c : cases)
      if (c.kernel.empty() || c.kernel == name)
        for (const std::string& types : sources_of_types(c, kernel))
          for (const std::string& kmod : c.kmods.empty() ? std::vector<std::string>{""} : c.kmods)
            register_test(c, kernel, types, kmod);
  }
}

std::vector<RunCase> read_cases() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(options.top / "testsuite/run"))
    if (entry.path().extension() == ".stp" || entry.path().extension() == ".sh")
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<RunCase> cases;
  for (const fs::path& file : files) cases.push_back(read_case(file));
  return cases;
}

}  // namespace

int run_all(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  CLI::App app{"Runs the scripts of testsuite/run in virtual machines."};
  app.add_option("--stp", options.stp, "the translator");
  app.add_option("--load", options.loader, "the loader");
  app.add_option("--progs", options.programs, "the folder of test programs");
  app.add_option("--kmods", options.kmods, "where modules to be probed are built");
  app.add_option("--kernel", options.kernel, "one of vm/kernels.list, or debug; default: its first");
  app.add_flag("--all-kernels", options.all_kernels, "every one");
  CLI11_PARSE(app, argc, argv);
  signal(SIGPIPE, SIG_IGN);
  std::vector<RunCase> cases = read_cases();
  register_tests(cases);
  int status = RUN_ALL_TESTS();
  kernels.clear();
  return status;
}

}  // namespace stp::harness

int main(int argc, char** argv) {
  try {
    return stp::harness::run_all(argc, argv);
  } catch (const std::exception& e) {
    fmt::print(stderr, "vm-tests: {}\n", e.what());
    return 2;
  }
}
