// Calls are known where the compiler describes call sites (DW_TAG_call_site, of optimised code) or
// has copied the callee into its caller; calls through pointers name nobody.
#include "debuginfo/dwarf_inside.h"

#include <dwarf.h>

#include <algorithm>
#include <map>
#include <optional>

#include "debuginfo/dwarf_call_sites.h"
#include "debuginfo/dwarf_entry.h"
#include "debuginfo/dwarf_functions.h"

namespace stp::dwarf {
namespace {

using types::Call;
using types::Function;
using types::Statement;

constexpr int deepest = 200;

template <typename Use>
void each_inside(Dwarf_Die& parent, bool in_copies, int depth, Use& use) {
  if (depth > deepest) return;
  each_child(parent, [&](Dwarf_Die& child) {
    int tag = dwarf_tag(&child);
    use(child, tag);
    if (tag == DW_TAG_lexical_block || (in_copies && tag == DW_TAG_inlined_subroutine))
      each_inside(child, in_copies, depth + 1, use);
  });
}

}  // namespace

std::vector<Statement> labels_of(const Context& context, const Function& f) {
  std::vector<Statement> found;
  Dwarf_Die die;
  if (!own_entry(context, f, die)) return found;
  auto use = [&](Dwarf_Die& child, int tag) {
    Dwarf_Addr address = 0;
    if (tag != DW_TAG_label || dwarf_lowpc(&child, &address) != 0) return;
    Dwarf_Die origin = origin_of(child);
    Statement s{f, address, f.file, 0};
    s.line = declared_at(child);
    s.label = name_of(origin);
    found.push_back(std::move(s));
  };
  each_inside(die, true, 0, use);
  return found;
}

namespace {

bool same_unit(Dwarf_Die& a, Dwarf_Die& b) {
  Dwarf_Die unit_a, unit_b;
  return dwarf_diecu(&a, &unit_a, nullptr, nullptr) && dwarf_diecu(&b, &unit_b, nullptr, nullptr) &&
         dwarf_dieoffset(&unit_a) == dwarf_dieoffset(&unit_b);
}

// The functions that a call site's entry may mean: what it refers to or, of a declaration, what
// other units have under that name.
std::vector<Function> called(const Context& context, Dwarf_Die& origin) {
  auto found = find_functions(context, {std::string(name_of(origin)), "", false});
  Dwarf_Attribute attribute;
  const char* linkage =
      dwarf_formstring(dwarf_attr_integrate(&origin, DW_AT_linkage_name, &attribute));
  bool external = flag(origin, DW_AT_external);
  std::erase_if(found, [&](const Function& f) {
    if (linkage) return f.symbol != linkage;
    Dwarf_Die own;
    // What symbols alone know is in no unit.
    if (external || !own_entry(context, f, own)) return external && !f.is_global;
    return !same_unit(own, origin);
  });
  return found;
}

}  // namespace

std::vector<Call> calls_of(const Context& context, const Function& f) {
  std::vector<Call> found;
  Dwarf_Die die;
  if (!own_entry(context, f, die)) return found;
  std::map<uint64_t, size_t> known;  // by the callee's address
  auto add = [&](const Function& callee) -> Call& {
    auto [at, fresh] = known.emplace(callee.address, found.size());
    if (fresh) found.push_back({callee, {}});
    return found[at->second];
  };
  auto use = [&](Dwarf_Die& child, int tag) {
    if (tag == DW_TAG_inlined_subroutine) {
      auto number = static_cast<uint32_t>(context.file.number_of(child));
      for (const Function& copy : copies_at(context, name_of(child), number)) add(copy);
    }
    auto origin = is_call_site(tag) ? called_by(child) : std::nullopt;
    if (!origin) return;
    auto address = return_address(child, tag);
    for (const Function& callee : called(context, *origin)) {
      Call& call = add(callee);
      if (address) call.returns.push_back(*address);
    }
  };
  each_inside(die, false, 0, use);
  std::stable_sort(found.begin(), found.end(), [](const Call& a, const Call& b) {
    return a.callee.name != b.callee.name ? a.callee.name < b.callee.name
                                          : a.callee.address < b.callee.address;
  });
  return found;
}

}  // namespace stp::dwarf
