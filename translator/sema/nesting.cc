// A walk over the graph of calls, of bounded depth: so no walk over bodies and the calls in them can
// run out of stack, here or in a pass behind. Functions on the way that are met again are recursive; the
// longest way to a function is found with the memory of those that were done.
#include "sema/nesting.h"

#include <algorithm>

namespace stp::sema {
namespace {

class Depths {
 public:
  Depths(prog::Program& program, const std::vector<std::vector<size_t>>& calls)
      : program_(program), calls_(calls), depth_(calls.size(), 0), on_way_(calls.size(), false) {}

  uint32_t of(size_t function) {
    if (on_way_[function]) {
      // Everything between here and there is part of the circle.
      for (size_t i = way_.size(); i-- > 0;) {
        program_.functions[way_[i]].recursive = true;
        if (way_[i] == function) break;
      }
      recursive_ = true;
      return 0;
    }
    if (depth_[function]) return depth_[function];
    if (way_.size() >= deepest_call_chain) return too_deep_ = true, 0;
    on_way_[function] = true;
    way_.push_back(function);
    uint32_t deepest = 0;
    for (size_t callee : calls_[function]) deepest = std::max(deepest, of(callee));
    way_.pop_back();
    on_way_[function] = false;
    return depth_[function] = deepest + 1;
  }

  bool recursive() const { return recursive_; }
  bool too_deep() const { return too_deep_; }

 private:
  prog::Program& program_;
  const std::vector<std::vector<size_t>>& calls_;
  std::vector<uint32_t> depth_;
  std::vector<bool> on_way_;
  std::vector<size_t> way_;
  bool recursive_ = false, too_deep_ = false;
};

}  // namespace

bool set_nesting(prog::Program& program, const std::vector<std::vector<size_t>>& calls,
                 const std::vector<size_t>& roots) {
  Depths depths(program, calls);
  uint32_t deepest = 0;
  for (size_t root : roots) deepest = std::max(deepest, depths.of(root));
  if (!program.limits.nesting) program.limits.nesting = deepest + (depths.recursive() ? 10 : 0);
  return !depths.too_deep();
}

}  // namespace stp::sema
