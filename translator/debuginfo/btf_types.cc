// From BTF (Documentation/bpf/btf.rst) to the common model of C types.
//
// A type is converted when it is asked for, together with what it points at, but a structure stops
// the walk: its members are converted by members(). So one lookup makes a handful of types of the
// hundred thousand.

#include "debuginfo/btf_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <string>

#include "support/diagnostics.h"

namespace stp {
namespace {

using types::Enumerator;
using types::Kind;
using types::Lack;
using types::Member;
using types::Type;

constexpr uint64_t pointer_size = 8;
constexpr int kind_enum64 = 19;  // BTF_KIND_ENUM64: in the kernel's headers since 6.0

// ---- spellings

// C writes an integer type's words in any order; DWARF and BTF in one.
std::string canonical_integer(const std::vector<std::string>& words) {
  std::map<std::string, int> count;
  for (const auto& word : words) ++count[word];
  int shorts = count["short"], longs = count["long"], ints = count["int"], chars = count["char"];
  int is_unsigned = count["unsigned"], is_signed = count["signed"];
  auto known = static_cast<size_t>(shorts + longs + ints + chars + is_unsigned + is_signed);
  if (known != words.size()) return {};
  if (chars) return is_unsigned ? "unsigned char" : is_signed ? "signed char" : "char";
  std::string text = longs == 2 ? "long long " : longs == 1 ? "long " : shorts ? "short " : "";
  return text + (is_unsigned ? "unsigned int" : "int");
}

struct Spelling {
  std::vector<std::string> words;  // without qualifiers
  int pointers = 0;
  bool good = true;
};

Spelling split(std::string_view text) {
  Spelling result;
  size_t i = 0;
  while (i < text.size()) {
    unsigned char c = static_cast<unsigned char>(text[i]);
    if (isspace(c)) {
      ++i;
    } else if (c == '*') {
      ++result.pointers, ++i;
    } else if (isalnum(c) || c == '_') {
      size_t start = i;
      while (i < text.size() && (isalnum(static_cast<unsigned char>(text[i])) || text[i] == '_'))
        ++i;
      std::string word(text.substr(start, i - start));
      if (word == "const" || word == "volatile") continue;
      if (result.pointers > 0) result.good = false;
      result.words.push_back(std::move(word));
    } else {
      result.good = false;
      ++i;
    }
  }
  result.good = result.good && !result.words.empty();
  return result;
}

std::optional<int> tag_kind(const std::string& word) {
  if (word == "struct") return BTF_KIND_STRUCT;
  if (word == "union") return BTF_KIND_UNION;
  if (word == "enum") return BTF_KIND_ENUM;
  return std::nullopt;
}

// ---- conversion

Type typed(Kind kind, uint32_t id) {
  Type type;
  type.kind = kind;
  type.handle = id;
  return type;
}

Kind integer_kind(std::string_view name, const btf_type& t) {
  if (btf_int_encoding(&t) & BTF_INT_BOOL) return Kind::boolean;
  // BTF marks characters only by their name.
  if (t.size == 1 && (name == "char" || name == "signed char" || name == "unsigned char"))
    return Kind::character;
  return Kind::integer;
}

// Brings a bit-field to the form that Member documents: `offset` aligned to the storage unit.
// Packed bit-fields can cross a unit; these count from their first byte.
void place_bits(Member& member, uint64_t bit, uint8_t bits, uint64_t unit) {
  unit = std::max<uint64_t>(unit, 1);
  member.bit_size = bits;
  member.offset = bit / (unit * 8) * unit;
  uint64_t within = bit - member.offset * 8;
  if (within + bits > unit * 8) {
    member.offset = bit / 8;
    within = bit % 8;
  }
  member.bit_offset = static_cast<uint8_t>(within);
}

}  // namespace

const Type* BtfTypes::get(uint32_t id) {
  if (id == 0 || id >= file_.count()) return nullptr;
  if (auto found = made_.find(id); found != made_.end()) return found->second;
  // A type tag ("user", "rcu") says nothing about the layout: the type behind it stands for it.
  if (const btf_type& t = file_.type(id); btf_kind(&t) == BTF_KIND_TYPE_TAG)
    return made_[id] = get(t.type);
  Type made = make(id);
  made.home = home_;
  owned_.push_back(std::move(made));
  return made_[id] = &owned_.back();
}

Type BtfTypes::make(uint32_t id) {
  const btf_type& t = file_.type(id);
  Type type = typed(Kind::void_type, id);
  type.name = file_.name(t);
  switch (btf_kind(&t)) {
    case BTF_KIND_INT:
      type.kind = integer_kind(type.name, t);
      type.size = t.size;
      type.is_signed = btf_int_encoding(&t) & BTF_INT_SIGNED;
      break;
    case BTF_KIND_FLOAT:
      type.kind = Kind::floating;
      type.size = t.size;
      type.is_signed = true;
      break;
    case BTF_KIND_PTR:
      type.kind = Kind::pointer;
      type.size = pointer_size;
      type.of = get(t.type);
      break;
    case BTF_KIND_ARRAY: {
      const struct btf_array* array = btf_array(&t);
      type.kind = Kind::array;
      type.of = get(array->type);
      // BTF does not tell `x[]` from `x[0]`; kernels mean the first by both.
      if (array->nelems > 0) type.count = array->nelems;
      type.size = type.of ? type.of->size * array->nelems : 0;
      break;
    }
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
      type.kind = btf_is_struct(&t) ? Kind::structure : Kind::union_type;
      type.size = t.size;
      break;
    case BTF_KIND_ENUM:
    case kind_enum64:
      type.kind = Kind::enumeration;
      type.size = t.size;
      type.is_signed = btf_kflag(&t);
      break;
    case BTF_KIND_FWD:
      type.kind = Kind::forward;
      break;
    case BTF_KIND_TYPEDEF:
      type.kind = Kind::type_alias;
      type.of = get(t.type);
      type.size = type.of ? type.of->size : 0;
      type.is_signed = type.of && type.of->is_signed;
      break;
    case BTF_KIND_CONST:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_RESTRICT: {
      constexpr const char* names[] = {"volatile", "const", "restrict"};
      type.kind = Kind::qualifier;
      type.name = names[btf_kind(&t) - BTF_KIND_VOLATILE];
      type.of = get(t.type);
      type.size = type.of ? type.of->size : 0;
      type.is_signed = type.of && type.of->is_signed;
      break;
    }
    case BTF_KIND_FUNC_PROTO:
      type.kind = Kind::function;
      type.of = get(t.type);
      break;
    default:  // FUNC, VAR, DATASEC, DECL_TAG are no types: nothing refers to them as one
      break;
  }
  return type;
}

const Type* BtfTypes::pointer_to(const Type* target) {
  const Type*& pointer = pointers_[target];
  if (!pointer) {
    Type made = typed(Kind::pointer, 0);
    made.home = home_;
    made.size = pointer_size;
    made.of = target;
    owned_.push_back(std::move(made));
    pointer = &owned_.back();
  }
  return pointer;
}

// `tag`: only that kind of type, else any, a typedef before a structure of that name.
uint32_t BtfTypes::find_named(std::string_view name, std::optional<int> tag) const {
  uint32_t offset = file_.string_offset(name);
  if (offset == 0) return 0;
  constexpr std::array<int, 6> any = {BTF_KIND_TYPEDEF, BTF_KIND_INT,   BTF_KIND_FLOAT,
                                      BTF_KIND_STRUCT,  BTF_KIND_UNION, BTF_KIND_ENUM};
  std::array<uint32_t, any.size()> first{};
  for (uint32_t id = 1; id < file_.count(); ++id) {
    const btf_type& t = file_.type(id);
    if (t.name_off != offset) continue;
    int kind = btf_kind(&t);
    if (kind == kind_enum64) kind = BTF_KIND_ENUM;
    if (tag && kind != *tag) continue;
    size_t row = static_cast<size_t>(std::find(any.begin(), any.end(), kind) - any.begin());
    if (row < any.size() && first[row] == 0) first[row] = id;
  }
  auto found = std::find_if(first.begin(), first.end(), [](uint32_t id) { return id != 0; });
  return found == first.end() ? 0 : *found;
}

Lack BtfTypes::no_such_type(std::string_view name) const {
  auto near = [this, name = std::string(name)] {
    std::vector<std::string> names;
    for (int kind : {BTF_KIND_STRUCT, BTF_KIND_UNION, BTF_KIND_ENUM, BTF_KIND_TYPEDEF, BTF_KIND_INT})
      file_.each(kind, [&](uint32_t, const btf_type& t) {
        if (t.name_off != 0) names.emplace_back(file_.name(t));
      });
    return nearest(name, names);
  };
  return {Lack::Kind::not_found, fmt::format("the kernel's BTF has no type '{}'", name), near};
}

types::Answer<const Type*> BtfTypes::find(std::string_view spelling) {
  Spelling wanted = split(spelling);
  if (!wanted.good)
    return Lack{Lack::Kind::not_found, fmt::format("'{}' is not the name of a type", spelling), {}};
  const auto& words = wanted.words;
  const Type* type = nullptr;
  auto tag = tag_kind(words[0]);
  std::string integer = canonical_integer(words);
  if (words.size() == 1 && words[0] == "void") {
    if (wanted.pointers == 0)
      return Lack{Lack::Kind::not_found, "'void' is not a type of values", {}};
  } else {
    uint32_t id = 0;
    if (tag && words.size() == 2) id = find_named(words[1], tag);
    if (!tag && !integer.empty()) {
      file_.each(BTF_KIND_INT, [&](uint32_t candidate, const btf_type& t) {
        // GCC writes "long unsigned int"; compare in the canonical order.
        if (id == 0 && canonical_integer(split(file_.name(t)).words) == integer) id = candidate;
      });
    } else if (!tag && words.size() == 1) {
      id = find_named(words[0] == "bool" ? "_Bool" : words[0], std::nullopt);
    }
    if (id == 0) return no_such_type(words.back());
    type = get(id);
  }
  for (int i = 0; i < wanted.pointers; ++i) type = pointer_to(type);
  return type;
}

std::vector<Member> BtfTypes::members(const Type& type) {
  uint64_t id = type.handle;
  if (type.kind == Kind::forward) {
    // Declared here, defined elsewhere in the kernel.
    const btf_type& forward = file_.type(static_cast<uint32_t>(id));
    id = find_named(type.name, btf_kflag(&forward) ? BTF_KIND_UNION : BTF_KIND_STRUCT);
  }
  if (id == 0 || id >= file_.count()) return {};
  const btf_type& t = file_.type(static_cast<uint32_t>(id));
  if (!btf_is_composite(&t)) return {};
  std::vector<Member> members;
  for (uint32_t i = 0; i < btf_vlen(&t); ++i) {
    const btf_member& raw = btf_members(&t)[i];
    Member member;
    member.name = file_.string(raw.name_off);
    member.type = get(raw.type);
    uint64_t bit = btf_member_bit_offset(&t, i);
    auto bits = static_cast<uint8_t>(btf_member_bitfield_size(&t, i));
    member.offset = bit / 8;
    const Type* storage = types::strip(member.type);
    if (bits > 0 && storage) place_bits(member, bit, bits, storage->size);
    members.push_back(std::move(member));
  }
  return members;
}

std::vector<Enumerator> BtfTypes::enumerators(const Type& type) const {
  if (type.handle == 0 || type.handle >= file_.count()) return {};
  const btf_type& t = file_.type(static_cast<uint32_t>(type.handle));
  std::vector<Enumerator> all;
  for (uint32_t i = 0; i < btf_vlen(&t); ++i) {
    if (btf_kind(&t) == BTF_KIND_ENUM) {
      const struct btf_enum& e = btf_enum(&t)[i];
      int64_t value = btf_kflag(&t) ? int64_t{e.val} : int64_t{static_cast<uint32_t>(e.val)};
      all.push_back({file_.string(e.name_off), value});
    } else if (btf_kind(&t) == kind_enum64) {
      const struct btf_enum64& e = btf_enum64(&t)[i];
      all.push_back({file_.string(e.name_off), static_cast<int64_t>(btf_enum64_value(&e))});
    }
  }
  return all;
}

std::optional<int64_t> BtfTypes::enumerator(std::string_view name) const {
  uint32_t offset = file_.string_offset(name);
  std::optional<int64_t> value;
  if (offset == 0) return value;
  auto search = [&](uint32_t id, const btf_type& t) {
    // Both kinds of enumerators begin with their name.
    size_t width =
        btf_kind(&t) == BTF_KIND_ENUM ? sizeof(struct btf_enum) : sizeof(struct btf_enum64);
    const char* at = reinterpret_cast<const char*>(&t + 1);
    for (uint32_t i = 0; !value && i < btf_vlen(&t); ++i) {
      uint32_t name_offset;
      memcpy(&name_offset, at + i * width, sizeof name_offset);
      if (name_offset != offset) continue;
      value = enumerators(typed(Kind::enumeration, id))[i].value;
    }
  };
  file_.each(BTF_KIND_ENUM, search);
  file_.each(kind_enum64, search);
  return value;
}

BtfTypes::Prototype BtfTypes::prototype(uint32_t id) {
  Prototype prototype;
  const btf_type& t = file_.type(id);
  if (!btf_is_func_proto(&t)) return prototype;
  prototype.result = get(t.type);
  for (uint32_t i = 0; i < btf_vlen(&t); ++i) {
    const btf_param& param = btf_params(&t)[i];
    // `...` is a last parameter without name and type.
    if (param.name_off == 0 && param.type == 0 && i + 1 == btf_vlen(&t)) {
      prototype.variadic = true;
      break;
    }
    prototype.params.push_back({file_.string(param.name_off), get(param.type)});
  }
  return prototype;
}

}  // namespace stp
