// Finding the kernel that is traced.
//
// Everything is found from the name of the release (or the build directory that it was made in),
// and a part that is missing leaves its field empty: what needs the part reports it, since only it
// knows what for. Only a kernel of which nothing is there is an error here.
//
// The configuration and the list of exports are read whole: 260 KB and 1.7 MB, about 5 ms together,
// which is less than what a cache of them would save on the first question.

#include "target/target.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <libelf.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <system_error>

#include "target/locate.h"
#include "target/mapped_file.h"
#include "target/unpack.h"

namespace stp {
namespace {

namespace fs = std::filesystem;

std::string running_release() {
  utsname name;
  return uname(&name) == 0 ? name.release : "";
}

// "6.1.0-56-amd64" -> "6.1.0"
std::string version_of(const std::string& release) {
  return release.substr(0, release.find_first_not_of("0123456789."));
}

template <typename Use>
void for_each_line(std::string_view text, Use use) {
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    use(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// Lines "CONFIG_X=value". Text keeps its quotes: what scripts compare it with has them.
std::map<std::string, std::string> read_config(const fs::path& path) {
  std::map<std::string, std::string> config;
  auto file = MappedFile::open(path);
  if (!file) return config;
  for_each_line(file->bytes(), [&](std::string_view line) {
    size_t equals = line.find('=');
    if (!line.starts_with("CONFIG_") || equals == line.npos) return;
    config.emplace_hint(config.end(), line.substr(0, equals), line.substr(equals + 1));
  });
  return config;
}

std::string build_id_of(const fs::path& elf_file) {
  int fd = open(elf_file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string hex;
  elf_version(EV_CURRENT);
  if (Elf* elf = elf_begin(fd, ELF_C_READ_MMAP, nullptr)) {
    const void* id = nullptr;
    ssize_t size = dwelf_elf_gnu_build_id(elf, &id);
    for (ssize_t i = 0; i < size; ++i)
      hex += fmt::format("{:02x}", static_cast<const unsigned char*>(id)[i]);
    elf_end(elf);
  }
  close(fd);
  return hex;
}

std::string arch_of(const std::map<std::string, std::string>& config) {
  return config.count("CONFIG_ARM64") ? "arm64" : "x86_64";
}

// "6.12" -> "6.12.95+deb12-amd64": the newest known release that begins with `spec` up to a
// boundary between its numbers. `spec` itself when it is one, or when there is none.
std::string newest_release_like(const std::string& spec, const fs::path& sysroot) {
  std::string newest;
  for (const auto& known : known_kernels(sysroot)) {
    const std::string& release = known.release;
    if (release == spec) return spec;
    bool like = release.starts_with(spec) && strchr(".-+", release[spec.size()]);
    if (like && strverscmp(newest.c_str(), release.c_str()) < 0) newest = release;
  }
  return newest.empty() ? spec : newest;
}

void report_missing(const std::string& release, const fs::path& sysroot, bool running,
                    Diagnostics& diagnostics) {
  std::string trees;
  for (const auto& tree : kernel_trees(sysroot)) trees += (trees.empty() ? "" : ", ") + tree.string();
  std::vector<std::string> releases;
  std::string list;
  for (const auto& kernel : known_kernels(sysroot)) {
    releases.push_back(kernel.release);
    list += (list.empty() ? "" : ", ") + kernel.release;
  }
  auto& error = diagnostics.error(
      Code::no_kernel, {},
      running
          ? fmt::format("neither image nor headers of the running kernel, {}, were found", release)
          : fmt::format("neither image nor headers of a kernel '{}' were found", release));
  error.note(
      fmt::format("looked for boot/vmlinuz-{0}, lib/modules/{0}/build and "
                  "usr/lib/debug/boot/vmlinux-{0} under {1}",
                  release, trees));
  error.note(
      fmt::format("`apt-get install linux-image-{0} linux-headers-{0}` installs them; "
                  "`vm/fetch-kernel NAME` unpacks a kernel of vm/kernels.list",
                  release));
  for (const auto& name : nearest(release, releases))
    error.note(fmt::format("did you mean '{}'?", name));
  if (!list.empty()) error.note(fmt::format("releases that are here (-r RELEASE): {}", list));
}

// The parts that a build directory itself holds, when the kernel was built there.
void prefer_build_dir(const fs::path& dir, KernelFiles& files) {
  std::error_code ignored;
  files.build_dir = fs::canonical(dir, ignored);
  if (fs::path image = dir / "arch/x86/boot/bzImage"; fs::exists(image, ignored))
    files.image = image;
  // Debian's headers have one of BTF alone, for modules that are built against it.
  if (fs::path vmlinux = dir / "vmlinux"; !build_id_of(vmlinux).empty()) files.debuginfo = vmlinux;
}

// Debuginfo of another build of the same release would put probes at wrong addresses.
void check_debuginfo(Target& target, Diagnostics& diagnostics) {
  if (target.debuginfo.empty()) return;
  std::string id = build_id_of(target.debuginfo);
  if (target.build_id.empty()) target.build_id = id;
  if (id == target.build_id) return;
  diagnostics
      .warning(Code::no_debuginfo, {},
               fmt::format("{} is not used: it is of another build than {}",
                           target.debuginfo.string(), target.image.string()))
      .note(fmt::format("build-id {} there, {} in the image", id, target.build_id));
  target.debuginfo.clear();
}

void unpack_image(Target& target, Diagnostics& diagnostics) {
  if (target.image.empty()) return;
  std::string why_not;
  target.vmlinux = unpacked_image(target.image, why_not);
  if (!target.vmlinux.empty())
    target.build_id = build_id_of(target.vmlinux);
  else
    diagnostics.warning(
        Code::no_kernel, {},
        fmt::format("the kernel in {} cannot be read: {}", target.image.string(), why_not));
}

}  // namespace

std::optional<Target> find_target(const std::string& spec, Diagnostics& diagnostics,
                                  const fs::path& sysroot,
                                  const std::function<void(const Target&)>& located) {
  Target target;
  std::error_code ignored;
  if (!sysroot.empty() && !fs::is_directory(sysroot, ignored)) {
    diagnostics.error(Code::bad_option, {},
                      fmt::format("--sysroot {}: there is no such folder", sysroot.string()));
    return std::nullopt;
  }
  bool is_dir = spec.find('/') != spec.npos && fs::is_directory(spec, ignored);
  target.release = is_dir         ? release_of_build_dir(spec)
                   : spec.empty() ? running_release()
                                  : newest_release_like(spec, sysroot);
  if (is_dir && target.release.empty()) {
    diagnostics
        .error(Code::no_kernel, {}, fmt::format("{} is not a kernel's build directory", spec))
        .note("it has neither include/config/kernel.release nor include/generated/utsrelease.h");
    return std::nullopt;
  }
  if (!is_dir && spec.find('/') != spec.npos) {
    diagnostics.error(Code::no_kernel, {},
                      fmt::format("there is no kernel's build directory at {}", spec));
    return std::nullopt;
  }

  KernelFiles files = locate_kernel(target.release, sysroot);
  if (is_dir) prefer_build_dir(spec, files);
  if (files.nothing()) {
    report_missing(target.release, sysroot, spec.empty(), diagnostics);
    return std::nullopt;
  }
  target.version = version_of(target.release);
  target.sysroot = files.sysroot;
  target.build_dir = files.build_dir;
  target.image = files.image;
  target.debuginfo = files.debuginfo;
  target.modules_dir = files.modules_dir;
  target.trees = kernel_trees(sysroot);
  fs::path own_config = files.build_dir / ".config";
  bool has_own = !files.build_dir.empty() && fs::exists(own_config, ignored);
  target.config = read_config(has_own ? own_config : files.config);
  target.arch = arch_of(target.config);
  if (located) located(target);
  unpack_image(target, diagnostics);
  check_debuginfo(target, diagnostics);
  return target;
}

}  // namespace stp
