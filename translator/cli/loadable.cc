// Asked before the script is compiled: who has no chance to run anything should learn it at once,
// and in the words of the cause, not as an errno of finit_module(2).
//
// The order is from what nobody can change to what root can.

#include "cli/loadable.h"

#include <fmt/format.h>
#include <linux/capability.h>
#include <sys/utsname.h>
#include <zlib.h>

#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>

#include "support/diagnostics.h"

namespace stp::cli {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string unzipped(const fs::path& path) {
  std::string text;
  gzFile file = gzopen(path.c_str(), "rb");
  if (!file) return text;
  char block[16384];
  for (int n; (n = gzread(file, block, sizeof block)) > 0;)
    text.append(block, static_cast<size_t>(n));
  gzclose(file);
  return text;
}

// The running kernel's configuration; empty when it is nowhere.
std::string kernel_config(const fs::path& root) {
  std::string text = unzipped(root / "proc/config.gz");
  return text.empty() ? text_of(root / "boot" / ("config-" + running_release())) : text;
}

// Nothing is known without a configuration: then nothing is held against the kernel.
bool configured_without(const std::string& config, std::string_view option) {
  return !config.empty() && config.find("\n" + std::string(option) + "=") == std::string::npos;
}

bool has_capability(unsigned number) {
  std::istringstream status(text_of("/proc/self/status"));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("CapEff:")) return std::stoull(line.substr(7), nullptr, 16) >> number & 1;
  return false;
}

struct Need {
  std::string_view option;
  const char* lack;
};
constexpr Need needs[] = {
    {"CONFIG_MODULES", "it was built without loadable modules (CONFIG_MODULES)"},
    {"CONFIG_KPROBES", "it was built without CONFIG_KPROBES"},
    {"CONFIG_RELAY", "it was built without CONFIG_RELAY"},
    {"CONFIG_DEBUG_FS", "it was built without CONFIG_DEBUG_FS"},
};

}  // namespace

std::string cannot_load(const std::string& reason, const std::string& cure) {
  return fmt::format("the running kernel, {}, cannot load modules: {}{}{} [{}]", running_release(),
                     reason, cure.empty() ? "" : "; ", cure, name_of(Code::cannot_load));
}

std::string running_release() {
  utsname name;
  return uname(&name) == 0 ? name.release : "";
}

std::string why_not_loadable(const fs::path& root) {
  std::string config = kernel_config(root);
  for (const auto& need : needs)
    if (configured_without(config, need.option)) return need.lack;
  std::error_code ignored;
  if (!fs::exists(root / "proc/modules", ignored))
    return "it has no /proc/modules: it was built without loadable modules, or /proc is not its "
           "own";
  if (text_of(root / "proc/sys/kernel/modules_disabled").starts_with("1"))
    return "loading modules was switched off until the next boot (kernel.modules_disabled is 1)";
  std::string lockdown = text_of(root / "sys/kernel/security/lockdown");
  if (lockdown.find("[integrity]") != std::string::npos ||
      lockdown.find("[confidentiality]") != std::string::npos)
    return "it is locked down and loads signed modules only (/sys/kernel/security/lockdown)";
  if (root == "/" && !has_capability(CAP_SYS_MODULE))
    return "this process may not (CAP_SYS_MODULE is missing); run stp as root";
  return {};
}

}  // namespace stp::cli
