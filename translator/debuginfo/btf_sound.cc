// One look at all of BTF before anybody trusts it.
//
// libbpf checks that types lie where they should; what they say of each other it checks only from
// 1.4 on. An image that was damaged, or written by a tool with a bug, could send us to a type that
// is not there, or round in circles: through `of` (typedef, pointer, array, qualifier, result), or
// by value (a structure in itself). In right BTF both walks end after a few steps, so a height is
// computed for each type, and one that is too high or is asked for while it is being computed is
// refused. It costs a few milliseconds; with it, no other code needs a guard.

#include "debuginfo/btf_sound.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace stp {
namespace {

// Linux's own types are less than 20 high.
constexpr uint8_t limit = 200, in_progress = 255;

bool is_modifier(const btf_type& t) {
  switch (btf_kind(&t)) {
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_CONST:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_TYPE_TAG:
      return true;
    default:
      return false;
  }
}

// Kinds of which btf_type::type is a type.
bool refers(const btf_type& t) {
  return is_modifier(t) || btf_is_ptr(&t) || btf_is_func(&t) || btf_is_func_proto(&t) ||
         btf_is_var(&t) || btf_is_decl_tag(&t);
}

// Calls use(id) for all that `t` refers to, until it says false.
template <typename Use>
bool each_reference(const btf_type& t, Use use) {
  bool good = !refers(t) || use(t.type);
  if (btf_is_array(&t)) good = use(btf_array(&t)->type) && use(btf_array(&t)->index_type);
  for (uint32_t i = 0; i < btf_vlen(&t) && good; ++i) {
    if (btf_is_composite(&t)) good = use(btf_members(&t)[i].type);
    if (btf_is_func_proto(&t)) good = use(btf_params(&t)[i].type);
    if (btf_is_datasec(&t)) good = use(btf_var_secinfos(&t)[i].type);
  }
  return good;
}

// The two walks. `by_value`: into members; else through pointers and results.
class Heights {
 public:
  Heights(const btf& file, bool by_value)
      : file_(file), by_value_(by_value), heights_(btf__type_cnt(&file)) {}

  bool good(uint32_t id, int depth = 0) {
    if (id == 0) return true;
    uint8_t& height = heights_[id];
    if (height == in_progress || depth + height > limit) return false;
    if (height > 0) return true;
    height = in_progress;
    uint8_t highest = 0;
    auto look = [&](uint32_t to) {
      if (!good(to, depth + 1)) return false;
      highest = std::max(highest, to == 0 ? uint8_t{0} : heights_[to]);
      return true;
    };
    if (!each_step(*btf__type_by_id(&file_, id), look)) return false;
    heights_[id] = static_cast<uint8_t>(highest + 1);
    return true;
  }

 private:
  template <typename Look>
  bool each_step(const btf_type& t, Look look) const {
    if (btf_is_array(&t)) return look(btf_array(&t)->type);
    if (is_modifier(t)) return look(t.type);
    if (!by_value_ && (btf_is_ptr(&t) || btf_is_func_proto(&t))) return look(t.type);
    if (!by_value_ || !btf_is_composite(&t)) return true;
    for (uint32_t i = 0; i < btf_vlen(&t); ++i)
      if (!look(btf_members(&t)[i].type)) return false;
    return true;
  }

  const btf& file_;
  bool by_value_;
  std::vector<uint8_t> heights_;
};

}  // namespace

bool is_sound(const btf& file, uint32_t first) {
  uint32_t count = btf__type_cnt(&file);
  for (uint32_t id = first; id < count; ++id)
    if (!each_reference(*btf__type_by_id(&file, id), [&](uint32_t to) { return to < count; }))
      return false;
  Heights through(file, false), by_value(file, true);
  for (uint32_t id = first; id < count; ++id)
    if (!through.good(id) || !by_value.good(id)) return false;
  return true;
}

}  // namespace stp
