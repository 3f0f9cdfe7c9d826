// Libraries are found as the dynamic linker finds them (ld.so(8)): DT_RPATH and DT_RUNPATH of what
// needs them, then the folders of the system. Its cache is of the machine that stp runs on, which
// need not be the one that is traced: it is not read.
#include "debuginfo/user_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fnmatch.h>
#include <gelf.h>
#include <glob.h>
#include <libelf.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <system_error>

#include "debuginfo/dwarf.h"
#include "debuginfo/elf_file.h"
#include "debuginfo/symbols_provider.h"
#include "target/cache.h"
#include "target/locate.h"

namespace stp {
namespace {

namespace fs = std::filesystem;

constexpr const char* library_folders[] = {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu",
                                           "/lib64",                "/usr/lib64",
                                           "/lib",                  "/usr/lib"};

// The tree that paths of the traced machine are in.
fs::path root_of(const Trees& trees) { return trees.size() == 1 ? trees.front() : fs::path("/"); }

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool has_wildcard(const std::string& text) { return text.find_first_of("*?[") != text.npos; }

std::vector<fs::path> glob_files(const std::string& pattern) {
  std::vector<fs::path> found;
  glob_t matches{};
  if (glob(pattern.c_str(), 0, nullptr, &matches) == 0)
    for (size_t i = 0; i < matches.gl_pathc; ++i)
      if (is_file(matches.gl_pathv[i])) found.emplace_back(matches.gl_pathv[i]);
  globfree(&matches);
  return found;
}

fs::path in_path(const std::string& name, const Trees& trees) {
  const char* set = getenv("PATH");
  std::stringstream folders(set ? set : "/usr/bin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    fs::path path = inside_tree(root_of(trees), fs::absolute(folder) / name);
    if (!path.empty() && is_file(path) && access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

// "#!/usr/bin/env python3" -> the file of python3. Scripts lead to scripts only so often.
fs::path interpreter_of(fs::path file, const Trees& trees) {
  for (int steps = 0; steps < 4; ++steps) {
    std::ifstream in(file, std::ios::binary);
    char mark[2] = {};
    in.read(mark, 2);
    if (!in || mark[0] != '#' || mark[1] != '!') return file;
    std::string line, program, argument;
    std::getline(in, line);
    std::stringstream words(line);
    words >> program >> argument;
    bool env = fs::path(program).filename() == "env" && !argument.empty();
    file = env ? in_path(argument, trees) : inside_tree(root_of(trees), program);
  }
  return file;
}

struct Needs {
  std::vector<std::string> libraries, folders;
};

// DT_NEEDED, DT_RPATH and DT_RUNPATH.
Needs needs_of(const fs::path& file) {
  Needs needs;
  int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return needs;
  elf_version(EV_CURRENT);
  Elf* elf = elf_begin(fd, ELF_C_READ_MMAP, nullptr);
  Elf_Scn* section = nullptr;
  while (elf && (section = elf_nextscn(elf, section))) {
    GElf_Shdr header;
    if (!gelf_getshdr(section, &header) || header.sh_type != SHT_DYNAMIC) continue;
    Elf_Data* data = elf_getdata(section, nullptr);
    GElf_Dyn row;
    for (int i = 0; data && gelf_getdyn(data, i, &row) && row.d_tag != DT_NULL; ++i) {
      bool needed = row.d_tag == DT_NEEDED;
      if (!needed && row.d_tag != DT_RPATH && row.d_tag != DT_RUNPATH) continue;
      const char* text = elf_strptr(elf, header.sh_link, row.d_un.d_val);
      if (!text) continue;
      if (needed) {
        needs.libraries.emplace_back(text);
        continue;
      }
      std::stringstream folders(text);
      for (std::string folder; std::getline(folders, folder, ':');) {
        if (size_t at = folder.find("$ORIGIN"); at != folder.npos)
          folder.replace(at, 7, file.parent_path().string());
        needs.folders.push_back(folder);
      }
    }
  }
  elf_end(elf);
  close(fd);
  return needs;
}

void collect_libraries(const fs::path& file, const Trees& trees, int depth,
                       std::map<std::string, fs::path>& found) {
  if (depth > 32 || found.size() > 10'000) return;
  Needs needs = needs_of(file);
  for (const char* folder : library_folders) needs.folders.emplace_back(folder);
  for (const std::string& name : needs.libraries) {
    if (found.count(name)) continue;
    fs::path path;
    for (const std::string& folder : needs.folders) {
      if (!path.empty()) break;
      path = is_file(fs::path(folder) / name) && root_of(trees) != "/" &&
                     folder.starts_with(root_of(trees).string())
                 ? fs::path(folder) / name
                 : inside_tree(root_of(trees), fs::path(folder) / name);
    }
    if (path.empty()) continue;
    found[name] = path;
    collect_libraries(path, trees, depth + 1, found);
  }
}

std::unique_ptr<types::Provider> open(const fs::path& file, const Trees& trees,
                                      UserDebuginfo& result) {
  DebugSearch search = find_debuginfo(file, trees);
  if (!search.file.empty()) {
    std::string whole = fmt::format("'{}'", file.string());
    return open_dwarf_of_program(search.file, file, whole, result.why_not);
  }
  std::string not_elf;
  if (!read_elf_file(file, not_elf)) {
    result.why_not = not_elf;
    return nullptr;
  }
  result.why_not = "it has no debug information, and none was found elsewhere";
  for (auto& note : told(search.looked_for)) result.notes.push_back(std::move(note));
  result.notes.push_back("compile it with -g, or install the package with its debug information: "
                         "`find-dbgsym-packages " + file.string() + "` names it on Debian");
  if (!getenv("DEBUGINFOD_URLS"))
    result.notes.push_back("DEBUGINFOD_URLS names servers that have it: "
                           "https://debuginfod.debian.net for Debian's packages");
  std::string no_symbols;
  return open_user_symbols(file, no_symbols);
}

}  // namespace

std::vector<fs::path> find_programs(const std::string& path, const Trees& trees,
                                    std::string& why_not) {
  std::vector<fs::path> found;
  fs::path root = root_of(trees);
  if (path.empty()) {
    why_not = "an empty text names no program";
  } else if (path.find('/') == path.npos && !has_wildcard(path)) {
    if (fs::path file = in_path(path, trees); !file.empty()) found.push_back(file);
    why_not = fmt::format("there is no program '{}' in $PATH", path);
  } else if (has_wildcard(path)) {
    bool below_root = path.starts_with('/') && root != "/";
    found = glob_files(below_root ? root.string() + path : path);
    why_not = fmt::format("no file matches '{}'", path);
  } else {
    fs::path file = path.starts_with('/') ? inside_tree(root, path) : fs::absolute(path);
    if (is_file(file)) found.push_back(file);
    std::error_code ignored;
    why_not = fs::is_directory(file, ignored) ? fmt::format("'{}' is a folder", path)
              : fs::exists(file, ignored)     ? fmt::format("'{}' is no regular file", path)
                                              : fmt::format("there is no file '{}'", path);
  }
  std::vector<fs::path> programs;
  for (fs::path file : found) {
    std::error_code ignored;
    if (!has_wildcard(path)) file = interpreter_of(file, trees);
    if (!file.empty()) programs.push_back(fs::weakly_canonical(file, ignored));
  }
  return programs;
}

bool can_be_program(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  char mark[SELFMAG] = {};
  return !in || (in.read(mark, SELFMAG) && memcmp(mark, ELFMAG, SELFMAG) == 0);
}

std::vector<fs::path> find_libraries(const fs::path& program, const std::string& pattern,
                                     const Trees& trees) {
  if (pattern.find('/') != pattern.npos && !has_wildcard(pattern)) {
    fs::path file = pattern.starts_with('/') ? inside_tree(root_of(trees), pattern)
                                             : fs::absolute(pattern);
    return is_file(file) ? std::vector{file} : std::vector<fs::path>{};
  }
  std::map<std::string, fs::path> needed;
  collect_libraries(program, trees, 0, needed);
  std::set<fs::path> found;
  for (const auto& [name, path] : needed) {
    std::error_code ignored;
    bool fits = fnmatch(pattern.c_str(), name.c_str(), 0) == 0 ||
                fnmatch(pattern.c_str(), path.c_str(), 0) == 0 ||
                fnmatch(pattern.c_str(), path.filename().c_str(), 0) == 0;
    if (fits) found.insert(fs::weakly_canonical(path, ignored));
  }
  return {found.begin(), found.end()};
}

const UserDebuginfo& open_user_debuginfo(const fs::path& file, const Trees& trees) {
  struct Opened {
    UserDebuginfo result;
    std::unique_ptr<types::Provider> provider;
  };
  // Probe points hold pointers to what they were resolved with.
  static std::map<std::string, Opened> opened;
  auto [at, fresh] = opened.try_emplace(file.string() + " " + file_key(file));
  Opened& o = at->second;
  if (fresh) {
    o.provider = open(file, trees, o.result);
    o.result.provider = o.provider.get();
  }
  return o.result;
}

}  // namespace stp
