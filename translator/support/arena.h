// Owns objects of any type until it is destroyed; hands out plain pointers.
// Trees whose nodes point at each other live in one arena and die together.
#pragma once

#include <memory>
#include <utility>
#include <vector>

namespace stp {

class Arena {
 public:
  template <typename T, typename... Args>
  T* make(Args&&... args) {
    auto owned = std::shared_ptr<T>(new T{std::forward<Args>(args)...});
    T* object = owned.get();
    objects_.push_back(std::move(owned));
    return object;
  }

 private:
  std::vector<std::shared_ptr<void>> objects_;
};

}  // namespace stp
