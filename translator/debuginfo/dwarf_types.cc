// A type is made when something asks for it, and what it points at when that is asked for: a
// pointer's target is resolved one level at a time only as far as members() leads.
#include "debuginfo/dwarf_types.h"

#include <dwarf.h>
#include <fmt/format.h>

#include <algorithm>

#include "debuginfo/dwarf_entry.h"
#include "support/diagnostics.h"

namespace stp::dwarf {
namespace {

using types::Answer;
using types::Kind;
using types::Lack;
using types::Type;

constexpr int deepest = 64;

Kind kind_of(int tag, Dwarf_Die& die) {
  Dwarf_Attribute attribute;
  Dwarf_Word encoding = 0;
  switch (tag) {
    case DW_TAG_base_type:
      dwarf_formudata(dwarf_attr(&die, DW_AT_encoding, &attribute), &encoding);
      if (encoding == DW_ATE_boolean) return Kind::boolean;
      if (encoding == DW_ATE_signed_char || encoding == DW_ATE_unsigned_char)
        return Kind::character;
      return encoding == DW_ATE_float ? Kind::floating : Kind::integer;
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
      return Kind::structure;
    case DW_TAG_union_type:
      return Kind::union_type;
    case DW_TAG_enumeration_type:
      return Kind::enumeration;
    case DW_TAG_pointer_type:
    case DW_TAG_reference_type:
    case DW_TAG_rvalue_reference_type:
      return Kind::pointer;
    case DW_TAG_typedef:
      return Kind::type_alias;
    case DW_TAG_subroutine_type:
    case DW_TAG_subprogram:
      return Kind::function;
    case DW_TAG_const_type:
    case DW_TAG_volatile_type:
    case DW_TAG_restrict_type:
    case DW_TAG_atomic_type:
      return Kind::qualifier;
    default:
      return Kind::void_type;
  }
}

bool is_signed(Dwarf_Die& die, Kind kind) {
  uint64_t encoding = number(die, DW_AT_encoding).value_or(0);
  if (kind == Kind::enumeration) {
    // Signed when an enumerator is negative.
    return !each_child(die, [](Dwarf_Die& child) {
      Dwarf_Attribute attribute;
      bool is_unsigned = dwarf_attr(&child, DW_AT_const_value, &attribute) &&
                         dwarf_whatform(&attribute) == DW_FORM_udata;
      return is_unsigned || signed_number(child, DW_AT_const_value).value_or(0) >= 0;
    });
  }
  return encoding == DW_ATE_signed || encoding == DW_ATE_signed_char;
}

// DWARF 3 and older give an expression that adds to the structure's address.
uint64_t member_offset(Dwarf_Die& member) {
  if (auto offset = number(member, DW_AT_data_member_location)) return *offset;
  Dwarf_Attribute attribute;
  Dwarf_Op* ops = nullptr;
  size_t count = 0;
  if (dwarf_attr(&member, DW_AT_data_member_location, &attribute) &&
      dwarf_getlocation(&attribute, &ops, &count) == 0 && count == 1 &&
      ops[0].atom == DW_OP_plus_uconst)
    return ops[0].number;
  return 0;
}

// Where in a class' table of virtual functions the place of a virtual base is. Both compilers write it
// as: the object's address, plus what is there in the table that the object begins with.
std::optional<int64_t> virtual_base_entry(Dwarf_Die& inheritance) {
  Dwarf_Attribute attribute;
  Dwarf_Op* ops = nullptr;
  size_t count = 0;
  if (!dwarf_attr(&inheritance, DW_AT_data_member_location, &attribute) ||
      dwarf_getlocation(&attribute, &ops, &count) != 0 || count != 6 || ops[0].atom != DW_OP_dup ||
      ops[1].atom != DW_OP_deref || ops[3].atom != DW_OP_minus || ops[4].atom != DW_OP_deref ||
      ops[5].atom != DW_OP_plus)
    return std::nullopt;
  uint8_t atom = ops[2].atom;
  bool literal = atom >= DW_OP_lit0 && atom <= DW_OP_lit31;
  if (!literal && (atom < DW_OP_const1u || atom > DW_OP_consts)) return std::nullopt;
  return -static_cast<int64_t>(literal ? atom - DW_OP_lit0 : ops[2].number);
}

void place_bits(Dwarf_Die& member, uint64_t bits, types::Member& m) {
  const Type* unit = types::strip(m.type);
  // No wider than the widest integer, whatever damaged files say.
  uint64_t size = unit && unit->size && unit->size <= 16 ? unit->size : 4, first = 0;
  if (auto from_start = number(member, DW_AT_data_bit_offset))
    first = *from_start;
  else  // before DWARF 4: counted from the unit's most significant bit
    first = m.offset * 8 + size * 8 - number(member, DW_AT_bit_offset).value_or(0) - bits;
  m.offset = first / (size * 8) * size;
  m.bit_offset = static_cast<uint8_t>(first - m.offset * 8);
  m.bit_size = static_cast<uint8_t>(std::min<uint64_t>(bits, size * 8));
}

// Rust's enumerations are structures of which one part at a time is there (DWARF5 5.7.10): each is a
// member, as those of unions are. Which one is there is said by a member without a name.
template <typename Use>
void each_member(Dwarf_Die& type, Use use) {
  each_child(type, [&](Dwarf_Die& child) {
    if (dwarf_tag(&child) != DW_TAG_variant_part) return use(child);
    each_child(child, [&](Dwarf_Die& variant) {
      if (dwarf_tag(&variant) == DW_TAG_variant) each_child(variant, use);
    });
  });
}

}  // namespace

Type* Types::make(Kind kind) {
  owned_.push_back(std::make_unique<Type>());
  owned_.back()->kind = kind;
  owned_.back()->home = home_;
  return owned_.back().get();
}

const Type* Types::pointer_to(const Type* target) {
  Type* pointer = make(Kind::pointer);
  pointer->size = 8;
  pointer->of = target;
  return pointer;
}

const Type* Types::array(Dwarf_Die& die, int depth) {
  const Type* type = of_attribute(die, depth + 1);
  std::vector<std::optional<uint64_t>> counts;
  each_child(die, [&](Dwarf_Die& child) {
    if (dwarf_tag(&child) != DW_TAG_subrange_type) return;
    auto count = number(child, DW_AT_count), upper = number(child, DW_AT_upper_bound);
    if (!count && upper && *upper != ~0ull) count = *upper + 1;
    counts.push_back(count);
  });
  if (counts.empty()) counts.emplace_back();
  // int a[2][3] is two arrays of three.
  for (auto count = counts.rbegin(); count != counts.rend(); ++count) {
    Type* array = make(Kind::array);
    const Type* element = types::strip(type);
    array->of = type;
    array->count = *count;
    array->size = (element ? element->size : 0) * count->value_or(0);
    type = array;
  }
  return type;
}

const Type* Types::of_die(Dwarf_Die& die, int depth) {
  Dwarf_Off offset = file_.number_of(die);
  if (auto known = known_.find(offset); known != known_.end()) return known->second;
  if (depth > deepest) return nullptr;
  int tag = dwarf_tag(&die);
  if (tag == DW_TAG_array_type) return known_[offset] = array(die, depth);
  bool declaration = is_declaration(die);
  Dwarf_Die whole;
  if (declaration && file_.parts().signed_type(die, whole)) return known_[offset] = of_die(whole, depth + 1);
  if (declaration && dwarf_diename(&die)) {
    // Declared here, defined elsewhere.
    for (const Record& r : index_.find(dwarf_diename(&die), Entry::type)) {
      Dwarf_Die definition;
      if (file_.entry(r.die, definition) && dwarf_tag(&definition) == tag)
        return known_[offset] = of_die(definition, depth + 1);
    }
    Type* forward = make(Kind::forward);
    forward->name = dwarf_diename(&die);
    return known_[offset] = forward;
  }
  Type* type = make(kind_of(tag, die));
  // Known before what it leads to is made: a structure may lead back to itself.
  known_[offset] = type;
  type->handle = offset;
  if (const char* name = dwarf_diename(&die)) type->name = name;
  type->size = number(die, DW_AT_byte_size).value_or(type->kind == Kind::pointer ? 8 : 0);
  type->is_signed = is_signed(die, type->kind);
  type->by_reference = number(die, DW_AT_calling_convention) == uint64_t{DW_CC_pass_by_reference};
  type->reference = tag == DW_TAG_reference_type ? 1 : tag == DW_TAG_rvalue_reference_type ? 2 : 0;
  switch (type->kind) {
    case Kind::pointer:
    case Kind::type_alias:
    case Kind::qualifier:
    case Kind::function:
      type->of = of_attribute(die, depth + 1);
      break;
    default:
      break;
  }
  return type;
}

const Type* Types::of_attribute(Dwarf_Die& die, int depth) {
  Dwarf_Attribute attribute;
  Dwarf_Die type;
  if (!dwarf_attr_integrate(&die, DW_AT_type, &attribute) ||
      (!file_.parts().signed_type(attribute, type) && !dwarf_formref_die(&attribute, &type)))
    return nullptr;
  return of_die(type, depth);
}

Answer<const Type*> Types::named(std::string_view spelling) {
  std::string text(spelling);
  int pointers = 0;
  while (!text.empty() && (text.back() == '*' || text.back() == ' ')) {
    pointers += text.back() == '*';
    text.pop_back();
  }
  int tag = 0;
  const std::pair<const char*, int> keywords[] = {{"struct ", DW_TAG_structure_type},
                                                  {"union ", DW_TAG_union_type},
                                                  {"enum ", DW_TAG_enumeration_type}};
  for (const auto& [word, its_tag] : keywords)
    if (text.starts_with(word)) {
      tag = its_tag;
      text.erase(0, std::string_view(word).size());
    }
  auto fits = [tag](const Record& r) {
    auto its_tag = static_cast<int>(r.detail);
    return tag ? its_tag == tag : its_tag == DW_TAG_typedef || its_tag == DW_TAG_base_type;
  };
  const Type* type = nullptr;
  bool found = text == "void" && !tag && pointers > 0;
  for (const Record& r : index_.find(text, Entry::type)) {
    Dwarf_Die die;
    if (!fits(r) || !file_.entry(r.die, die)) continue;
    type = of_die(die);
    found = true;
    break;
  }
  if (!found) {
    auto near = [this, text, fits] {
      std::vector<std::string> names;
      for (size_t i = 0; i < index_.names(); ++i)
        for (const Record& r : index_.records(i))
          if (r.kind() == Entry::type && fits(r)) names.emplace_back(index_.name(i));
      return nearest(text, names);
    };
    return Lack{Lack::Kind::not_found, fmt::format("there is no type '{}'", spelling), near};
  }
  while (pointers-- > 0) type = pointer_to(type);
  return type;
}

std::vector<types::Member> Types::members(const Type& type) {
  std::vector<types::Member> members;
  size_t bases = 0;
  Dwarf_Die die;
  if ((type.kind != Kind::structure && type.kind != Kind::union_type) ||
      !file_.entry(type.handle, die))
    return members;
  each_member(die, [&](Dwarf_Die& child) {
    // What a base class has shows through, as do the members of an anonymous structure.
    bool base = dwarf_tag(&child) == DW_TAG_inheritance;
    bool is_virtual = base && number(child, DW_AT_virtuality).value_or(0) != 0;
    auto entry = is_virtual ? virtual_base_entry(child) : std::nullopt;
    if (base ? is_virtual && !entry : dwarf_tag(&child) != DW_TAG_member || flag(child, DW_AT_external))
      return;
    types::Member m;
    if (!base) m.name = name_of(child);
    m.type = of_attribute(child);
    if (entry)
      m.through.push_back({0, *entry});
    else
      m.offset = member_offset(child);
    if (auto bits = number(child, DW_AT_bit_size)) place_bits(child, *bits, m);
    bases += base;
    members.push_back(std::move(m));
  });
  // A member of the class hides one of the same name in its base: it has to be found first.
  if (bases) std::stable_partition(members.begin(), members.end(), [](const auto& m) { return !m.name.empty(); });
  return members;
}

std::vector<types::Enumerator> Types::enumerators(const Type& type) {
  std::vector<types::Enumerator> list;
  Dwarf_Die die;
  if (type.kind != Kind::enumeration || !file_.entry(type.handle, die)) return list;
  each_child(die, [&](Dwarf_Die& child) {
    auto value = signed_number(child, DW_AT_const_value);
    std::string_view name = name_of(child);
    if (dwarf_tag(&child) == DW_TAG_enumerator && !name.empty() && value)
      list.push_back({std::string(name), *value});
  });
  return list;
}

}  // namespace stp::dwarf
