// From a boot image to the ELF that is packed inside it.
#pragma once

#include <filesystem>
#include <string>

namespace stp {

// The ELF vmlinux inside the bzImage at `image`, unpacked once into cache_dir()/images/ and from
// then on found there without reading the image. An image that is an ELF already is returned as it
// is. Empty when that fails, with a phrase in `why_not`.
std::filesystem::path unpacked_image(const std::filesystem::path& image, std::string& why_not);

}  // namespace stp
