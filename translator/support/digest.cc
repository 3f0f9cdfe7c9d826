// Boost's SHA-1: collisions made on purpose do no harm in one's own cache.
#include "support/digest.h"

#include <fmt/format.h>

#include <boost/uuid/detail/sha1.hpp>

namespace stp {

std::string digest(const std::vector<std::string_view>& parts) {
  boost::uuids::detail::sha1 sha;
  for (std::string_view part : parts) {
    // The length keeps ("ab", "c") and ("a", "bc") apart.
    std::string length = fmt::format("{}:", part.size());
    sha.process_bytes(length.data(), length.size());
    sha.process_bytes(part.data(), part.size());
  }
  unsigned int words[5];
  sha.get_digest(words);
  return fmt::format("{:08x}{:08x}", words[0], words[1]);
}

}  // namespace stp
