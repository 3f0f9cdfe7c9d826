// The sections of a .ko that the reader needs: .stp.formats, .stp.info and .modinfo.
//
// They are read from the file, not from the kernel: the loaded module need not keep them, and
// a file carried to another machine is all there is.
#include "module_file.h"

#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "stp/abi.h"

namespace stp::load {
namespace {

std::string read_whole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error(fmt::format("{}: {}", path, std::strerror(errno)));
  return {std::istreambuf_iterator<char>(in), {}};
}

using Sections = std::map<std::string, std::string_view>;

// The contents of all named sections; views into `image`.
Sections sections_of(std::string& image) {
  Sections sections;
  elf_version(EV_CURRENT);
  std::unique_ptr<Elf, decltype(&elf_end)> elf(elf_memory(image.data(), image.size()), elf_end);
  size_t names = 0;
  if (!elf || elf_kind(elf.get()) != ELF_K_ELF || elf_getshdrstrndx(elf.get(), &names) != 0)
    return sections;
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf.get(), section)) != nullptr;) {
    GElf_Shdr header;
    if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS) continue;
    const char* name = elf_strptr(elf.get(), names, header.sh_name);
    if (!name || header.sh_offset > image.size() ||
        header.sh_size > image.size() - header.sh_offset)
      continue;
    sections[name] = std::string_view(image).substr(header.sh_offset, header.sh_size);
  }
  return sections;
}

// The next NUL-terminated string of `rest`, which is moved behind it.
std::string_view take_string(std::string_view& rest) {
  std::string_view text = rest.substr(0, rest.find('\0'));
  rest.remove_prefix(std::min(rest.size(), text.size() + 1));
  return text;
}

std::map<std::string, std::string> key_values(std::string_view section) {
  std::map<std::string, std::string> values;
  while (!section.empty()) {
    std::string_view text = take_string(section);
    size_t equals = text.find('=');
    if (equals != text.npos) values.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return values;
}

}  // namespace

ModuleFile read_module_file(const std::string& path) {
  ModuleFile file;
  file.path = path;
  file.image = read_whole(path);
  Sections sections = sections_of(file.image);
  auto info = sections.find(STP_INFO_SECTION);
  auto modinfo = sections.find(".modinfo");
  if (info == sections.end() || modinfo == sections.end())
    throw std::runtime_error(fmt::format("{}: not a module made by `stp build`", path));
  file.info = key_values(info->second);
  if (file.info["abi"] != std::to_string(STP_ABI))
    throw std::runtime_error(
        fmt::format("{}: made by another version of stp (its interface is {}, this one's is {}); "
                    "build it again",
                    path, file.info["abi"], STP_ABI));
  file.name = key_values(modinfo->second)["name"];
  file.formats = read_formats(sections[STP_FORMATS_SECTION]);
  return file;
}

std::vector<Format> read_formats(std::string_view rest) {
  std::vector<Format> formats;
  while (!rest.empty()) {
    std::string letters(take_string(rest));
    formats.push_back({std::move(letters), std::string(take_string(rest))});
  }
  return formats;
}

bool rename_module(ModuleFile& file, const std::string& name) {
  if (name.empty() || file.name.empty()) return false;
  Sections sections = sections_of(file.image);
  std::vector<size_t> places;
  size_t room = std::max(name.size(), file.name.size());
  for (const char* section : {".modinfo", ".gnu.linkonce.this_module"}) {
    std::string_view bytes = sections[section];
    std::string key = section[1] == 'm' ? "name=" : "";
    // The old name, and NULs where the new one is longer, and one to end it.
    std::string sought = key + file.name + std::string(room - file.name.size() + 1, '\0');
    size_t at = bytes.find(sought);
    if (at == bytes.npos) return false;
    places.push_back(static_cast<size_t>(bytes.data() - file.image.data()) + at + key.size());
  }
  for (size_t place : places)
    file.image.replace(place, room, name + std::string(room - name.size(), '\0'));
  file.name = name;
  return true;
}

}  // namespace stp::load
