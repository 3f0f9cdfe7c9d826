// DEFINE_TRACE (include/linux/tracepoint.h) puts each tracepoint's name into the section
// __tracepoints_strings, one NUL-terminated text after the other; a module without the section has no
// tracepoint. So nothing but the table of sections is read of most of four thousand modules. Packed ones are
// unpacked for it, once, as everything that looks into modules does.
#include "debuginfo/module_tracepoints.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "debuginfo/elf_file.h"
#include "debuginfo/find.h"
#include "debuginfo/image.h"
#include "target/cache.h"

namespace stp {
namespace {

namespace fs = std::filesystem;
using Names = std::map<std::string, std::vector<std::string>>;

std::vector<std::string> tracepoints_in(const fs::path& module) {
  std::vector<std::string> names;
  std::string ignored;
  auto image = Image::open(module, ignored);
  const Image::Section* strings = image ? image->section("__tracepoints_strings") : nullptr;
  if (!strings) return names;
  std::string_view rest = strings->data;
  while (!rest.empty()) {
    std::string_view name = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    // Long names are aligned: there are zeroes between.
    if (!name.empty()) names.emplace_back(name);
  }
  return names;
}

Names read_modules(const Target& target) {
  Names found;
  for (const std::string& module : module_names(target)) {
    std::string ignored;
    fs::path file = unpacked_file(find_module_file(target, module), ignored);
    if (file.empty()) continue;
    if (auto names = tracepoints_in(file); !names.empty()) found.emplace(module, std::move(names));
  }
  return found;
}

// A line for each module: its name, then its tracepoints. Empty when there is no such file.
Names read_list(const fs::path& list) {
  Names found;
  std::ifstream in(list);
  for (std::string line, name; std::getline(in, line);) {
    std::istringstream words(line);
    std::string module;
    words >> module;
    while (words >> name) found[module].push_back(name);
  }
  return found;
}

// The modules of a kernel are replaced together with one of these.
std::string key_of(const fs::path& modules) {
  for (const char* list : {"modules.dep", "modules.order"})
    if (std::string key = file_key(modules / list); !key.empty()) return key;
  return file_key(modules);
}

}  // namespace

Names tracepoints_of_modules(const Target& target) {
  if (target.modules_dir.empty()) return {};
  std::string key = key_of(target.modules_dir);
  fs::path list = cache_dir() / "modules" / (key + ".tracepoints");
  std::error_code failed;
  if (!key.empty() && fs::exists(list, failed)) return read_list(list);
  Names found = read_modules(target);
  std::string text;
  for (const auto& [module, names] : found) {
    text += module;
    for (const auto& name : names) text += " " + name;
    text += "\n";
  }
  if (!key.empty()) write_atomically(list, {text});
  return found;
}

}  // namespace stp
