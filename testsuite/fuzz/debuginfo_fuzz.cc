// A libFuzzer target for files: ELF, DWARF, BTF, call frame information. Damage is put into one
// section at a time, and leaves sizes as they are: what breaks the header is refused at once, and
// finds nothing behind it. `make fuzz` builds and runs it, on objects that testsuite/fuzz/objects
// compiles.
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "fuzz/questions.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

namespace {

struct Extent {
  size_t begin, size;
};

// Sections that are read; all of the file when there are none.
std::vector<Extent> sections_of(const uint8_t* data, size_t size) {
  std::vector<Extent> found;
  Elf64_Ehdr header;
  if (size < sizeof header) return found;
  std::memcpy(&header, data, sizeof header);
  for (size_t i = 0; i < header.e_shnum; ++i) {
    size_t at = header.e_shoff + i * sizeof(Elf64_Shdr);
    if (at > size || size - at < sizeof(Elf64_Shdr)) break;
    Elf64_Shdr section;
    std::memcpy(&section, data + at, sizeof section);
    bool inside = section.sh_offset < size && section.sh_size <= size - section.sh_offset;
    if (inside && section.sh_size > 0 && section.sh_type != SHT_NOBITS &&
        !(section.sh_flags & SHF_EXECINSTR))
      found.push_back({section.sh_offset, section.sh_size});
  }
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  // Nothing is kept: an index of the undamaged file would answer for the damaged one.
  setenv("STP_CACHE", "/proc/none", 1);
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed) {
  std::minstd_rand random(seed);
  auto below = [&](size_t n) { return static_cast<size_t>(random()) % n; };
  auto sections = sections_of(data, size);
  if (sections.empty() || below(16) == 0) return LLVMFuzzerMutate(data, size, most);
  Extent in = sections[below(sections.size())];
  constexpr uint8_t telling[] = {0, 1, 2, 0x7f, 0x80, 0xff, 8, 0x10, 0x2c};
  for (size_t times = 1 + below(4); times-- > 0;) {
    uint8_t* at = data + in.begin + below(in.size);
    size_t room = static_cast<size_t>(data + in.begin + in.size - at);
    switch (below(5)) {
      case 0: *at = static_cast<uint8_t>(random()); break;
      case 1: *at = telling[below(sizeof telling)]; break;
      case 2: *at = static_cast<uint8_t>(*at + (below(2) ? 1 : -1)); break;
      case 3: std::memset(at, below(2) ? 0xff : 0, std::min<size_t>(room, 1 + below(8))); break;
      default: std::memmove(at, data + in.begin + below(in.size - std::min(in.size - 1, room - 1)),
                            std::min<size_t>(room, 1 + below(16))); break;
    }
  }
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  int fd = memfd_create("damaged", MFD_CLOEXEC);
  if (fd < 0 || write(fd, data, size) != static_cast<ssize_t>(size)) std::abort();
  stp::fuzz::ask_everything("/proc/self/fd/" + std::to_string(fd));
  close(fd);
  return 0;
}
