// An ELF kernel image, mapped: its sections, and its bytes by link-time address.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "target/mapped_file.h"

namespace stp {

class Image {
 public:
  struct Section {
    std::string_view name;
    uint32_t type = 0;     // SHT_*
    uint64_t flags = 0;    // SHF_*
    uint64_t address = 0;  // link-time; 0 when it is not loaded
    uint64_t size = 0;
    uint32_t link = 0;      // index of the section it refers to
    std::string_view data;  // empty for SHT_NOBITS
  };

  // Null, with a phrase in `why_not`, when this is no 64-bit little-endian ELF.
  static std::unique_ptr<Image> open(const std::filesystem::path&, std::string& why_not);

  const std::vector<Section>& sections() const { return sections_; }
  const Section* section(std::string_view name) const;

  // The bytes from a link-time address to the end of its section; empty when nothing is there.
  std::string_view at(uint64_t address) const;
  template <typename T>
  std::optional<T> read(uint64_t address) const {
    auto bytes = at(address);
    T value;
    if (bytes.size() < sizeof value) return std::nullopt;
    memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  // A NUL-terminated string; empty when there is none.
  std::string_view string_at(uint64_t address) const;

 private:
  std::unique_ptr<MappedFile> file_;
  std::vector<Section> sections_;
};

}  // namespace stp
