// A file's bytes, mapped read-only for as long as the object lives.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

namespace stp {

class MappedFile {
 public:
  // Null when the file cannot be opened, is no regular file, or is empty; errno says why.
  static std::unique_ptr<MappedFile> open(const std::filesystem::path&);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view bytes() const { return {data_, size_}; }

 private:
  MappedFile(const char* data, size_t size) : data_(data), size_(size) {}
  const char* data_;
  size_t size_;
};

}  // namespace stp
