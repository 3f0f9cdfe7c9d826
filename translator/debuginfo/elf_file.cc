// libelf reads the sections, because it checks every offset. What it cannot say without a crash is
// not asked: only headers, notes and the two links are read here.
#include "debuginfo/elf_file.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>
#include <lzma.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <string_view>

#include "debuginfo/elf_sections.h"
#include "target/cache.h"
#include "target/cache_room.h"
#include "target/mapped_file.h"
#include "target/target.h"

namespace stp {
namespace {

namespace fs = std::filesystem;

std::string hex(const void* bytes, size_t size) {
  std::string text;
  for (size_t i = 0; i < size; ++i)
    text += fmt::format("{:02x}", static_cast<const unsigned char*>(bytes)[i]);
  return text;
}

class Opened {
 public:
  explicit Opened(const fs::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    elf_version(EV_CURRENT);
    if (fd_ < 0)
      why_not = std::strerror(errno);
    else if (!(elf = elf_begin(fd_, ELF_C_READ_MMAP, nullptr)) || elf_kind(elf) != ELF_K_ELF)
      why_not = "it is no ELF file";
  }
  ~Opened() {
    elf_end(elf);
    if (fd_ >= 0) close(fd_);
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  Elf* elf = nullptr;
  std::string why_not;

 private:
  int fd_;
};

void read_sections(Elf* elf, ElfFile& file) {
  each_named_section(elf, [&](Elf_Scn*, std::string_view name, const GElf_Shdr& header) {
    if (header.sh_type == SHT_NOBITS || header.sh_size == 0) return;
    // A program whose units were all split into .dwo files has skeletons of them here.
    file.has_dwarf |= name == ".debug_info" || name == ".zdebug_info";
  });
}

void read_segments(Elf* elf, ElfFile& file) {
  size_t count = 0;
  if (elf_getphdrnum(elf, &count) != 0) return;
  GElf_Phdr header;
  for (size_t i = 0; i < count && gelf_getphdr(elf, static_cast<int>(i), &header); ++i)
    file.has_interpreter |= header.p_type == PT_INTERP;
}

// Appends to `out`. False when `in` is damaged.
using Unpack = bool (*)(std::string_view in, std::string& out);

// No kernel or module comes near; a small file that unpacks to more is an attack.
constexpr size_t most_unpacked = size_t{3} << 28;
constexpr size_t chunk = size_t{1} << 18;

bool unpack_xz(std::string_view in, std::string& out) {
  lzma_stream stream = LZMA_STREAM_INIT;
  constexpr uint64_t most_memory = uint64_t{1} << 28;
  if (lzma_stream_decoder(&stream, most_memory, LZMA_CONCATENATED) != LZMA_OK) return false;
  stream.next_in = reinterpret_cast<const uint8_t*>(in.data());
  stream.avail_in = in.size();
  lzma_ret result = LZMA_OK;
  auto buffer = std::make_unique<uint8_t[]>(chunk);
  while (result == LZMA_OK && out.size() < most_unpacked) {
    stream.next_out = buffer.get();
    stream.avail_out = chunk;
    result = lzma_code(&stream, LZMA_FINISH);
    out.append(reinterpret_cast<char*>(buffer.get()), chunk - stream.avail_out);
  }
  lzma_end(&stream);
  return result == LZMA_STREAM_END;
}

bool unpack_zstd(std::string_view in, std::string& out) {
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  ZSTD_inBuffer from{in.data(), in.size(), 0};
  auto buffer = std::make_unique<char[]>(chunk);
  size_t left = 1;
  while (left != 0 && out.size() < most_unpacked) {
    ZSTD_outBuffer to{buffer.get(), chunk, 0};
    size_t before = from.pos;
    left = ZSTD_decompressStream(context.get(), &to, &from);
    if (ZSTD_isError(left) || (to.pos == 0 && from.pos == before)) return false;
    out.append(buffer.get(), to.pos);
  }
  return left == 0;
}

bool unpack_gzip(std::string_view in, std::string& out) {
  z_stream stream{};
  constexpr int with_gzip_header = 16 + MAX_WBITS;
  if (in.size() > UINT_MAX || inflateInit2(&stream, with_gzip_header) != Z_OK) return false;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
  auto buffer = std::make_unique<Bytef[]>(chunk);
  int result = Z_OK;
  while (result == Z_OK && out.size() < most_unpacked) {
    stream.next_out = buffer.get();
    stream.avail_out = chunk;
    result = inflate(&stream, Z_NO_FLUSH);
    out.append(reinterpret_cast<char*>(buffer.get()), chunk - stream.avail_out);
  }
  inflateEnd(&stream);
  return result == Z_STREAM_END;
}

struct Packing {
  const char* name;
  std::string_view magic;
  Unpack unpack;
};
constexpr Packing packings[] = {
    {"xz", {"\xfd\x37zXZ\0", 6}, unpack_xz},
    {"zstd", {"\x28\xb5\x2f\xfd", 4}, unpack_zstd},
    {"gzip", {"\x1f\x8b\x08", 3}, unpack_gzip},
};

}  // namespace

std::optional<ElfFile> read_elf_file(const fs::path& path, std::string& why_not) {
  Opened opened(path);
  if (!opened.why_not.empty()) {
    why_not = opened.why_not;
    return std::nullopt;
  }
  GElf_Ehdr header;
  if (!gelf_getehdr(opened.elf, &header)) {
    why_not = "its ELF header is damaged";
    return std::nullopt;
  }
  ElfFile file;
  file.relocatable = header.e_type == ET_REL;
  const void* id = nullptr;
  if (ssize_t size = dwelf_elf_gnu_build_id(opened.elf, &id); size > 0)
    file.build_id = hex(id, static_cast<size_t>(size));
  GElf_Word crc = 0;
  if (const char* link = dwelf_elf_gnu_debuglink(opened.elf, &crc)) {
    file.debuglink = link;
    file.debuglink_crc = crc;
  }
  read_sections(opened.elf, file);
  read_segments(opened.elf, file);
  return file;
}

std::string hostile_sections(int fd) {
  elf_version(EV_CURRENT);
  Elf* elf = elf_begin(fd, ELF_C_READ_MMAP, nullptr);
  // A large kernel's debug information unpacks to more, but never to so many times its size.
  constexpr uint64_t most_times = 64;
  uint64_t unpacked = 0, packed = 0;
  auto count = [&](uint64_t claimed, uint64_t size) {
    unpacked = std::min<uint64_t>(claimed, UINT64_MAX - unpacked) + unpacked;
    packed += size;
  };
  Elf_Scn* section = nullptr;
  while (elf && (section = elf_nextscn(elf, section))) {
    GElf_Shdr header;
    GElf_Chdr packing;
    if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS) continue;
    if ((header.sh_flags & SHF_COMPRESSED) && gelf_getchdr(section, &packing)) {
      count(packing.ch_size, header.sh_size);
      continue;
    }
    // .zdebug_*: "ZLIB" and the size, most significant byte first.
    Elf_Data* data = elf_rawdata(section, nullptr);
    if (!data || !data->d_buf || data->d_size < 12 || std::memcmp(data->d_buf, "ZLIB", 4) != 0)
      continue;
    uint64_t size = 0;
    for (int i = 4; i < 12; ++i) size = size << 8 | static_cast<uint8_t*>(data->d_buf)[i];
    count(size, header.sh_size);
  }
  elf_end(elf);
  return unpacked < most_unpacked || unpacked / most_times < packed
             ? ""
             : fmt::format("its sections unpack to more than {} MB", most_unpacked >> 20);
}

// Unpacked sections go behind all else, and their headers lead there: nothing of the file moves.
fs::path with_sections_unpacked(const fs::path& path, std::string& why_not) {
  auto file = MappedFile::open(path);
  std::string_view bytes = file ? file->bytes() : std::string_view{};
  Elf64_Ehdr header{};
  if (bytes.size() < sizeof header) return path;
  std::memcpy(&header, bytes.data(), sizeof header);
  size_t table = header.e_shnum * sizeof(Elf64_Shdr);
  if (!bytes.starts_with(ELFMAG) || header.e_ident[EI_CLASS] != ELFCLASS64 || table == 0 ||
      header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shoff > bytes.size() ||
      table > bytes.size() - header.e_shoff)
    return path;
  std::vector<Elf64_Shdr> sections(header.e_shnum);
  std::memcpy(sections.data(), bytes.data() + header.e_shoff, table);
  auto is_zstd = [&](const Elf64_Shdr& s, Elf64_Chdr& packing) {
    if (!(s.sh_flags & SHF_COMPRESSED) || s.sh_type == SHT_NOBITS || s.sh_offset > bytes.size() ||
        s.sh_size > bytes.size() - s.sh_offset || s.sh_size < sizeof packing)
      return false;
    std::memcpy(&packing, bytes.data() + s.sh_offset, sizeof packing);
    constexpr uint32_t zstd = 2;  // ELFCOMPRESS_ZSTD, which the elf.h of glibc 2.36 does not have
    return packing.ch_type == zstd;
  };
  Elf64_Chdr packing;
  if (std::none_of(sections.begin(), sections.end(), [&](auto& s) { return is_zstd(s, packing); }))
    return path;
  fs::path cached = cache_dir() / "unpacked" / (file_key(path) + "-sections");
  std::error_code ignored;
  if (fs::exists(cached, ignored)) {
    mark_used(cached);
    return cached;
  }
  std::string behind((8 - bytes.size() % 8) % 8, '\0');
  for (Elf64_Shdr& s : sections) {
    if (!is_zstd(s, packing)) continue;
    size_t at = behind.size();
    behind.resize(at + (packing.ch_size + 7) / 8 * 8);
    if (ZSTD_decompress(behind.data() + at, packing.ch_size,
                        bytes.data() + s.sh_offset + sizeof packing,
                        s.sh_size - sizeof packing) != packing.ch_size) {
      why_not = "its sections are packed with zstd, and damaged";
      return {};
    }
    s.sh_offset = bytes.size() + at;
    s.sh_size = packing.ch_size;
    s.sh_addralign = packing.ch_addralign;
    s.sh_flags &= ~static_cast<Elf64_Xword>(SHF_COMPRESSED);
  }
  std::string_view headers(reinterpret_cast<const char*>(sections.data()), table);
  if (write_atomically(cached, {bytes.substr(0, header.e_shoff), headers,
                                bytes.substr(header.e_shoff + table), behind}))
    return cached;
  why_not = fmt::format("its sections are packed with zstd, and {} cannot be written: {}",
                        cached.string(), std::strerror(errno));
  return {};
}

std::optional<uint32_t> debuglink_crc_of(const fs::path& path) {
  auto file = MappedFile::open(path);
  if (!file) return std::nullopt;
  std::string_view rest = file->bytes();
  uLong crc = crc32(0, nullptr, 0);
  for (constexpr size_t step = 1u << 30; !rest.empty(); rest.remove_prefix(std::min(step, rest.size())))
    crc = crc32(crc, reinterpret_cast<const Bytef*>(rest.data()),
                static_cast<uInt>(std::min(step, rest.size())));
  return static_cast<uint32_t>(crc);
}

fs::path unpacked_file(const fs::path& path, std::string& why_not) {
  auto file = MappedFile::open(path);
  if (!file) {
    why_not = errno ? std::strerror(errno) : "it is empty";
    return {};
  }
  for (const Packing& packing : packings) {
    if (!file->bytes().starts_with(packing.magic)) continue;
    fs::path cached = cache_dir() / "unpacked" / file_key(path);
    std::error_code ignored;
    if (fs::exists(cached, ignored)) {
      mark_used(cached);
      return cached;
    }
    std::string bytes;
    if (!packing.unpack(file->bytes(), bytes)) {
      why_not = fmt::format("it is packed with {}, and damaged", packing.name);
      return {};
    }
    if (write_atomically(cached, {bytes})) return cached;
    why_not = fmt::format("{} cannot be written: {}", cached.string(), std::strerror(errno));
    return {};
  }
  return path;
}

}  // namespace stp
