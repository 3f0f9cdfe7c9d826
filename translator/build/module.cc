// Three ways to a module, the cheapest first: it is in the cache; script.c is compiled and linked
// with the runtime by Kbuild's own commands; or Kbuild is run on all of it.
//
// The second way needs that the script's object wants nothing that the template .mod.o does not
// know. That is looked up, not hoped for, and the third way takes over when it is not so.
#include "build/module.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/algorithm/string.hpp>
#include <fstream>
#include <iterator>
#include <regex>
#include <stdexcept>

#include "build/object_symbols.h"
#include "build/runtime_objects.h"
#include "build/trim_module.h"
#include "support/digest.h"
#include "support/subprocess.h"
#include "target/cache_room.h"

namespace stp {
namespace fs = std::filesystem;
namespace {

// A folder to build in, removed at the end unless it is to be kept.
class WorkFolder {
 public:
  WorkFolder(const fs::path& base, bool keep) : keep_(keep) {
    static std::atomic<unsigned> number{0};
    path_ = base / fmt::format("work-{}-{}", getpid(), number++);
    fs::create_directories(path_);
  }
  ~WorkFolder() {
    std::error_code ignored;
    if (!keep_) fs::remove_all(path_, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  const fs::path& path() const { return path_; }
  void keep() { keep_ = true; }

 private:
  fs::path path_;
  bool keep_;
};

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  if (!(out << text) || !out.flush())
    throw std::runtime_error(fmt::format("cannot write {}", path.string()));
}

bool run_script(const std::string& script, const fs::path& work) {
  return run_logged({"sh", "-e", "-c", script, "sh", work.string()}, work / "log") == 0;
}

enum class Way { done, not_this_way, failed };

Way compile_and_link(const RuntimeObjects& runtime, const std::string& name, const fs::path& work) {
  std::string padded = name;
  padded.resize(std::string(placeholder_name).size());
  if (!runtime.harvested || name.size() > padded.size()) return Way::not_this_way;
  if (!run_script(runtime.recipe.compile, work)) return Way::failed;
  ObjectSymbols symbols = object_symbols(work / "script.o");
  if (!std::includes(runtime.known.begin(), runtime.known.end(), symbols.undefined.begin(),
                     symbols.undefined.end()))
    return Way::not_this_way;
  write_text(work / "module.mod.o",
             boost::replace_all_copy(runtime.module_template, placeholder_name, padded));
  if (!run_script(runtime.recipe.collect, work)) return Way::failed;
  trim_module(work / "module.o", work / "module.mod.o");
  if (!run_script(runtime.recipe.link, work)) return Way::failed;
  trim_linked_module(work / "module.ko", work / "names");
  return Way::done;
}

Way through_kbuild(const Target& target, const std::string& name, const fs::path& work,
                   bool kernel_headers, const std::vector<std::string>& variables) {
  fs::path folder = work / "kbuild";
  write_kbuild_folder(folder, name, kernel_headers);
  fs::copy_file(work / "script.c", folder / "script.c");
  if (!run_kbuild(target, folder, work / "log", variables)) return Way::failed;
  fs::rename(folder / (name + ".ko"), work / "module.ko");
  return Way::done;
}

// The place in the script that "file:line:column" of the compiler means; empty when it is not in the
// script's own C.
Span place_in_script(const std::string& file, uint32_t line, uint32_t column,
                     const std::vector<Span>& embedded) {
  for (const Span& span : embedded) {
    if (!span.file || span.file->name() != file) continue;
    LineColumn first = span.file->position(span.begin), last = span.file->position(span.end);
    if (line < first.line || line > last.line) continue;
    // The first line was written without what stands before its code.
    if (line == first.line) column += first.column + 1;
    for (uint32_t at = span.begin; at < span.end; ++at) {
      LineColumn here = span.file->position(at);
      if (here.line == line && here.column >= column) return {span.file, at, at + 1};
    }
    return span;
  }
  return {};
}

// Complaints about the script's own C. False when there are none.
bool report_embedded(const fs::path& log, const std::vector<Span>& embedded,
                     Diagnostics& diagnostics) {
  static const std::regex complaint(R"(^(.*?):(\d+):(\d+): (?:fatal )?error: (.*)$)");
  bool any = false;
  std::ifstream in(log);
  for (std::string line; std::getline(in, line);) {
    std::smatch parts;
    if (line.size() > 1000 || !std::regex_match(line, parts, complaint)) continue;
    Span place = place_in_script(parts[1], std::stoul(parts[2]), std::stoul(parts[3]), embedded);
    if (!place) continue;
    diagnostics.error(Code::embedded_c, place, parts[4]);
    any = true;
  }
  return any;
}

// The path of the log, moved out of the way of the folder's removal.
std::optional<BuiltModule> failed(WorkFolder& work, Diagnostics& diagnostics) {
  work.keep();
  diagnostics
      .error(Code::build_failed, {},
             fmt::format("the module could not be built; the log is {}",
                         (work.path() / "log").string()))
      .note(fmt::format("the C code is {}; this is a fault of stp or of the kernel's headers, not "
                        "of the script",
                        (work.path() / "script.c").string()));
  return std::nullopt;
}

std::optional<BuiltModule> build(const Target& target, const std::string& source,
                                 const std::string& module_name, const BuildOptions& options,
                                 Diagnostics& diagnostics) {
  RuntimeObjects runtime = runtime_objects(target);
  std::string hash =
      digest({runtime.key, module_name, options.plain_kbuild ? "kbuild" : "",
              boost::join(options.make_variables, "\n"), source});
  BuiltModule module;
  module.name = module_name.empty() ? "stp_" + hash : module_name;
  fs::path folder = cache_dir() / "modules" / hash;
  module.file = folder / (module.name + ".ko");
  if (fs::exists(module.file) && !options.keep) {
    module.from_cache = true;
    mark_used(folder);
    return module;
  }
  WorkFolder work(cache_dir() / "modules", options.keep);
  write_text(work.path() / "script.c", source);
  bool plain = options.plain_kbuild || !options.embedded.empty() || !options.make_variables.empty();
  Way way = plain ? Way::not_this_way
                                 : compile_and_link(runtime, module.name, work.path());
  if (way == Way::not_this_way)
    way = through_kbuild(target, module.name, work.path(), !options.embedded.empty(),
                         options.make_variables);
  if (way == Way::failed && report_embedded(work.path() / "log", options.embedded, diagnostics))
    return std::nullopt;
  if (way == Way::failed) return failed(work, diagnostics);
  // Whoever finds the file finds all of it.
  fs::create_directories(folder);
  if (fs::exists(work.path() / "names")) fs::copy_file(work.path() / "names", folder / "names", fs::copy_options::overwrite_existing);
  fs::rename(work.path() / "module.ko", module.file);
  return module;
}

}  // namespace

std::optional<BuiltModule> build_module(const Target& target, const std::string& source,
                                        const std::string& module_name, const BuildOptions& options,
                                        Diagnostics& diagnostics) {
  if (target.build_dir.empty()) {
    diagnostics
        .error(Code::no_kernel, {},
               fmt::format("the headers of kernel {} were not found", target.release))
        .note(fmt::format("apt-get install linux-headers-{}", target.release));
    return std::nullopt;
  }
  try {
    return build(target, source, module_name, options, diagnostics);
  } catch (const std::exception& e) {
    diagnostics.error(Code::build_failed, {}, e.what());
    return std::nullopt;
  }
}

}  // namespace stp
