// Tracepoints, from BTF alone.
//
// DECLARE_TRACE (include/linux/tracepoint.h) makes for each tracepoint NAME a function
//   int __traceiter_NAME(void *__data, PROTO)
// whose parameters bear the names that the tracepoint was declared with, and, for BPF, a type
//   typedef void (*btf_trace_NAME)(void *__data, PROTO)
// whose parameters BTF keeps without names. The first is used; the second covers kernels whose
// BTF lacks some of the first (pahole leaves out functions that it finds optimised).
//
// The system ("sched" of sched_switch) is no property of a tracepoint but of the trace event made
// from it: event_NAME is a struct trace_event_call, its class names the system. Both are
// initialised data, so the image holds them; BTF gives the members' offsets.

#include "debuginfo/btf_tracepoints.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>

#include "debuginfo/glob.h"

namespace stp {
namespace {

using types::Tracepoint;

constexpr std::string_view function_prefix = "__traceiter_", typedef_prefix = "btf_trace_";

// FUNC_PROTO of each tracepoint that matches.
std::map<std::string, uint32_t> prototypes(const BtfFile& file, std::string_view glob) {
  std::map<std::string, uint32_t> found;
  Glob wanted(glob);
  auto add = [&](std::string_view name, std::string_view prefix, uint32_t prototype) {
    if (!name.starts_with(prefix)) return;
    name.remove_prefix(prefix.size());
    if (wanted.matches(name)) found.emplace(name, prototype);
  };
  file.each(BTF_KIND_FUNC,
            [&](uint32_t, const btf_type& t) { add(file.name(t), function_prefix, t.type); });
  file.each(BTF_KIND_TYPEDEF, [&](uint32_t id, const btf_type& t) {
    if (id < file.first_own()) return;  // a module continues the BTF of its kernel
    const btf_type& pointer = file.type(t.type);
    if (btf_is_ptr(&pointer)) add(file.name(t), typedef_prefix, pointer.type);
  });
  return found;
}

std::optional<uint64_t> offset_of(const BtfFile& file, BtfTypes& types, std::string_view structure,
                                  std::string_view member) {
  for (uint32_t id : file.find(structure, BTF_KIND_STRUCT))
    for (const auto& m : types.members(*types.get(id)))
      if (m.name == member) return m.offset;
  return std::nullopt;
}

class Systems {
 public:
  Systems(const BtfFile& file, BtfTypes& types, const Image* image, const Symbols* symbols)
      : image_(image), symbols_(symbols) {
    if (!image || !symbols) return;
    class_ = offset_of(file, types, "trace_event_call", "class");
    system_ = offset_of(file, types, "trace_event_class", "system");
  }

  std::string of(const std::string& tracepoint) const {
    if (!class_ || !system_) return {};
    auto event = symbols_->address("event_" + tracepoint);
    auto event_class = event ? image_->read<uint64_t>(*event + *class_) : std::nullopt;
    auto text = event_class ? image_->read<uint64_t>(*event_class + *system_) : std::nullopt;
    return text ? std::string(image_->string_at(*text)) : std::string{};
  }

 private:
  const Image* image_;
  const Symbols* symbols_;
  std::optional<uint64_t> class_, system_;
};

}  // namespace

std::vector<Tracepoint> read_tracepoints(const BtfFile& file, BtfTypes& types, const Image* image,
                                         const Symbols* symbols, std::string_view glob) {
  std::vector<Tracepoint> tracepoints;
  auto found = prototypes(file, glob);
  if (found.empty()) return tracepoints;
  Systems systems(file, types, image, symbols);
  for (const auto& [name, id] : found) {
    Tracepoint tracepoint{name, systems.of(name), {}};
    auto params = types.prototype(id).params;
    if (!params.empty()) params.erase(params.begin());  // __data
    for (size_t i = 0; i < params.size(); ++i)
      if (params[i].name.empty()) params[i].name = fmt::format("arg{}", i + 1);
    tracepoint.params = std::move(params);
    tracepoints.push_back(std::move(tracepoint));
  }
  return tracepoints;
}

}  // namespace stp
