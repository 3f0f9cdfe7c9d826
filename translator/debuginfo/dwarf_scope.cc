// A function is a tree of blocks. What can be seen at an address: the parameters, then the
// variables of each block around it, from the inside out; an inner name hides an outer one.
//
// A copy or clone says of its variables only what differs; the compiler leaves out those that it
// has optimised away, so the abstract function is looked at for names that have no value.
//
// At the first instruction the calling convention tells of parameters that DWARF does not describe,
// or describes only for what comes after the prologue.
// That does not hold for clones, whose parameters the compiler has rearranged (".isra", ".part",
// ".constprop").
#include "debuginfo/dwarf_scope.h"

#include <dwarf.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "debuginfo/dwarf_entry.h"
#include "debuginfo/dwarf_functions.h"
#include "debuginfo/dwarf_location.h"
#include "debuginfo/dwarf_units.h"
#include "support/diagnostics.h"
#include "types/calling_convention.h"

namespace stp::dwarf {
namespace {

using types::Answer;
using types::Lack;
using types::Place;
using types::Type;
using types::Variable;

struct Seen {
  Dwarf_Die die;
  std::string name;
  bool parameter;
};

class Visible {
 public:
  Visible(const Context& context, const Place& place) {
    Dwarf_Die die;
    if (!own_entry(context, place.function, die)) return;
    uint64_t pc = place.address ? place.address : place.function.address;
    block(die, pc, 0);
    // What was optimised out entirely is in the abstract function alone.
    Dwarf_Die origin = definition_of(die);
    if (origin.addr != die.addr) own_of(origin);
    std::stable_partition(seen_.begin(), seen_.end(), [](const Seen& s) { return s.parameter; });
  }
  std::vector<Seen> take() && { return std::move(seen_); }

 private:
  void block(Dwarf_Die& parent, uint64_t pc, int depth) {
    if (depth > 200) return;
    each_child(parent, [&](Dwarf_Die& child) {
      if (dwarf_tag(&child) == DW_TAG_lexical_block && dwarf_haspc(&child, pc) == 1)
        block(child, pc, depth + 1);
    });
    own_of(parent);
  }
  void own_of(Dwarf_Die& parent) {
    each_child(parent, [&](Dwarf_Die& child) {
      int tag = dwarf_tag(&child);
      if (tag != DW_TAG_formal_parameter && tag != DW_TAG_variable) return;
      std::string name(name_of(child));
      if (name.empty() || !names_.insert(name).second) return;
      seen_.push_back({child, std::move(name), tag == DW_TAG_formal_parameter});
    });
  }

  std::vector<Seen> seen_;
  std::set<std::string> names_;
};

bool is_clone(const types::Function& f) {
  return f.symbol.size() > f.name.size() && f.symbol.starts_with(f.name) &&
         f.symbol[f.name.size()] == '.';
}

Answer<types::Location> by_convention(const Context& context, const types::Provider& provider,
                                      Dwarf_Die& function, std::string_view name) {
  std::vector<const Type*> params;
  size_t wanted = SIZE_MAX;
  for (const auto& param : parameters_of(context, function)) {
    if (param.name == name) wanted = params.size();
    params.push_back(param.type);
  }
  auto all = types::entry_arguments(provider, params, context.types.of_attribute(function));
  if (wanted < all.size()) return all[wanted];
  return Lack{Lack::Kind::no_value, "it was optimised out", {}};
}

// Not a list that tells of each instruction: compilers that do not optimise describe where the
// variable is after the prologue has stored it.
bool has_one_place(Dwarf_Die& variable) {
  Dwarf_Attribute attribute;
  Dwarf_Block block;
  return dwarf_attr_integrate(&variable, DW_AT_location, &attribute) &&
         dwarf_formblock(&attribute, &block) == 0;
}

// A part is without a place, or not mentioned at all.
bool has_lost_a_part(const types::Location& location, const Type* type) {
  if (location.pieces.empty()) return false;
  const Type* bare = types::strip(type);
  uint64_t bits = 0;
  for (const auto& piece : location.pieces) bits += piece.value ? piece.bits : 0;
  return bare && bits < bare->size * 8;
}

Answer<types::Location> locate(const Context& context, const types::Provider& provider,
                               const Place& place, Seen& variable) {
  Dwarf_Die function, frame;
  bool at_entry = place.at_entry && !place.function.inlined;
  bool has_frame = outer_entry(context, place.function, frame);
  CodePlace at{context.file, has_frame ? &frame : nullptr,
               place.address ? place.address : place.function.address, at_entry,
               place.at_entry, 0, &context.calls};
  auto location = location_of(variable.die, at);
  bool by_abi = variable.parameter && at_entry && !is_clone(place.function) &&
                own_entry(context, place.function, function);
  auto* found = types::get(location);
  if (found && !(by_abi && (has_one_place(variable.die) || has_lost_a_part(
                              *found, context.types.of_attribute(variable.die)))))
    return location;
  // A declaration inside the function: it means the global of that name.
  if (!variable.parameter && flag(variable.die, DW_AT_declaration)) {
    auto global = global_variable(context, variable.name, "");
    if (auto* there = types::get(global)) return there->location;
  }
  if (!by_abi) return location;
  auto convention = by_convention(context, provider, function, variable.name);
  return types::get(convention) ? convention : location;
}

}  // namespace

std::vector<types::Param> parameters_of(const Context& context, Dwarf_Die function) {
  Dwarf_Die origin = definition_of(function);
  std::vector<types::Param> params;
  each_child(origin, [&](Dwarf_Die& child) {
    if (dwarf_tag(&child) == DW_TAG_formal_parameter)
      params.push_back({std::string(name_of(child)), context.types.of_attribute(child)});
  });
  return params;
}

std::vector<Variable> variables_at(const Context& context, const types::Provider& provider,
                                   const Place& place) {
  std::vector<Variable> found;
  for (Seen& seen : Visible(context, place).take()) {
    Variable v{seen.name, context.types.of_attribute(seen.die), {}, seen.parameter};
    auto location = locate(context, provider, place, seen);
    if (auto* where = types::get(location)) v.location = *where;
    found.push_back(std::move(v));
  }
  return found;
}

Answer<Variable> variable_at(const Context& context, const types::Provider& provider,
                             const Place& place, std::string_view name) {
  std::vector<std::string> names;
  for (Seen& seen : Visible(context, place).take()) {
    if (seen.name != name) {
      names.push_back(seen.name);
      continue;
    }
    auto location = locate(context, provider, place, seen);
    auto* where = types::get(location);
    if (!where) return types::lack(location);
    return Variable{seen.name, context.types.of_attribute(seen.die), *where, seen.parameter};
  }
  return Lack{Lack::Kind::not_found,
              fmt::format("{}() has no variable '${}' here", place.function.name, name),
              types::near_among(name, std::move(names))};
}

Answer<Variable> return_value_of(const Context& context, const types::Provider& provider,
                                 const types::Function& f) {
  Dwarf_Die die;
  if (!own_entry(context, f, die))
    return Lack{Lack::Kind::no_value, fmt::format("nothing is known of {}()'s result", f.name), {}};
  const Type* type = context.types.of_attribute(die);
  if (!types::strip(type))
    return Lack{Lack::Kind::not_found, fmt::format("{}() returns nothing", f.name), {}};
  auto location = types::return_location(provider, *type);
  auto* where = types::get(location);
  if (!where) return types::lack(location);
  return Variable{"return", type, *where, false};
}

namespace {

// Whether a source file that `pattern` names, not a header of it, has a declaration of the variable:
// @var's file may be one that only uses what another defines (stapprobes(3stap), "TYPECASTING"). The
// index keeps one declaration of each.
bool is_declared_in(const Context& context, const Glob& pattern, std::string_view name) {
  bool found = false;
  each_unit(context.file, [&](size_t, Dwarf_Die& unit) {
    Dwarf_Attribute attribute;
    const char* folder = dwarf_formstring(dwarf_attr(&unit, DW_AT_comp_dir, &attribute));
    if (found || !file_matches(pattern, shown_path(name_of(unit), folder ? folder : ""))) return;
    each_child(unit, [&](Dwarf_Die& child) {
      found |= dwarf_tag(&child) == DW_TAG_variable && name_of(child) == name;
    });
  });
  return found;
}

bool is_external(Dwarf_Die& die) {
  Dwarf_Attribute attribute;
  bool external = false;
  dwarf_formflag(dwarf_attr_integrate(&die, DW_AT_external, &attribute), &external);
  return external;
}

}  // namespace

Answer<Variable> global_variable(const Context& context, std::string_view name,
                                 std::string_view file) {
  Glob pattern(file);
  std::optional<Lack> why_not;
  Dwarf_Die die;
  // Where it is defined; else where another file's is used.
  for (bool defined : {true, false})
    for (const Record& r : context.index.find(name, Entry::variable)) {
      bool here = file.empty() || file_matches(pattern, context.index.text(r.file));
      if (here != defined || !context.file.entry(r.die, die)) continue;
      if (!defined && !(is_external(die) && is_declared_in(context, pattern, name))) continue;
      auto location = location_of(die, {context.file, nullptr, 0, false});
      if (auto* where = types::get(location))
        return Variable{std::string(name), context.types.of_attribute(die), *where, false};
      why_not = types::lack(location);
    }
  // The linker or assembler defines it; DWARF knows the type.
  for (const Record& r : context.index.find(name, Entry::declared)) {
    auto address = context.symbols ? context.symbols->address(name) : std::nullopt;
    if (!address || !context.file.entry(r.die, die)) continue;
    if (!file.empty() && !file_matches(pattern, context.index.text(r.file)) &&
        !is_declared_in(context, pattern, name))
      continue;
    return Variable{std::string(name),
                    context.types.of_attribute(die),
                    {types::Location::Kind::memory, types::loc_address(*address), {}},
                    false};
  }
  if (why_not) return *why_not;
  std::string where = file.empty() ? "" : fmt::format(" in '{}'", file);
  return Lack{Lack::Kind::not_found,
              fmt::format("{} has no global variable '{}'{}", context.whole, name, where),
              [&context, name = std::string(name)] {
                return nearest(name, context.index.names_of(Entry::variable));
              }};
}

}  // namespace stp::dwarf
