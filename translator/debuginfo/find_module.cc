// A module is found as modprobe finds it: by modules.dep where depmod has been, else by the folders
// that override the kernel's own, then the order in which they were built, then by looking.
// Trees that packages were unpacked in have no modules.dep.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <system_error>

#include "debuginfo/elf_file.h"
#include "debuginfo/find.h"
#include "target/locate.h"
#include "target/mapped_file.h"

namespace stp {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view endings[] = {".ko", ".ko.xz", ".ko.zst", ".ko.gz"};
constexpr const char* overriding[] = {"updates", "extra", "weak-updates"};

std::string one_spelling(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '-', '_');
  return text;
}

// "kernel/fs/ext4/ext4.ko.xz" -> "ext4"; empty when this is no module.
std::string module_of(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);
  for (std::string_view ending : endings)
    if (path.ends_with(ending)) return one_spelling(path.substr(0, path.size() - ending.size()));
  return {};
}

// The file that a list names, which may be packed though the list does not say so.
fs::path packed_or_not(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_regular_file(path, ignored)) return path;
  for (std::string_view ending : endings) {
    fs::path other = path.string() + std::string(ending.substr(3));
    if (fs::is_regular_file(other, ignored)) return other;
  }
  return {};
}

// Calls `use` with each path in a list of paths, one per line, up to a colon. False ends it.
void each_listed(const fs::path& list, const std::function<bool(std::string_view)>& use) {
  auto file = MappedFile::open(list);
  if (!file) return;
  std::string_view rest = file->bytes();
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    line = line.substr(0, line.find(':'));
    if (!line.empty() && !use(line)) return;
  }
}

// Calls `use` with each module file below a folder, in order of paths. False ends it.
void each_below(const fs::path& folder, const std::function<bool(const fs::path&)>& use) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (fs::recursive_directory_iterator it(folder, failed), end; !failed && it != end;
       it.increment(failed))
    if (!module_of(it->path().filename().string()).empty()) files.push_back(it->path());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files)
    if (!use(file)) return;
}

fs::path in_list(const fs::path& dir, const char* list, const std::string& name) {
  fs::path found;
  each_listed(dir / list, [&](std::string_view path) {
    if (module_of(path) != name) return true;
    found = packed_or_not(dir / path);
    return found.empty();
  });
  return found;
}

fs::path in_folder(const fs::path& folder, const std::string& name) {
  fs::path found;
  each_below(folder, [&](const fs::path& file) {
    if (module_of(file.filename().string()) == name) found = file;
    return found.empty();
  });
  return found;
}

bool is_builtin(const fs::path& dir, const std::string& name) {
  bool found = false;
  each_listed(dir / "modules.builtin", [&](std::string_view path) {
    found = module_of(path) == name;
    return !found;
  });
  return found;
}

// Debian keeps the debuginfo of a module under the path of the module, Fedora adds ".debug".
// A module whose package was not stripped is its own.
fs::path debuginfo_by_path(const Target& target, const fs::path& relative,
                           const std::string& build_id, ModuleFiles& files) {
  for (const fs::path& tree : target.trees)
    for (const char* folder : {"/usr/lib/debug/lib/modules", "/usr/lib/debug/usr/lib/modules"})
      for (const char* ending : {"", ".debug"}) {
        fs::path place = fs::path(folder) / target.release / (relative.string() + ending);
        fs::path path = inside_tree(tree, place);
        if (path.empty()) {
          files.looked_for.push_back({tree, place.relative_path(), ""});
          continue;
        }
        std::string why_not;
        auto elf = read_elf_file(path, why_not);
        if (elf && elf->has_dwarf && elf->build_id == build_id) return path;
        if (elf) why_not = elf->has_dwarf ? "it is of another build" : "it has no DWARF";
        files.looked_for.push_back({{}, path, why_not});
      }
  return {};
}

}  // namespace

fs::path find_module_file(const Target& target, std::string_view module) {
  const fs::path& dir = target.modules_dir;
  std::string name = one_spelling(module);
  if (dir.empty() || name.empty()) return {};
  if (fs::path found = in_list(dir, "modules.dep", name); !found.empty()) return found;
  for (const char* folder : overriding)
    if (fs::path found = in_folder(dir / folder, name); !found.empty()) return found;
  if (fs::path found = in_list(dir, "modules.order", name); !found.empty()) return found;
  return in_folder(dir / "kernel", name);
}

ModuleFiles find_module(const Target& target, std::string_view module) {
  ModuleFiles files;
  fs::path packed = find_module_file(target, module);
  if (packed.empty()) {
    files.builtin = is_builtin(target.modules_dir, one_spelling(module));
    files.looked_for.push_back(
        {{}, target.modules_dir / fmt::format("**/{}.ko[.xz|.zst|.gz]", module), ""});
    return files;
  }
  std::string why_not;
  files.module = unpacked_file(packed, why_not);
  auto elf = files.module.empty() ? std::nullopt : read_elf_file(files.module, why_not);
  if (!elf) {
    files.module.clear();
    files.looked_for.push_back({{}, packed, why_not});
    return files;
  }
  if (elf->has_dwarf) {
    files.debuginfo = files.module;
    return files;
  }
  fs::path relative = packed.lexically_relative(target.modules_dir);
  std::string text = relative.string();
  relative = text.substr(0, text.rfind(".ko") + 3);
  files.debuginfo = debuginfo_by_path(target, relative, elf->build_id, files);
  if (!files.debuginfo.empty()) return files;
  DebugSearch search = find_debuginfo(files.module, target.trees);
  files.debuginfo = search.file;
  files.looked_for.insert(files.looked_for.end(), search.looked_for.begin(),
                          search.looked_for.end());
  return files;
}

std::vector<std::string> module_names(const Target& target) {
  std::set<std::string> names;
  const fs::path& dir = target.modules_dir;
  auto add = [&](std::string_view path) {
    if (std::string name = module_of(path); !name.empty()) names.insert(name);
    return true;
  };
  if (dir.empty()) return {};
  for (const char* list : {"modules.dep", "modules.order"}) each_listed(dir / list, add);
  for (const char* folder : overriding)
    each_below(dir / folder, [&](const fs::path& file) { return add(file.string()); });
  if (names.empty())
    each_below(dir / "kernel", [&](const fs::path& file) { return add(file.string()); });
  return {names.begin(), names.end()};
}

}  // namespace stp
