// Kbuild is run on a module that is the runtime and an empty script. What comes out is kept: the
// objects, as a library of which a script gets what it uses (split_object.h); Kbuild's commands
// (recipe.h); and the .mod.o, which holds what modpost found out: the versions of the kernel's symbols and `struct module` itself. A script's object
// uses the runtime alone, so the same .mod.o serves it, with another name in it.
//
// The alternative, a runtime in a module of its own, would have saved the link as well. It would
// have needed an agreement with the kernel on versions of exported symbols between two modules, and
// left a module behind on the traced machine.
#include "build/runtime_objects.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <boost/algorithm/string.hpp>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

#include "build/home.h"
#include "build/object_symbols.h"
#include "build/recipe.h"
#include "build/split_object.h"
#include "support/digest.h"
#include "support/subprocess.h"
#include "target/cache.h"
#include "target/cache_room.h"

namespace stp {
namespace fs = std::filesystem;
namespace {

// A script with nothing in it. The functions that a compiler may call on its own for structures,
// loops and stack arrays are used here, so that the .mod.o knows them.
constexpr const char* empty_script = R"(
#include "script.h"
const struct stp_script stp_script = { .abi = 0 };
void *memcpy(void *, const void *, __SIZE_TYPE__);
void *memmove(void *, const void *, __SIZE_TYPE__);
void *memset(void *, int, __SIZE_TYPE__);
int memcmp(const void *, const void *, __SIZE_TYPE__);
const void *stp_compiler_functions[] = { memcpy, memmove, memset, memcmp };
void stp_stack_protector(void);
void stp_stack_protector(void)
{
	char array[64];
	__asm__ volatile("" : : "r"(array) : "memory");
}
)";

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  if (!(out << text) || !out.flush())
    throw std::runtime_error(fmt::format("cannot write {}", path.string()));
}

// What the kernel's side is made of: all of runtime/ but the loader, and include/stp.
std::vector<fs::path> runtime_sources() {
  fs::path home = home_dir();
  std::vector<fs::path> files;
  for (const char* folder : {"runtime", "include/stp"})
    for (auto it = fs::recursive_directory_iterator(home / folder);
         it != fs::recursive_directory_iterator(); ++it) {
      if (it->path().filename() == "loader") it.disable_recursion_pending();
      std::string suffix = it->path().extension();
      if (suffix == ".c" || suffix == ".h" || it->path().filename() == "Kbuild")
        files.push_back(it->path().lexically_relative(home));
    }
  std::sort(files.begin(), files.end());
  return files;
}

// What the sources say. Reading them takes half as long as all else does for a script that was seen before:
// what was read of files in this state is noted.
std::string read_sources_key() {
  fs::path home = home_dir();
  std::vector<fs::path> sources = runtime_sources();
  std::vector<std::string> states, texts;
  for (const fs::path& file : sources) {
    states.push_back(file.string());
    states.push_back(file_key(home / file));
  }
  fs::path note = cache_dir() / "index" / ("sources-" + digest({states.begin(), states.end()}));
  if (std::string key = read_text(note); !key.empty()) {
    mark_used(note);
    return key;
  }
  for (const fs::path& file : sources) {
    texts.push_back(file.string());
    texts.push_back(read_text(home / file));
  }
  std::string key = digest({texts.begin(), texts.end()});
  write_atomically(note, {key});
  return key;
}

// Asked for ahead of the translation and by the build: looked at once.
const std::string& sources_key() {
  static const std::string key = read_sources_key();
  return key;
}

// What is made of the runtime and of modules with it; changes with that, so that none of the old kind is found.
constexpr const char* form = "12: names of functions are in a file of their own";

// What the kernel's configuration says that it was compiled by: "gcc-12".
std::string compiler_name(const Target& target) {
  auto compiler = target.config.find("CONFIG_CC_VERSION_TEXT");
  std::string name = compiler == target.config.end() ? "gcc" : compiler->second;
  boost::trim_if(name, boost::is_any_of("\""));
  return name.substr(0, name.find(' '));
}

// Everything that the objects depend on. Files of the kernel are named by their state, not read.
std::string runtime_key(const Target& target) {
  std::vector<std::string> parts = {target.release,
                                    file_key(target.build_dir / ".config"),
                                    file_key(target.build_dir / "Module.symvers"),
                                    empty_script,
                                    form,
                                    placeholder_name};
  for (const char* folder : {"/usr/bin/", "/usr/local/bin/"})
    parts.push_back(file_key(folder + compiler_name(target)));
  parts.push_back(sources_key());
  return digest({parts.begin(), parts.end()});
}

// Held while the runtime is built, so that two first scripts build it once.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& path)
      : fd_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    if (fd_ >= 0) flock(fd_, LOCK_EX);
  }
  ~FolderLock() {
    if (fd_ >= 0) close(fd_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_;
};

std::vector<std::string> objects_of_runtime(const fs::path& folder) {
  std::string list = read_text(folder / (std::string(placeholder_name) + ".mod"));
  std::vector<std::string> names, objects;
  boost::split(names, list, boost::is_space(), boost::token_compress_on);
  for (const std::string& name : names)
    if (!name.empty() && fs::path(name).filename() != "script.o") objects.push_back(name);
  return objects;
}

bool run_ar(const std::string& name, const std::vector<std::string>& members, const fs::path& folder,
            const fs::path& log) {
  std::vector<std::string> command = {"ar", "rcD", name};
  command.insert(command.end(), members.begin(), members.end());
  return run_logged(command, log, folder) == 0;
}

// The objects of the runtime, in parts, as a library from which a script gets what it uses and one
// that every script gets; and the .mod.o, without debug information. Objects that cannot be
// split are members as they are: modules become larger, and no worse.
bool make_libraries(const fs::path& folder, const fs::path& log) {
  std::vector<std::string> objects = objects_of_runtime(folder),
                           lean = {"strip", "--strip-debug", "-R", ".comment",
                                   std::string(placeholder_name) + ".mod.o"};
  // Kernels from 6.12 on have a part of each module made once.
  if (constexpr const char* common = ".module-common.o"; fs::exists(folder / common)) lean.push_back(common);
  if (run_logged(lean, log, folder) != 0) return false;
  std::vector<fs::path> paths;
  for (const std::string& object : objects) paths.push_back(folder / object);
  try {
    SplitObjects parts = split_objects(paths);
    write_library(parts.always, folder / "always.a");
    write_library(parts.members, folder / "runtime.a");
  } catch (const std::runtime_error& e) {
    std::ofstream(log, std::ios::app) << "the objects are linked whole: " << e.what() << "\n";
    return run_ar("always.a", objects, folder, log) && run_ar("runtime.a", {}, folder, log);
  }
  return true;
}

// What the .mod.o knows: all that the runtime and the empty script define or want.
std::set<std::string> known_symbols(const fs::path& folder) {
  std::set<std::string> known;
  for (const auto& file : fs::recursive_directory_iterator(folder)) {
    if (file.path().extension() != ".o" || boost::starts_with(file.path().filename().string(), placeholder_name)) continue;
    ObjectSymbols symbols = object_symbols(file.path());
    bool is_script = file.path().filename() == "script.o";
    if (!is_script) known.insert(symbols.defined.begin(), symbols.defined.end());
    known.insert(symbols.undefined.begin(), symbols.undefined.end());
  }
  return known;
}

// Tried once, here, on the empty script: make may have given the commands what they need in a way
// that leaves no trace.
bool works(const Recipe& recipe, const fs::path& folder, const fs::path& log) {
  fs::path work = folder / "trial";
  fs::create_directories(work);
  fs::copy_file(folder / "script.c", work / "script.c", fs::copy_options::overwrite_existing);
  fs::copy_file(folder / (std::string(placeholder_name) + ".mod.o"), work / "module.mod.o",
                fs::copy_options::overwrite_existing);
  bool made = true;
  for (const std::string& script : {recipe.compile, recipe.collect, recipe.link})
    made = made && run_logged({"sh", "-e", "-c", script, "sh", work.string()}, log) == 0;
  made = made && fs::exists(work / "module.ko");
  fs::remove_all(work);
  return made;
}

// What lets Kbuild do the same in less time.
std::vector<std::string> quick_ways(const Target& target) {
  // The compiler is asked some thirty times, one after the other, whether it takes an option. Nothing has to be assembled for
  // the answer, nor a folder made and removed.
  std::vector<std::string> ways = {
      "__cc-option=$(shell if $(1) -Werror $(2) $(3:-Wno-%=-W%) $(if $(findstring -Wa,$(3)),-c,-S) -x c /dev/null "
      "-o \"$(KBUILD_EXTMOD)/.asked\" > /dev/null 2>&1; then echo \"$(3)\"; else echo \"$(4)\"; fi)",
      "cc-disable-warning=$(call __cc-option,$(CC),$(KBUILD_CPPFLAGS) $(KBUILD_CFLAGS),-Wno-$(strip $(1)))",
  };
  // nm, run for each object, loads all plugins that are installed, LLVM with them; gcc's brings its own alone.
  std::string nm = boost::replace_last_copy(compiler_name(target), "gcc", "gcc-nm");
  if (boost::contains(nm, "gcc-nm") && fs::exists("/usr/bin/" + nm)) ways.push_back("NM=" + nm);
  return ways;
}

void build(const Target& target, const fs::path& folder, const fs::path& log) {
  write_kbuild_folder(folder, placeholder_name);
  write_text(folder / "script.c", empty_script);
  if (!run_kbuild(target, folder, log, quick_ways(target)) || !make_libraries(folder, log))
    throw std::runtime_error(fmt::format("the runtime could not be built for {}; the log is {}",
                                         target.release, log.string()));
  std::string why;
  auto recipe = harvest_recipe(folder, placeholder_name, target.build_dir, why);
  if (recipe && !works(*recipe, folder, log)) {
    recipe.reset();
    why = "the commands fail outside of make; the log is " + log.string();
  }
  if (recipe) {
    write_text(folder / "compile.sh", recipe->compile);
    write_text(folder / "collect.sh", recipe->collect);
    write_text(folder / "link.sh", recipe->link);
    std::set<std::string> known = known_symbols(folder);
    write_text(folder / "symbols", boost::join(known, "\n") + "\n");
  } else {
    write_text(folder / "why_not", why);
  }
  write_text(folder / "complete", "");
}

bool is_complete(const fs::path& folder) { return fs::exists(folder / "complete"); }

RuntimeObjects load(const std::string& key, const fs::path& folder) {
  RuntimeObjects objects;
  objects.key = key;
  objects.folder = folder;
  objects.recipe = {read_text(folder / "compile.sh"), read_text(folder / "collect.sh"),
                    read_text(folder / "link.sh")};
  objects.module_template = read_text(folder / (std::string(placeholder_name) + ".mod.o"));
  std::string symbols = read_text(folder / "symbols");
  boost::split(objects.known, symbols, boost::is_any_of("\n"));
  objects.known.erase("");
  objects.harvested = !objects.recipe.compile.empty() && !objects.recipe.collect.empty() &&
                      !objects.recipe.link.empty();
  objects.why_not = read_text(folder / "why_not");
  return objects;
}

}  // namespace

void write_kbuild_folder(const fs::path& folder, const std::string& name, bool kernel_headers) {
  fs::create_directories(folder);
  fs::path home = home_dir();
  for (const fs::path& file : runtime_sources()) {
    fs::create_directories((folder / file).parent_path());
    fs::copy_file(home / file, folder / file, fs::copy_options::overwrite_existing);
  }
  // script.c brings its own types: it is compiled without the kernel's headers, unless it has C of the
  // script's author.
  write_text(folder / "Kbuild",
             fmt::format("obj-m := {0}.o\n"
                         "include $(src)/runtime/Kbuild\n"
                         "{0}-y := script.o $(addprefix runtime/,$(stp_runtime_objs))\n"
                         "ccflags-y += -g0\n{1}",
                         name,
                         kernel_headers ? "" : "CFLAGS_REMOVE_script.o += -D__KERNEL__\n"));
}

bool run_kbuild(const Target& target, const fs::path& folder, const fs::path& log,
                const std::vector<std::string>& variables) {
  long cpus = std::max(1L, sysconf(_SC_NPROCESSORS_ONLN));
  // BTF of the module is of no use, and wants pahole and vmlinux.
  std::vector<std::string> command = {"make", fmt::format("-j{}", cpus), "-C",
                                      target.build_dir.string(), "M=" + folder.string(),
                                      "CONFIG_DEBUG_INFO_BTF_MODULES="};
  command.insert(command.end(), variables.begin(), variables.end());
  command.push_back("modules");
  return run_logged(command, log) == 0;
}

RuntimeObjects runtime_objects(const Target& target) {
  std::string key = runtime_key(target);
  fs::path base = cache_dir() / "runtime";
  fs::path folder = base / key;
  if (is_complete(folder)) {
    mark_used(folder);
    return load(key, folder);
  }
  fs::create_directories(base);
  FolderLock lock(base / (key + ".lock"));
  if (!is_complete(folder)) {
    fs::remove_all(folder);
    build(target, folder, base / (key + ".log"));
  }
  return load(key, folder);
}

void RuntimeAhead::start(const Target& target) {
  if (target.build_dir.empty() || is_complete(cache_dir() / "runtime" / runtime_key(target))) return;
  thread_ = std::jthread([target] {
    try {
      runtime_objects(target);
    } catch (const std::exception&) {
    }
  });
}

}  // namespace stp
