// A package of .dwo files (.dwp), taken apart into the files that it was made of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <libelf.h>

namespace stp::dwarf {

class Package {
 public:
  // Null, with a phrase in `why_not`, when it cannot be read.
  static std::unique_ptr<Package> open(const std::filesystem::path&, std::string& why_not);
  // The package that belongs to a file with skeletons, where gdb and elfutils 0.191 look for it: beside
  // the file, with ".dwp" behind its name. Empty when there is none.
  static std::filesystem::path beside(const std::filesystem::path&);
  ~Package();
  Package(const Package&) = delete;
  Package& operator=(const Package&) = delete;

  // Files go by number; -1: the package has no such unit.
  int file_of_unit(uint64_t id) const { return found(units_, id); }
  // Of units of types, which are in the package once, whatever number of files had them.
  const std::map<uint64_t, int>& files_of_types() const { return types_; }
  // An ELF file as the compiler wrote it; empty when the package is damaged there, or when
  // all files together take more memory than debug information does.
  std::string image(int file);

 private:
  struct Slice {
    uint64_t offset = 0, size = 0;
  };
  struct DwoFile {
    std::map<uint32_t, Slice> shared;                    // sections of the whole file, by column
    std::vector<std::pair<uint32_t, Slice>> units;  // parts of .debug_info and .debug_types
  };
  Package() = default;
  bool read_sections();
  bool read_index(const char* section, std::map<uint64_t, int>& to);
  void add_row(uint64_t id, const std::map<uint32_t, Slice>& row, std::map<uint64_t, int>& to);
  std::string_view bytes(const char* section, Slice) const;
  void own_strings(std::string& offsets, std::string& strings) const;
  static int found(const std::map<uint64_t, int>& in, uint64_t id) {
    auto at = in.find(id);
    return at == in.end() ? -1 : at->second;
  }

  int fd_ = -1;
  Elf* elf_ = nullptr;
  std::map<std::string, std::string_view, std::less<>> sections_;
  uint32_t version_ = 0;  // of the index: 2 before DWARF 5
  std::vector<DwoFile> files_;
  std::map<std::pair<uint64_t, uint64_t>, int> by_slices_;
  std::map<uint64_t, int> units_, types_;
  uint64_t room_ = 0;  // what images may take yet
};

}  // namespace stp::dwarf
