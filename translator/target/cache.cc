// The cache: derived files are found by the identity of what they were derived from, never by
// reading it, so that a second start costs a stat(2).
//
// Rejected: keys from contents (a hash of an 8 MB image costs more than the whole lookup) and
// lock files (two processes that derive the same file at once both succeed; the later rename wins,
// and both wrote the same bytes).

#include "target/cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "target/target.h"

namespace stp {
namespace {

namespace fs = std::filesystem;

uint64_t fnv1a(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (unsigned char c : text) hash = (hash ^ c) * 0x100000001b3;
  return hash;
}

bool all_zero(std::string_view block) { return block.find_first_not_of('\0') == block.npos; }

bool write_at(int fd, std::string_view data, off_t at) {
  while (!data.empty()) {
    ssize_t n = pwrite(fd, data.data(), data.size(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    data.remove_prefix(static_cast<size_t>(n));
    at += n;
  }
  return true;
}

// Runs of zero blocks are skipped: an unpacked kernel image is a tenth padding.
bool write_sparse(int fd, std::string_view data, off_t at) {
  constexpr size_t block = 65536;
  for (size_t i = 0; i < data.size(); i += block) {
    auto part = data.substr(i, block);
    if (!all_zero(part) && !write_at(fd, part, at + static_cast<off_t>(i))) return false;
  }
  return true;
}

}  // namespace

fs::path cache_dir() {
  const char* set = getenv("STP_CACHE");
  fs::path dir;
  if (set && *set) {
    dir = set;
  } else {
    const char* home = getenv("HOME");
    const passwd* user = home && *home ? nullptr : getpwuid(getuid());
    dir = fs::path(home && *home ? home : user ? user->pw_dir : "/tmp") / ".cache/stp";
  }
  std::error_code ignored;  // what is written below it will fail and say so
  fs::create_directories(dir, ignored);
  return dir;
}

std::string file_key(const fs::path& path) {
  struct stat st;
  if (stat(path.c_str(), &st) != 0) return {};
  return fmt::format("{:016x}",
                     fnv1a(fmt::format("{}:{}:{}:{}.{}", fs::absolute(path).string(), st.st_size,
                                       st.st_ino, st.st_mtim.tv_sec, st.st_mtim.tv_nsec)));
}

bool write_atomically(const fs::path& path, const std::vector<std::string_view>& parts) {
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  std::string temporary = path.string() + ".XXXXXX";
  int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return false;
  off_t size = 0;
  bool good = true;
  for (auto part : parts) {
    good = good && write_sparse(fd, part, size);
    size += static_cast<off_t>(part.size());
  }
  good = good && ftruncate(fd, size) == 0 && fchmod(fd, 0644) == 0;
  good = close(fd) == 0 && good;
  good = good && rename(temporary.c_str(), path.c_str()) == 0;
  int error = errno;
  if (!good) unlink(temporary.c_str());
  errno = error;
  return good;
}

}  // namespace stp
