// The providers of one run, each opened once.
#include "debuginfo/sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "debuginfo/btf.h"
#include "debuginfo/btf_file.h"
#include "debuginfo/dwarf.h"
#include "debuginfo/dwarf_file.h"
#include "debuginfo/elf_file.h"
#include "debuginfo/find.h"
#include "debuginfo/glob.h"
#include "debuginfo/module_layout.h"
#include "debuginfo/module_tracepoints.h"
#include "debuginfo/symbols_provider.h"

namespace stp {
namespace {

namespace fs = std::filesystem;
using types::Provider;

bool is_path(const std::string& name) { return name.find('/') != name.npos; }

// As the kernel calls a module: /some/my-module.ko.xz is my_module.
std::string module_name(const std::string& name) {
  std::string bare = is_path(name) ? fs::path(name).filename().string() : name;
  if (size_t end = bare.find(".ko"); end != bare.npos) bare.resize(end);
  std::replace(bare.begin(), bare.end(), '-', '_');
  return bare;
}

// By its path, wherever it is.
ModuleFiles files_of_path(const fs::path& path, const Target& target) {
  ModuleFiles files;
  std::string why_not;
  files.module = unpacked_file(path, why_not);
  if (files.module.empty()) {
    files.looked_for.push_back({{}, path, why_not});
    return files;
  }
  DebugSearch search = find_debuginfo(path, target.trees);
  files.debuginfo = search.file;
  files.looked_for = search.looked_for;
  return files;
}

class DebugSources : public types::Sources {
 public:
  DebugSources(const Target& target, DebuginfoChoice choice) : target_(target), choice_(choice) {}

  const Provider* kernel(Diagnostics& d) override {
    // Who asked first may have taken back what was said: then it is said again.
    if (!tried_kernel_ || (!kernel_ && !d.failed())) {
      tried_kernel_ = true;
      kernel_ = open_debuginfo(target_, choice_, d);
    }
    return kernel_.get();
  }

  const Provider* module(const std::string& name, const Span& span, Diagnostics& d,
                         const std::string& sought) override {
    std::string key = is_path(name) ? name : module_name(name);
    auto known = modules_.find(key);
    if (known != modules_.end()) return known->second.get();
    ModuleFiles files =
        is_path(name) ? files_of_path(name, target_) : find_module(target_, module_name(name));
    if (!sought.empty() && !files.module.empty() && !has_function(files.module, sought))
      return nullptr;
    auto& opened = modules_[key];
    opened = open(name, files, span, d);
    return opened.get();
  }

  std::vector<std::string> modules(const std::string& glob) override {
    if (is_path(glob) || Glob(glob).literal()) return {glob};
    if (!listed_) {
      listed_ = true;
      names_ = module_names(target_);
    }
    std::vector<std::string> found;
    std::string pattern = glob;
    std::replace(pattern.begin(), pattern.end(), '-', '_');
    Glob matching(pattern);
    for (const auto& name : names_)
      if (matching.matches(name)) found.push_back(name);
    return found;
  }

  std::map<std::string, std::vector<std::string>> module_tracepoints() override {
    return tracepoints_of_modules(target_);
  }

  bool has_header(const std::string& name) const override {
    std::error_code ignored;
    bool any = false;
    // Debian keeps what is generated apart from what is not.
    for (const fs::path& tree : {target_.build_dir, target_.modules_dir / "source"})
      for (const char* folder : {"include", "include/uapi", "include/generated/uapi"})
        for (const char* of : {"", "arch/x86"}) {
          fs::path place = tree / of / folder;
          if (tree.empty() || !fs::is_directory(place, ignored)) continue;
          any |= fs::exists(place / "linux/types.h", ignored);
          for (const char* generated : {"", "generated", "generated/uapi"})
            if (fs::is_regular_file(place / generated / name, ignored)) return true;
        }
    return !any;
  }

 private:
  static bool has_function(const fs::path& module, const std::string& name) {
    dwarf::File file(module);
    bool found = false;
    if (file.elf())
      each_symbol(file.elf(), [&](const GElf_Sym&, std::string_view symbol, const GElf_Shdr&) {
        found |= symbol == name || (symbol.starts_with(name) && symbol[name.size()] == '.');
      });
    return found;
  }

  // What all modules' BTF continues.
  std::shared_ptr<const BtfFile> kernel_btf(std::string& why_not) {
    if (!tried_kernel_btf_) kernel_btf_ = BtfFile::open(target_, no_kernel_btf_);
    tried_kernel_btf_ = true;
    why_not = no_kernel_btf_;
    return kernel_btf_;
  }

  std::unique_ptr<Provider> open(const std::string& name, const ModuleFiles& files,
                                 const Span& span, Diagnostics& d) {
    if (files.module.empty() && files.debuginfo.empty()) {
      report_missing(name, files, span, d);
      return nullptr;
    }
    using Choice = DebuginfoChoice;
    std::string no_dwarf, no_btf, no_symbols, ignored, module = module_name(name);
    auto elf = read_elf_file(files.module, ignored);
    std::string build_id = elf ? elf->build_id : "";
    bool dwarf = choice_ == Choice::automatic || choice_ == Choice::dwarf;
    bool btf = choice_ == Choice::automatic || choice_ == Choice::btf;
    bool symbols = choice_ == Choice::automatic || choice_ == Choice::none;
    if (dwarf && !files.debuginfo.empty())
      if (auto provider = open_module_dwarf(files.debuginfo, module, build_id, no_dwarf))
        return provider;
    if (btf && !files.module.empty())
      if (auto base = kernel_btf(no_btf))
        if (auto provider = open_module_btf(files.module, module, target_, base, no_btf))
          return provider;
    std::vector<std::string> missing;
    if (files.debuginfo.empty() && dwarf) {
      missing = told(files.looked_for);
      missing.push_back(fmt::format(
          "`apt-get install linux-image-{}-dbg` installs that of the kernel's own modules",
          target_.release));
    }
    if (symbols && !files.module.empty()) {
      std::string instead_of = choice_ == Choice::none ? "--debuginfo=none" : no_btf;
      for (const auto& note : missing) instead_of += "; " + note;
      if (auto provider = open_module_symbols(files.module, module, instead_of, no_symbols))
        return provider;
    }
    auto& error = d.error(Code::no_debuginfo, span,
                          fmt::format("module '{}' has no {} that stp can read", module,
                                      dwarf || btf ? "debug information" : "symbols"));
    for (const auto& why_not : {no_dwarf, no_btf, no_symbols})
      if (!why_not.empty()) error.note(why_not);
    for (const auto& note : missing) error.note(note);
    return nullptr;
  }

  void report_missing(const std::string& name, const ModuleFiles& files, const Span& span,
                      Diagnostics& d) {
    if (files.builtin) {
      d.error(Code::no_match, span,
              fmt::format("'{}' is built into kernel {}: it has no module", name, target_.release))
          .note("its functions are those of kernel.function()");
      return;
    }
    auto& error =
        d.error(Code::no_match, span,
                is_path(name) ? fmt::format("{} cannot be read as a module", name)
                              : fmt::format("kernel {} has no module '{}'", target_.release, name));
    for (const auto& note : told(files.looked_for)) error.note(note);
    if (is_path(name) || !d.suggests()) return;
    for (const auto& near : nearest(module_name(name), module_names(target_)))
      error.note(fmt::format("did you mean '{}'?", near));
  }

  const Target& target_;
  DebuginfoChoice choice_;
  bool tried_kernel_ = false, tried_kernel_btf_ = false, listed_ = false;
  std::unique_ptr<Provider> kernel_;
  std::shared_ptr<const BtfFile> kernel_btf_;
  std::string no_kernel_btf_;
  std::map<std::string, std::unique_ptr<Provider>> modules_;
  std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<types::Sources> debuginfo_sources(const Target& target, DebuginfoChoice choice) {
  return std::make_unique<DebugSources>(target, choice);
}

}  // namespace stp
