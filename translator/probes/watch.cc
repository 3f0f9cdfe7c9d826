// kernel.data("symbol") and kernel.data(ADDRESS) with .write or .rw, and .length(N) before: whoever
// touches memory. The processor's debug registers tell, of which there are four; x86 has none for
// reads alone.
#include <fmt/format.h>

#include <bit>

#include "probes/kind.h"

namespace stp::probes {
namespace {

constexpr int64_t widest = 8;

// How many bytes are watched of a variable: all, as far as a register reaches from its address.
int64_t width_of(const types::Provider& provider, const std::string& name, uint64_t address) {
  auto variable = provider.global(name, "");
  const types::Type* type = types::get(variable) ? types::strip(types::get(variable)->type) : nullptr;
  uint64_t size = type ? std::min<uint64_t>(type->size, widest) : 1;
  uint64_t width = std::bit_floor(std::max<uint64_t>(size, 1));
  while (address % width) width /= 2;
  return static_cast<int64_t>(width);
}

// Whether there is anything to watch at the address of a symbol; else an error says what is there.
bool is_data(const Request& request, const types::Provider& provider, const std::string& name, uint64_t address) {
  struct Part {
    const char *begin, *end, *what, *advice;
    bool reads;  // nor does a watchpoint for reads make sense
  };
  // The kernel's linker script (include/asm-generic/vmlinux.lds.h) names these. What changes code, ftrace say, does so
  // under another address.
  static constexpr Part parts[] = {
      {"__per_cpu_start", "__per_cpu_end", "a variable that each CPU has for itself (per-CPU)",
       "that of one CPU can be watched by its address", true},
      {"_stext", "_etext", "code; nothing writes there", "kernel.function(\"NAME\") probes a function's calls", false},
      {"__init_begin", "__init_end", "init code or data, which is freed after boot", "", true},
  };
  for (const Part& part : parts) {
    auto begin = provider.symbol(part.begin), end = provider.symbol(part.end);
    if (!begin || !end || address < *begin || address >= *end || (!part.reads && request.has("rw"))) continue;
    auto& error = request.diagnostics.error(Code::no_match, request.component("data").arg_span,
                                            fmt::format("'{}' is {}", name, part.what));
    if (*part.advice) error.note(part.advice);
    return false;
  }
  auto constants = provider.symbol("__start_rodata"), end = provider.symbol("__end_rodata");
  if (constants && end && address >= *constants && address < *end && !request.has("rw"))
    request.diagnostics.warning(Code::no_match, request.component("data").arg_span,
                                fmt::format("'{}' is read-only after boot: nothing will write there", name));
  return true;
}

// False, and an error, where no debug register can watch so many bytes.
bool can_be_address(const Request& request, uint64_t address, uint64_t width) {
  const Span& where = request.component("data").arg_span;
  // With five levels of page tables, the most that x86 has, bits from 56 on are alike (SDM volume 1, 3.3.7.1).
  uint64_t high = address >> 56;
  if (high != 0 && high != 0xff) {
    request.diagnostics.error(Code::bad_interval, where, fmt::format("{:#x} is no address of x86-64", address));
    return false;
  }
  if (address % width) {
    request.diagnostics.error(Code::bad_interval, where,
                              fmt::format("{:#x} is not a multiple of {}, the length", address, width));
    return false;
  }
  if (high == 0)
    request.diagnostics.warning(Code::bad_interval, where,
                                fmt::format("{:#x} is no address of the kernel: every program has its own memory "
                                            "there", address));
  return true;
}

void resolve(const Request& request, std::vector<Found>& found) {
  Found f{};
  f.point.kind = prog::PointKind::watch;
  f.point.name = spell(request.components);
  f.point.number2 = request.has("rw") ? -1 : 1;
  int64_t length = request.number("length").value_or(1);
  if (auto* name = request.text("data")) {
    const types::Provider* provider = request.provider();
    if (!provider) return;
    auto address = provider->symbol(*name);
    if (!address) {
      auto& error = request.diagnostics.error(Code::no_match, request.component("data").arg_span,
                                              fmt::format("the kernel has no variable '{}'", *name));
      if (!request.diagnostics.suggests()) return;
      for (const auto& near : nearest(*name, provider->data_names()))
        error.note(fmt::format("did you mean '{}'?", near));
      return;
    }
    if (!is_data(request, *provider, *name, *address)) return;
    f.point.address = *address;
    f.point.symbol = *name;
    length = request.number("length").value_or(width_of(*provider, *name, *address));
  } else {
    // An address of the running kernel, wherever that was put.
    f.point.number = *request.number("data");
  }
  if (length < 1 || length > widest) {
    request.diagnostics.error(Code::bad_interval, request.component("length").arg_span,
                              fmt::format("length({}) is not between 1 and {}", length, widest));
    return;
  }
  uint64_t width = std::bit_ceil(static_cast<uint64_t>(length));
  if (f.point.symbol.empty() && !can_be_address(request, static_cast<uint64_t>(f.point.number), width)) return;
  f.point.number2 *= static_cast<int64_t>(width);
  found.push_back(std::move(f));
}

void refuse_read(const Request& request, std::vector<Found>&) {
  request.diagnostics
      .error(Code::unsupported, request.component("read").span,
             "x86 has no watchpoint that only reads trigger")
      .note("write .rw, which reads and writes trigger");
}

}  // namespace

std::span<const Kind> watch_kinds() {
  const Part kernel{"kernel"}, symbol{"data", Arg::string}, address{"data", Arg::number},
      length{"length", Arg::number};
  static const std::vector<Kind> table = {
      {{kernel, symbol, {"write"}}, resolve},          {{kernel, symbol, {"rw"}}, resolve},
      {{kernel, symbol, {"read"}}, refuse_read},       {{kernel, address, {"write"}}, resolve},
      {{kernel, address, {"rw"}}, resolve},            {{kernel, address, {"read"}}, refuse_read},
      {{kernel, symbol, length, {"write"}}, resolve},  {{kernel, symbol, length, {"rw"}}, resolve},
      {{kernel, symbol, length, {"read"}}, refuse_read},
      {{kernel, address, length, {"write"}}, resolve}, {{kernel, address, length, {"rw"}}, resolve},
      {{kernel, address, length, {"read"}}, refuse_read},
  };
  return table;
}

}  // namespace stp::probes
