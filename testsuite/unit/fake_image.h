// Kernel images and the folders that hold them, made up for tests.
#pragma once

#include <bpf/btf.h>
#include <elf.h>
#include <stdlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "case_files.h"

namespace stp::testing_images {

// A folder that is the world: $STP_CACHE and $STP_KERNELS lead into it while it lives.
class World {
 public:
  World() {
    char name[] = "/tmp/stp-world-XXXXXX";
    root = mkdtemp(name);
    setenv("STP_CACHE", (root / "cache").c_str(), 1);
    setenv("STP_KERNELS", (root / "tree").c_str(), 1);
  }
  ~World() {
    unsetenv("STP_CACHE");
    unsetenv("STP_KERNELS");
    std::filesystem::remove_all(root);
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories((root / name).parent_path());
    std::ofstream(root / name, std::ios::binary) << bytes;
    return root / name;
  }

  std::filesystem::path root;
};

struct FakeSection {
  std::string name;
  uint32_t type = SHT_PROGBITS;
  uint64_t flags = 0;
  uint64_t address = 0;
  std::string data;
  uint32_t link = 0;
};

// An ELF64 file of these sections; the first is number 1.
inline std::string make_elf(std::vector<FakeSection> sections) {
  std::string names(1, '\0');
  sections.insert(sections.begin(), FakeSection{"", SHT_NULL, 0, 0, "", 0});
  sections.push_back({".shstrtab", SHT_STRTAB, 0, 0, "", 0});
  std::vector<Elf64_Shdr> headers;
  for (const auto& s : sections) {
    Elf64_Shdr h{};
    h.sh_name = static_cast<uint32_t>(names.size());
    names += s.name;
    names += '\0';
    h.sh_type = s.type;
    h.sh_flags = s.flags;
    h.sh_addr = s.address;
    h.sh_link = s.link;
    headers.push_back(h);
  }
  sections.back().data = names;
  std::string file(sizeof(Elf64_Ehdr), '\0');
  for (size_t i = 1; i < sections.size(); ++i) {
    file.resize((file.size() + 7) / 8 * 8);
    headers[i].sh_offset = file.size();
    headers[i].sh_size = sections[i].data.size();
    file += sections[i].data;
  }
  file.resize((file.size() + 7) / 8 * 8);
  Elf64_Ehdr header{};
  memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof header;
  header.e_shoff = file.size();
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = static_cast<uint16_t>(headers.size());
  header.e_shstrndx = static_cast<uint16_t>(headers.size() - 1);
  memcpy(file.data(), &header, sizeof header);
  file.append(reinterpret_cast<const char*>(headers.data()), headers.size() * sizeof headers[0]);
  return file;
}

// The bytes of .BTF that `fill` describes.
template <typename Fill>
std::string make_btf(Fill fill) {
  struct btf* made = btf__new_empty();
  fill(made);
  uint32_t size = 0;
  auto* raw = static_cast<const char*>(btf__raw_data(made, &size));
  std::string bytes(raw, size);
  btf__free(made);
  return bytes;
}

}  // namespace stp::testing_images
