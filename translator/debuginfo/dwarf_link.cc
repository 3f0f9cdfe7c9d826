// libdw 0.188 links a skeleton with its unit when it is first asked for the unit: it opens the file
// that the skeleton names. There is no other way to hand it one, and its structures are its own. So
// the unit is put into a file of memory, and while libdw is asked the skeleton names that: the
// sections of names are copies which can be written to, with room behind the last name. (Compilers write
// the name of no file between the attributes, where there would be no room.)
//
// Rejected: a copy of the file with other names, and the .dwo files beside it, in the cache. It would be
// large, and has to be kept in step with both files.
#include "debuginfo/dwarf_link.h"

#include <dwarf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <string_view>

#include "debuginfo/elf_sections.h"

namespace stp::dwarf {
namespace {

// "/proc/self/fd/" and a number.
constexpr size_t room = 32;

}  // namespace

void UnitLinker::prepare(Elf* elf) {
  each_named_section(elf, [&](Elf_Scn* section, std::string_view name, const GElf_Shdr& header) {
    if ((name != ".debug_str" && name != ".debug_line_str") || header.sh_type == SHT_NOBITS) return;
    if ((header.sh_flags & SHF_COMPRESSED) && elf_compress(section, 0, 0) < 0) return;
    Elf_Data* data = elf_getdata(section, nullptr);
    if (!data || !data->d_buf) return;
    std::string& copy = sections_.emplace_back(static_cast<char*>(data->d_buf), data->d_size);
    copy.append(room, '\0');
    data->d_buf = copy.data();
    data->d_size = copy.size();
  });
}

char* UnitLinker::writable(const char* text, size_t size) {
  for (std::string& section : sections_) {
    std::less_equal<const char*> before;
    const char* end = section.data() + section.size();
    if (before(section.data(), text) && before(text, end) &&
        static_cast<size_t>(end - text) >= size)
      return section.data() + (text - section.data());
  }
  return nullptr;
}

bool UnitLinker::link(Dwarf_CU* skeleton, Dwarf_Die& die, const std::string& image) {
  Dwarf_Attribute attribute;
  const char* text = nullptr;
  for (unsigned at : {DW_AT_dwo_name, DW_AT_GNU_dwo_name})
    if (!text) text = dwarf_formstring(dwarf_attr(&die, at, &attribute));
  int fd = text && !image.empty() ? memfd_create("dwo", MFD_CLOEXEC) : -1;
  if (fd < 0) return false;
  std::string path = fmt::format("/proc/self/fd/{}", fd);
  char* name = writable(text, path.size() + 1);
  size_t written = 0;
  for (ssize_t n = 1; name && n > 0 && written < image.size(); written += static_cast<size_t>(n))
    n = std::max<ssize_t>(write(fd, image.data() + written, image.size() - written), 0);
  Dwarf_Die unit{};
  if (written == image.size()) {
    std::string kept(name, path.size() + 1);
    std::memcpy(name, path.c_str(), path.size() + 1);
    dwarf_cu_info(skeleton, nullptr, nullptr, nullptr, &unit, nullptr, nullptr, nullptr);
    std::memcpy(name, kept.data(), kept.size());
  }
  close(fd);
  return unit.cu != nullptr;
}

}  // namespace stp::dwarf
