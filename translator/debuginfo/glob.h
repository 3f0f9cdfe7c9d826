// Name patterns of probe points: * ? [ ].
#pragma once

#include <string>
#include <string_view>

namespace stp {

class Glob {
 public:
  explicit Glob(std::string_view pattern);
  bool matches(std::string_view name) const;
  bool literal() const { return prefix_.size() == pattern_.size(); }
  const std::string& pattern() const { return pattern_; }

 private:
  std::string pattern_;
  std::string prefix_;  // what every match begins with
};

}  // namespace stp
