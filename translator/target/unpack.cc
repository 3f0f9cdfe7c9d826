// The compressed kernel image carries all that a start without debuginfo needs: BTF, exports,
// kallsyms. It is taken from the bzImage by the fields that the x86 boot protocol gives for this
// purpose (Documentation/arch/x86/boot.rst: payload_offset and payload_length, protocol 2.08), so
// nothing is searched for.
//
// Rejected: scripts/extract-vmlinux's way, which tries every magic number at every place where it
// occurs with external programs; and keeping only some sections, since the holes make the cached
// ELF small enough and the rest is one day useful (ORC, text).

#include "target/unpack.h"

#include <elf.h>
#include <fmt/format.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <system_error>

#include "target/cache.h"
#include "target/cache_room.h"
#include "target/mapped_file.h"
#include "target/target.h"

namespace stp {
namespace {

namespace fs = std::filesystem;

// A kernel of more than this is a mistake, not a kernel.
constexpr size_t size_limit = size_t{1} << 30;

// Memory that is not cleared first: the unpacker writes all of it.
struct Buffer {
  explicit Buffer(size_t n) : data(new char[n]), size(n) {}
  std::unique_ptr<char[]> data;
  size_t size;
};

template <typename T>
T read_at(std::string_view bytes, size_t offset) {
  T value{};
  if (offset + sizeof value <= bytes.size()) memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

// Each unpacker fills `out` from `in`, which may have bytes behind the compressed data.
bool unpack_lzma_family(std::string_view in, Buffer& out) {
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_auto_decoder(&stream, UINT64_MAX, 0) != LZMA_OK) return false;
  stream.next_in = reinterpret_cast<const uint8_t*>(in.data());
  stream.avail_in = in.size();
  stream.next_out = reinterpret_cast<uint8_t*>(out.data.get());
  stream.avail_out = out.size;
  lzma_ret result = LZMA_OK;
  while (result == LZMA_OK && stream.avail_out > 0) result = lzma_code(&stream, LZMA_RUN);
  lzma_end(&stream);
  return (result == LZMA_OK || result == LZMA_STREAM_END) && stream.avail_out == 0;
}

bool unpack_zstd(std::string_view in, Buffer& out) {
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  // The kernel packs with a window of 128 MB, more than the library accepts by default.
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, 27);
  ZSTD_inBuffer from{in.data(), in.size(), 0};
  ZSTD_outBuffer to{out.data.get(), out.size, 0};
  while (to.pos < to.size) {
    size_t before = from.pos + to.pos;
    size_t left = ZSTD_decompressStream(context.get(), &to, &from);
    if (ZSTD_isError(left) || from.pos + to.pos == before) return false;
    if (left == 0) break;
  }
  return to.pos == to.size;
}

bool unpack_gzip(std::string_view in, Buffer& out) {
  z_stream stream{};
  constexpr int with_gzip_header = 16 + MAX_WBITS;
  if (inflateInit2(&stream, with_gzip_header) != Z_OK) return false;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data.get());
  stream.avail_out = static_cast<uInt>(out.size);
  int result = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  return result == Z_STREAM_END && stream.avail_out == 0;
}

struct Packing {
  std::string_view name;
  std::string_view magic;
  bool (*unpack)(std::string_view, Buffer&);  // null: known but not read
};

constexpr Packing packings[] = {
    {"xz", {"\xfd\x37zXZ\0", 6}, unpack_lzma_family},
    {"zstd", {"\x28\xb5\x2f\xfd", 4}, unpack_zstd},
    {"gzip", {"\x1f\x8b\x08", 3}, unpack_gzip},
    {"lzma", {"\x5d\0\0", 3}, unpack_lzma_family},
    {"lz4", {"\x02\x21\x4c\x18", 4}, nullptr},
    {"bzip2", {"BZh", 3}, nullptr},
    {"lzo", {"\x89LZO", 4}, nullptr},
};

const Packing* packing_of(std::string_view payload) {
  for (const auto& packing : packings)
    if (payload.starts_with(packing.magic)) return &packing;
  return nullptr;
}

// The compressed kernel of a bzImage; empty when this is none.
std::string_view payload_of(std::string_view image) {
  constexpr size_t setup_sectors = 0x1f1, magic = 0x202, protocol = 0x206, payload_offset = 0x248,
                   payload_length = 0x24c, with_payload = 0x208;
  if (image.substr(std::min(magic, image.size()), 4) != "HdrS" ||
      read_at<uint16_t>(image, protocol) < with_payload)
    return {};
  size_t sectors = read_at<uint8_t>(image, setup_sectors);
  if (sectors == 0) sectors = 4;  // boot protocol: 0 means 4
  size_t start = (sectors + 1) * 512 + read_at<uint32_t>(image, payload_offset);
  size_t length = read_at<uint32_t>(image, payload_length);
  if (start >= image.size() || length > image.size() - start || length < 8) return {};
  return image.substr(start, length);
}

// Relocations follow the ELF in the unpacked payload; only the loader wants them.
std::string_view elf_of(std::string_view unpacked) {
  auto header = read_at<Elf64_Ehdr>(unpacked, 0);
  if (!unpacked.starts_with(ELFMAG) || header.e_ident[EI_CLASS] != ELFCLASS64) return {};
  size_t end = header.e_shoff + size_t{header.e_shnum} * header.e_shentsize;
  return header.e_shoff == 0 || end > unpacked.size() ? unpacked : unpacked.substr(0, end);
}

bool unpack_into(const fs::path& cached, std::string_view image, std::string& why_not) {
  auto payload = payload_of(image);
  if (payload.empty()) {
    why_not = "it is not a bzImage of boot protocol 2.08 or later";
    return false;
  }
  const Packing* packing = packing_of(payload);
  if (!packing || !packing->unpack) {
    why_not =
        packing ? fmt::format("its kernel is packed with {}, which stp cannot read", packing->name)
                : "its kernel is packed in an unknown way";
    return false;
  }
  // All but gzip get the size appended by the kernel's build; gzip has it in its own trailer.
  size_t size = read_at<uint32_t>(payload, payload.size() - 4);
  if (size == 0 || size > size_limit) {
    why_not = "the size of its unpacked kernel makes no sense";
    return false;
  }
  Buffer unpacked(size);
  bool good = packing->unpack(payload, unpacked);
  auto elf = good ? elf_of({unpacked.data.get(), unpacked.size}) : std::string_view{};
  if (elf.empty()) {
    why_not = fmt::format("its kernel, packed with {}, is damaged", packing->name);
    return false;
  }
  if (write_atomically(cached, {elf})) return true;
  why_not = fmt::format("{} cannot be written: {}", cached.string(), strerror(errno));
  return false;
}

}  // namespace

fs::path unpacked_image(const fs::path& image, std::string& why_not) {
  fs::path cached = cache_dir() / "images" / (file_key(image) + ".vmlinux");
  std::error_code ignored;
  if (fs::exists(cached, ignored)) {
    mark_used(cached);
    return cached;
  }
  auto file = MappedFile::open(image);
  if (!file) {
    why_not = strerror(errno);
    return {};
  }
  if (file->bytes().starts_with(ELFMAG)) return image;
  return unpack_into(cached, file->bytes(), why_not) ? cached : fs::path{};
}

}  // namespace stp
