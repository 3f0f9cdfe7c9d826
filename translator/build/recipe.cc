// Harvested commands, with places in them replaced by shell variables.
//
// Kernels before 6.13 run make in the kernel's folder and name the module's files by absolute
// path; later ones run in the module's folder and name them relative to it. So a command is run
// in the folder that its make ran in, and absolute paths are replaced by $W, the folder of this
// script, or $R, where the runtime was built. Whatever follows (objtool on this kernel and not on
// that one) comes with the command.
#include "build/recipe.h"

#include <fmt/format.h>

#include <boost/algorithm/string.hpp>
#include <fstream>
#include <iterator>
#include <vector>

#include "support/subprocess.h"

namespace stp {
namespace fs = std::filesystem;
namespace {

std::string read_text(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string command_of(const fs::path& built, const std::string& file) {
  return saved_command(read_text(built / ("." + file + ".cmd")));
}

// A make file doubles dollars and escapes `#` for itself.
std::string from_make(std::string text) {
  boost::replace_all(text, "$$", "$");
  boost::replace_all(text, "$(pound)", "#");
  boost::replace_all(text, "\\#", "#");
  return text;
}

// Kbuild's own last words on a module: `; true` where it makes no BTF.
std::string without_tail(std::string command) {
  boost::trim(command);
  for (const char* tail : {"true", ":", ";"}) {
    if (boost::ends_with(command, tail)) {
      std::string head =
          boost::trim_right_copy(command.substr(0, command.size() - std::string(tail).size()));
      if (*tail == ';' || boost::ends_with(head, ";")) command = head;
    }
  }
  boost::trim_right_if(command, boost::is_any_of("; "));
  return command;
}

struct Names {
  fs::path built;
  std::string name;
  bool absolute;  // commands name files by absolute path

  // How a command of Kbuild spells one of the module's files.
  std::string file(const std::string& relative) const {
    return absolute ? (built / relative).string() : relative;
  }
};

// False when `what` is not there.
bool replace(std::string& text, const std::string& what, const std::string& with) {
  if (text.find(what) == std::string::npos) return false;
  boost::replace_all(text, what, with);
  return true;
}

std::optional<std::string> compile_script(const Names& names, std::string& why) {
  std::string command = lean_compile_command(command_of(names.built, "script.o"));
  if (!replace(command, names.file("script.c"), "\"$W/script.c\"") ||
      !replace(command, names.file("script.o"), "\"$W/script.o\"")) {
    why = "the command that compiles script.c";
    return std::nullopt;
  }
  return command;
}

std::optional<std::string> collect_objects(const Names& names, std::string& why) {
  std::string command = without_tail(command_of(names.built, names.name + ".o"));
  if (!replace(command, "@" + names.file(names.name + ".mod"),
               "\"$W/script.o\" --whole-archive \"$R/always.a\" --no-whole-archive "
               "\"$R/runtime.a\"") ||
      !replace(command, names.file(names.name + ".o"), "\"$W/module.o\"")) {
    why = "the command that collects the module's objects";
    return std::nullopt;
  }
  return command;
}

std::optional<std::string> link_module(const Names& names, std::string& why) {
  std::string command = without_tail(command_of(names.built, names.name + ".ko"));
  if (!replace(command, names.file(names.name + ".mod.o"), "\"$W/module.mod.o\"") ||
      !replace(command, names.file(names.name + ".ko"), "\"$W/module.ko\"") ||
      !replace(command, names.file(names.name + ".o"), "\"$W/module.o\"")) {
    why = "the command that links the module";
    return std::nullopt;
  }
  return command;
}

}  // namespace

std::string saved_command(const std::string& cmd_file) {
  std::string line = cmd_file.substr(0, cmd_file.find('\n'));
  if (!boost::starts_with(line, "cmd_") && !boost::starts_with(line, "savedcmd_")) return {};
  size_t at = line.find(" := ");
  return at == std::string::npos ? "" : boost::trim_copy(from_make(line.substr(at + 4)));
}

std::string lean_compile_command(const std::string& command) {
  std::vector<std::string> words, kept;
  boost::split(words, command, boost::is_space(), boost::token_compress_on);
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "-include") {
      ++i;
    } else if (words[i] != "-D__KERNEL__" && !boost::starts_with(words[i], "-Wp,-MMD") &&
               !boost::starts_with(words[i], "-Wp,-MD")) {
      kept.push_back(words[i]);
    }
  }
  return boost::join(kept, " ");
}

std::optional<Recipe> harvest_recipe(const fs::path& built, const std::string& name,
                                     const fs::path& build_dir, std::string& why) {
  std::string compile = command_of(built, "script.o");
  Names names{built, name, compile.find((built / "script.c").string()) != std::string::npos};
  auto script = compile_script(names, why);
  auto objects = collect_objects(names, why);
  auto module = link_module(names, why);
  if (!script || !objects || !module) return std::nullopt;
  // What is left of absolute paths is the runtime's: include folders, a common .mod.o. Debian's
  // objtool is a script that picks a program by what the kernel's make exports.
  std::string head =
      fmt::format("W=$1\nR={}\nexport ARCH=x86 SRCARCH=x86\ncd {}\n", shell_quote(built.string()),
                  shell_quote(names.absolute ? build_dir.string() : built.string()));
  return Recipe{head + *script + "\n", head + *objects + "\n", head + *module + "\n"};
}

}  // namespace stp
