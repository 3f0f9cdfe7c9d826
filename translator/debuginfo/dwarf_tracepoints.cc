// DECLARE_TRACE (include/linux/tracepoint.h) makes for each tracepoint NAME a function
//   int __traceiter_NAME(void *__data, PROTO)
// with the parameters as they were declared; the first is the iterator's own.
//
// The system ("sched" of sched_switch) belongs to the trace event made from the tracepoint:
// event_NAME is a struct trace_event_call, whose class names it. Debuginfo has no data, the image
// has. Without an image, the header that declares the tracepoint tells: events/sched.h.
#include "debuginfo/dwarf_tracepoints.h"

#include <fmt/format.h>

#include <optional>

#include "debuginfo/dwarf_scope.h"
#include "debuginfo/glob.h"

namespace stp::dwarf {
namespace {

constexpr std::string_view prefix = "__traceiter_";

std::optional<uint64_t> offset_of(const types::Provider& provider, const char* structure,
                                  const char* member) {
  auto type = provider.type(structure);
  if (!types::get(type)) return std::nullopt;
  auto found = types::find_member(provider, **types::get(type), member);
  if (auto* m = types::get(found)) return m->offset;
  return std::nullopt;
}

class Systems {
 public:
  Systems(const types::Provider& provider, const Image* image)
      : provider_(provider), image_(image) {
    if (!image) return;
    class_ = offset_of(provider, "struct trace_event_call", "class");
    system_ = offset_of(provider, "struct trace_event_class", "system");
  }

  std::string of(std::string_view tracepoint, std::string_view file) const {
    if (class_ && system_)
      if (auto event = provider_.symbol(fmt::format("event_{}", tracepoint))) {
        auto its_class = image_->read<uint64_t>(*event + *class_);
        auto text = its_class ? image_->read<uint64_t>(*its_class + *system_) : std::nullopt;
        if (text) return std::string(image_->string_at(*text));
      }
    constexpr std::string_view events = "trace/events/";
    size_t at = file.find(events);
    if (at == file.npos || !file.ends_with(".h")) return {};
    file.remove_prefix(at + events.size());
    return std::string(file.substr(0, file.size() - 2));
  }

 private:
  const types::Provider& provider_;
  const Image* image_;
  std::optional<uint64_t> class_, system_;
};

}  // namespace

std::vector<types::Tracepoint> find_tracepoints(const Context& c, const types::Provider& provider,
                                                const Image* image, std::string_view glob) {
  std::vector<types::Tracepoint> found;
  Glob wanted(glob);
  Systems systems(provider, image);
  for (size_t i = c.index.lower_bound(prefix); i < c.index.names(); ++i) {
    std::string_view name = c.index.name(i);
    if (!name.starts_with(prefix)) break;
    name.remove_prefix(prefix.size());
    if (!wanted.matches(name)) continue;
    auto records = c.index.records(i);
    Dwarf_Die die;
    if (records.empty() || records[0].kind() != Entry::function ||
        !c.file.entry(records[0].die, die))
      continue;
    auto params = parameters_of(c, die);
    if (!params.empty()) params.erase(params.begin());
    for (size_t p = 0; p < params.size(); ++p)
      if (params[p].name.empty()) params[p].name = fmt::format("arg{}", p + 1);
    found.push_back(
        {std::string(name), systems.of(name, c.index.text(records[0].file)), std::move(params)});
  }
  return found;
}

}  // namespace stp::dwarf
