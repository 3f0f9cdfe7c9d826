// The provider over DWARF. What a name leads to is found in the index; entries are read from the
// file only for what was asked. Each kind of question has a file of its own.
#include "debuginfo/dwarf.h"

#include <fmt/format.h>

#include <cstring>

#include "debuginfo/dwarf_context.h"
#include "debuginfo/dwarf_file.h"
#include "debuginfo/dwarf_functions.h"
#include "debuginfo/dwarf_index.h"
#include "debuginfo/dwarf_inside.h"
#include "debuginfo/dwarf_lines.h"
#include "debuginfo/dwarf_scope.h"
#include "debuginfo/dwarf_tracepoints.h"
#include "debuginfo/dwarf_types.h"
#include "debuginfo/image.h"
#include "debuginfo/kprobe_blacklist.h"
#include "debuginfo/module_layout.h"
#include "debuginfo/places.h"
#include "debuginfo/symbolize.h"
#include "debuginfo/symbols.h"
#include "target/cache.h"

namespace stp {
namespace {

using types::Answer;
using types::Function;
using types::FunctionQuery;
using types::Place;
using types::Type;
using types::Variable;

// What has to be there before a provider can be made.
struct Opened {
  std::unique_ptr<dwarf::File> file;
  std::unique_ptr<dwarf::Index> index;
  std::filesystem::path path;  // of the file
  std::string key;             // that what is derived from it is kept under
};

class DwarfProvider : public types::Provider {
 public:
  DwarfProvider(Opened opened, std::unique_ptr<Symbols> symbols, std::filesystem::path image,
                std::string whole = "the kernel", ModuleLayout layout = {})
      : file_(std::move(opened.file)),
        index_(std::move(opened.index)),
        debuginfo_(std::move(opened.path)),
        key_(std::move(opened.key)),
        symbols_(std::move(symbols)),
        image_path_(std::move(image)),
        layout_(std::move(layout)),
        types_(*file_, *index_, this),
        context_{*file_, *index_, symbols_.get(), types_, std::move(whole)} {}

  std::string_view source() const override { return "dwarf"; }

  std::vector<Function> functions(const FunctionQuery& query) const override {
    return dwarf::find_functions(context_, query);
  }
  std::vector<std::string> function_names() const override {
    return index_->names_of(dwarf::Entry::function);
  }
  Answer<std::vector<types::Statement>> statements(const FunctionQuery& query, uint32_t line,
                                                   bool relative, bool nearest) const override {
    return dwarf::find_statements(context_, query, line, relative, nearest);
  }
  bool begins_line(uint64_t address) const override {
    return dwarf::begins_line(context_, address);
  }
  std::vector<types::Statement> labels(const Function& f) const override {
    return dwarf::labels_of(context_, f);
  }
  std::vector<types::Call> calls(const Function& f) const override {
    return dwarf::calls_of(context_, f);
  }
  std::vector<types::SourceFrame> source_frames(uint64_t address) const override {
    return dwarf::source_frames(context_, address);
  }
  std::optional<types::SymbolAt> symbol_at(uint64_t address) const override {
    return dwarf::symbol_at(context_, address);
  }
  std::filesystem::path places(types::PlaceKind kind) const override {
    return key_.empty() ? std::filesystem::path() : dwarf::places_file(debuginfo_, key_, kind);
  }
  std::optional<Function> function_at(uint64_t address) const override {
    return dwarf::function_at(context_, address);
  }
  uint64_t after_prologue(const Function& f) const override {
    return dwarf::after_prologue(context_, f);
  }

  Answer<std::vector<Variable>> variables(const Place& place) const override {
    return dwarf::variables_at(context_, *this, place);
  }
  Answer<Variable> variable(const Place& place, std::string_view name) const override {
    return dwarf::variable_at(context_, *this, place, name);
  }
  Answer<Variable> return_value(const Function& f) const override {
    return dwarf::return_value_of(context_, *this, f);
  }
  Answer<Variable> global(std::string_view name, std::string_view file) const override {
    return dwarf::global_variable(context_, name, file);
  }

  std::vector<types::Tracepoint> tracepoints(std::string_view glob) const override {
    open_image();
    return dwarf::find_tracepoints(context_, *this, image_.get(), glob);
  }
  std::span<const uint64_t> kprobe_blacklist() const override {
    if (!layout_.module().empty()) return layout_.kprobe_blacklist();
    open_image();
    if (!kprobe_blacklist_ && image_ && symbols_)
      kprobe_blacklist_ = read_kprobe_blacklist(*image_, *symbols_);
    return kprobe_blacklist_ ? *kprobe_blacklist_ : std::span<const uint64_t>{};
  }

  Answer<const Type*> type(std::string_view spelling) const override {
    return types_.named(spelling);
  }
  std::vector<types::Member> members(const Type& type) const override {
    return type.home && type.home != this ? type.home->members(type) : types_.members(type);
  }
  std::vector<types::Enumerator> enumerators(const Type& type) const override {
    return type.home && type.home != this ? type.home->enumerators(type)
                                          : types_.enumerators(type);
  }
  std::optional<int64_t> enumerator(std::string_view name) const override {
    for (const auto& r : index_->find(name, dwarf::Entry::enumerator))
      return static_cast<int64_t>(r.address);
    return std::nullopt;
  }
  std::optional<uint64_t> symbol(std::string_view name) const override {
    return symbols_ ? symbols_->address(name) : std::nullopt;
  }
  std::vector<std::string> data_names() const override {
    return symbols_ ? symbols_->data_names() : std::vector<std::string>{};
  }
  std::string_view module() const override { return layout_.module(); }
  std::optional<types::Section> section_at(uint64_t address) const override {
    return layout_.section_at(address);
  }
  std::vector<types::Section> code_sections() const override {
    std::vector<types::Section> sections;
    for (const types::Section& s : layout_.sections())
      if (s.code && !s.anchor.empty()) sections.push_back(s);
    return sections;
  }

 private:
  void open_image() const {
    std::string why_not;
    if (!image_ && !image_path_.empty()) image_ = Image::open(image_path_, why_not);
  }

  std::unique_ptr<dwarf::File> file_;
  std::unique_ptr<dwarf::Index> index_;
  std::filesystem::path debuginfo_;
  std::string key_;
  std::unique_ptr<Symbols> symbols_;
  std::filesystem::path image_path_;
  ModuleLayout layout_;  // of a module
  mutable std::unique_ptr<Image> image_;
  mutable std::optional<std::vector<uint64_t>> kprobe_blacklist_;
  // Types are made as they are asked for.
  mutable dwarf::Types types_;
  dwarf::Context context_;
};

// Addresses of another build would put probes into the middle of instructions.
std::optional<Opened> open_file(const std::filesystem::path& path, const std::string& build_id,
                                const char* whose, std::string& why_not) {
  Opened opened{std::make_unique<dwarf::File>(path), nullptr, path, {}};
  if (!opened.file->dwarf()) {
    why_not = fmt::format("{}: {}", path.string(), opened.file->error());
    return std::nullopt;
  }
  std::string its_id = opened.file->build_id();
  if (!its_id.empty() && !build_id.empty() && its_id != build_id) {
    why_not = fmt::format("{} belongs to another build: its build-id is {}, the {}'s is {}",
                          path.string(), its_id, whose, build_id);
    return std::nullopt;
  }
  opened.key = its_id.empty() ? file_key(path) : its_id;
  opened.index = dwarf::Index::open(path, "dwarf-" + opened.key, why_not);
  if (!opened.index) return std::nullopt;
  return opened;
}

}  // namespace

std::unique_ptr<types::Provider> open_dwarf(const std::filesystem::path& vmlinux,
                                            const Target& target, std::string& why_not) {
  auto opened = open_file(vmlinux, target.build_id, "kernel", why_not);
  if (!opened) return nullptr;
  std::string no_symbols;
  return std::make_unique<DwarfProvider>(std::move(*opened), Symbols::open(target, no_symbols),
                                         target.vmlinux);
}

std::unique_ptr<types::Provider> open_module_dwarf(const std::filesystem::path& file,
                                                   const std::string& module,
                                                   const std::string& build_id,
                                                   std::string& why_not) {
  auto opened = open_file(file, build_id, "module", why_not);
  if (!opened) return nullptr;
  Elf* elf = opened->file->elf();
  return std::make_unique<DwarfProvider>(std::move(*opened), Symbols::of_module(elf),
                                         std::filesystem::path(),
                                         fmt::format("module '{}'", module),
                                         ModuleLayout(module, elf));
}

std::unique_ptr<types::Provider> open_dwarf_of_program(const std::filesystem::path& debuginfo,
                                                       const std::filesystem::path& program,
                                                       const std::string& whole,
                                                       std::string& why_not) {
  auto file = std::make_unique<dwarf::File>(debuginfo);
  if (!file->dwarf()) {
    why_not = fmt::format("{}: {}", debuginfo.string(), file->error());
    return nullptr;
  }
  if (program != debuginfo) file->take_frames_of(program);
  std::string build_id = file->build_id();
  // A build-id is of a program, not of the .dwo files that may be there or not.
  auto key = "dwarf-" + (build_id.empty() ? file_key(debuginfo) : build_id) +
             (file->parts().extent() ? fmt::format("-{:x}", file->parts().extent()) : "");
  Opened opened{std::move(file), nullptr, debuginfo, key.substr(std::strlen("dwarf-"))};
  opened.index = dwarf::Index::open(debuginfo, key, why_not);
  if (!opened.index) {
    for (const auto& name : opened.file->parts().missing()) why_not += "; " + name;
    return nullptr;
  }
  Target target;
  target.debuginfo = debuginfo;
  return std::make_unique<DwarfProvider>(std::move(opened), Symbols::open(target, why_not), "", whole);
}

}  // namespace stp
