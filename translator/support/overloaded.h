// std::visit with one lambda for each alternative.
#pragma once

namespace stp {

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace stp
