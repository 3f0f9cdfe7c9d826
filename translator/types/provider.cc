// Members through anonymous structures and unions, whichever source they come from.
#include "types/provider.h"

#include <fmt/format.h>

#include "support/diagnostics.h"

namespace stp::types {
namespace {

// Deeper than any real nesting of anonymous members; damaged debug information may be circular.
constexpr int deepest = 16, most_structures = 10'000;

bool has_members(const Type* type) {
  return type && (type->kind == Kind::structure || type->kind == Kind::union_type);
}

std::optional<Member> search(const Provider& provider, const Type& type, std::string_view name,
                             std::vector<std::string>& names, int depth, int& structures) {
  if (++structures > most_structures) return std::nullopt;
  std::vector<Member> members = provider.members(type);
  for (const Member& member : members) {
    if (member.name == name) return member;
    if (!member.name.empty()) names.push_back(member.name);
  }
  for (const Member& member : members) {
    const Type* inner = strip(member.type);
    if (!member.name.empty() || !has_members(inner) || depth == deepest) continue;
    auto found = search(provider, *inner, name, names, depth + 1, structures);
    if (!found) continue;
    std::vector<VirtualBase> through = member.through;
    for (VirtualBase& base : found->through) through.push_back(base);
    (found->through.empty() ? found->offset : through[member.through.size()].offset) += member.offset;
    found->through = std::move(through);
    return found;
  }
  return std::nullopt;
}

}  // namespace

std::function<std::vector<std::string>()> near_among(std::string_view name, std::vector<std::string> names) {
  return [name = std::string(name), names = std::move(names)] { return nearest(name, names); };
}

Answer<Member> find_member(const Provider& provider, const Type& type, std::string_view name) {
  const Type* whole = strip(&type);
  if (!has_members(whole))
    return Lack{Lack::Kind::not_found, fmt::format("{} has no members", spell(&type)), {}};
  std::vector<std::string> names;
  int structures = 0;
  if (auto found = search(provider, *whole, name, names, 0, structures)) return *found;
  return Lack{Lack::Kind::not_found, fmt::format("{} has no member '{}'", spell(&type), name),
              near_among(name, std::move(names))};
}

}  // namespace stp::types
