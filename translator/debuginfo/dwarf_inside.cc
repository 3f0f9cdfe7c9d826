// Calls are known where the compiler describes call sites (DW_TAG_call_site, of optimised code) or
// has copied the callee into its caller; calls through pointers name nobody.
#include "debuginfo/dwarf_inside.h"

#include <dwarf.h>

#include <set>

#include "debuginfo/dwarf_entry.h"
#include "debuginfo/dwarf_functions.h"

namespace stp::dwarf {
namespace {

using types::Function;
using types::Statement;

constexpr int deepest = 200;

template <typename Use>
void each_inside(Dwarf_Die& parent, int depth, Use& use) {
  if (depth > deepest) return;
  each_child(parent, [&](Dwarf_Die& child) {
    int tag = dwarf_tag(&child);
    use(child, tag);
    if (tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine)
      each_inside(child, depth + 1, use);
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
  each_inside(die, 0, use);
  return found;
}

std::vector<Function> callees_of(const Context& context, const Function& f) {
  std::vector<Function> found;
  Dwarf_Die die;
  if (!own_entry(context, f, die)) return found;
  std::set<std::string> names;
  std::set<Dwarf_Off> copies;
  auto use = [&](Dwarf_Die& child, int tag) {
    if (tag == DW_TAG_inlined_subroutine) copies.insert(context.file.number_of(child));
    if (tag == DW_TAG_inlined_subroutine) names.insert(std::string(name_of(child)));
    if (tag != DW_TAG_call_site && tag != DW_TAG_GNU_call_site) return;
    auto callee = reference(child, DW_AT_call_origin);
    if (!callee) callee = reference(child, DW_AT_abstract_origin);
    if (callee) names.insert(std::string(name_of(*callee)));
  };
  each_inside(die, 0, use);
  for (const std::string& name : names)
    for (Function& callee : find_functions(context, {name, "", true}))
      // Of inlined functions only the copies that are in this one.
      if (!callee.inlined || copies.count(static_cast<uint32_t>(callee.handle)))
        found.push_back(std::move(callee));
  return found;
}

}  // namespace stp::dwarf
