// Sections of a mapped kernel image.
//
// The section headers of ELF64 are read here in a few lines rather than through libelf, because
// what is wanted next are pointers into the mapping (kallsyms, tracepoint classes, BTF), by link
// address, with every bound checked once.

#include "debuginfo/image.h"

#include <elf.h>
#include <fmt/format.h>

#include <cerrno>

namespace stp {
namespace {

template <typename T>
bool read_struct(std::string_view bytes, uint64_t offset, T& value) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof value) return false;
  memcpy(&value, bytes.data() + offset, sizeof value);
  return true;
}

std::string_view range(std::string_view bytes, uint64_t offset, uint64_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset) return {};
  return bytes.substr(offset, size);
}

std::string_view c_string(std::string_view bytes, uint64_t offset) {
  if (offset >= bytes.size()) return {};
  size_t end = bytes.find('\0', offset);
  return end == bytes.npos ? std::string_view{} : bytes.substr(offset, end - offset);
}

}  // namespace

std::unique_ptr<Image> Image::open(const std::filesystem::path& path, std::string& why_not) {
  auto image = std::make_unique<Image>();
  image->file_ = MappedFile::open(path);
  if (!image->file_) {
    why_not = fmt::format("{}: {}", path.string(), strerror(errno));
    return nullptr;
  }
  auto bytes = image->file_->bytes();
  Elf64_Ehdr header;
  if (!read_struct(bytes, 0, header) || !bytes.starts_with(ELFMAG) ||
      header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
    why_not = fmt::format("{}: not a 64-bit little-endian ELF", path.string());
    return nullptr;
  }
  std::vector<Elf64_Shdr> headers(header.e_shnum);
  for (size_t i = 0; i < headers.size(); ++i)
    if (!read_struct(bytes, header.e_shoff + i * header.e_shentsize, headers[i])) {
      why_not = fmt::format("{}: its section headers are cut off", path.string());
      return nullptr;
    }
  std::string_view names;
  if (header.e_shstrndx < headers.size())
    names = range(bytes, headers[header.e_shstrndx].sh_offset, headers[header.e_shstrndx].sh_size);
  for (const auto& h : headers) {
    auto data = h.sh_type == SHT_NOBITS ? std::string_view{} : range(bytes, h.sh_offset, h.sh_size);
    image->sections_.push_back(
        {c_string(names, h.sh_name), h.sh_type, h.sh_flags, h.sh_addr, h.sh_size, h.sh_link, data});
  }
  return image;
}

const Image::Section* Image::section(std::string_view name) const {
  for (const auto& section : sections_)
    if (section.name == name) return &section;
  return nullptr;
}

std::string_view Image::at(uint64_t address) const {
  for (const auto& section : sections_)
    if ((section.flags & SHF_ALLOC) && address >= section.address &&
        address - section.address < section.data.size())
      return section.data.substr(address - section.address);
  return {};
}

std::string_view Image::string_at(uint64_t address) const { return c_string(at(address), 0); }

}  // namespace stp
