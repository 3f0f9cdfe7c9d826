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
  f.point.number2 *= static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(length)));
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
