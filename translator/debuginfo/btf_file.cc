// Opening BTF, and finding types in it without an index.
//
// libbpf parses what the image carries (4 MB of types and strings). Its search by name compares a
// string per type, spread over the string section. Here a name is first found in the string
// section, in one pass of memmem: BTF is deduplicated, so each distinct string is there once. After
// that, a search compares integers.
//
// Rejected: an index on disk. Opening costs a few milliseconds, one search well under one.

#include "debuginfo/btf_file.h"

#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>

#include "debuginfo/btf_sound.h"
#include "debuginfo/image.h"

namespace stp {
namespace {

constexpr const char* running_btf = "/sys/kernel/btf/vmlinux";

// A sysfs file cannot be mapped by every kernel, so this one is read.
std::string read_running_btf(const std::string& release) {
  utsname running;
  if (uname(&running) != 0 || release != running.release) return {};
  std::ifstream in(running_btf, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

BtfFile::BtfFile(struct btf* parsed, std::shared_ptr<const BtfFile> base)
    : base_(std::move(base)), btf_(parsed), count_(btf__type_cnt(parsed)) {
  if (base_) {
    first_own_ = base_->count_;
    strings_at_ = static_cast<uint32_t>(base_->strings_.size());
  }
  uint32_t size = 0;
  auto* raw = static_cast<const char*>(btf__raw_data(parsed, &size));
  btf_header header;
  if (!raw || size < sizeof header) return;
  memcpy(&header, raw, sizeof header);
  uint64_t start = uint64_t{header.hdr_len} + header.str_off;
  if (start <= size && header.str_len <= size - start) strings_ = {raw + start, header.str_len};
}

std::unique_ptr<BtfFile> BtfFile::checked(struct btf* parsed,
                                          std::shared_ptr<const BtfFile> base,
                                          std::string& why_not) {
  if (!parsed) {
    why_not = fmt::format("its BTF cannot be read: {}", strerror(errno));
    return nullptr;
  }
  std::unique_ptr<BtfFile> file(new BtfFile(parsed, std::move(base)));
  if (is_sound(*parsed, file->first_own_)) return file;
  why_not = "its BTF is damaged: types refer to what is not there or to themselves";
  return nullptr;
}

std::unique_ptr<BtfFile> BtfFile::open(const Target& target, std::string& why_not) {
  std::unique_ptr<Image> image;
  std::string read;
  std::string_view data;
  for (const auto& path : {target.vmlinux, target.debuginfo}) {
    if (path.empty() || !data.empty()) continue;
    image = Image::open(path, why_not);
    const Image::Section* section = image ? image->section(".BTF") : nullptr;
    if (section) data = section->data;
    if (image && data.empty())
      why_not = fmt::format("{} has no BTF (CONFIG_DEBUG_INFO_BTF)", path.string());
  }
  if (data.empty()) data = read = read_running_btf(target.release);
  if (data.empty()) {
    if (why_not.empty()) why_not = fmt::format("no image of kernel {} was found", target.release);
    return nullptr;
  }
  libbpf_set_print(nullptr);  // what it would print goes into `why_not`
  return checked(btf__new(data.data(), static_cast<uint32_t>(data.size())), nullptr, why_not);
}

std::unique_ptr<BtfFile> BtfFile::open_module(const std::filesystem::path& module,
                                              std::shared_ptr<const BtfFile> base,
                                              std::string& why_not) {
  auto image = Image::open(module, why_not);
  if (!image) return nullptr;
  const Image::Section* section = image->section(".BTF");
  if (!section || section->data.empty()) {
    why_not = fmt::format("{} has no BTF (CONFIG_DEBUG_INFO_BTF_MODULES)", module.string());
    return nullptr;
  }
  // libbpf 1.1 forgets to export btf__new_split().
  struct btf* parsed = btf__parse_elf_split(module.c_str(), base->btf_.get());
  return checked(parsed, std::move(base), why_not);
}

uint32_t BtfFile::string_offset(std::string_view name) const {
  // Strings lie between NULs; the section begins with the empty one.
  std::string wanted(1, '\0');
  wanted.append(name);
  wanted += '\0';
  // Those of a module begin with its first name.
  if (base_ && !name.empty() && strings_.substr(0, name.size() + 1) == wanted.substr(1))
    return strings_at_;
  const void* found = name.empty()
                          ? nullptr
                          : memmem(strings_.data(), strings_.size(), wanted.data(), wanted.size());
  if (!found) return base_ ? base_->string_offset(name) : 0;
  return strings_at_ + static_cast<uint32_t>(static_cast<const char*>(found) - strings_.data() + 1);
}

std::vector<uint32_t> BtfFile::find(std::string_view name, int kind) const {
  std::vector<uint32_t> found;
  uint32_t offset = string_offset(name);
  if (offset == 0) return found;
  each(kind, [&](uint32_t id, const btf_type& type) {
    if (type.name_off == offset) found.push_back(id);
  });
  return found;
}

}  // namespace stp
