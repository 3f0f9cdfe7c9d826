// A name for a sequence of bytes: the same bytes, the same name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stp {

// The first 16 hexadecimal digits of the SHA-1 of the parts, one after the other, each with its
// length. For names of cached files, not against attackers.
std::string digest(const std::vector<std::string_view>& parts);

}  // namespace stp
