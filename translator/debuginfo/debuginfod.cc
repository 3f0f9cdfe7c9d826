// libdebuginfod comes with half of curl, and most runs never ask anybody: it is loaded when it is
// wanted, as libdwfl does. Its few functions are declared here, so that building stp does not need
// its headers either.
#include "debuginfo/debuginfod.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace stp {
namespace {

struct Client;  // debuginfod_client


struct Library {
  Client* (*begin)() = nullptr;
  void (*end)(Client*) = nullptr;
  // With `length` 0 the build-id is hex. Returns a file descriptor or a negative errno.
  int (*find)(Client*, const unsigned char* build_id, int length, char** path) = nullptr;

  static const Library& get() {
    static const Library library = [] {
      Library l;
      void* handle = dlopen("libdebuginfod.so.1", RTLD_LAZY);
      if (!handle) return l;
      l.begin = reinterpret_cast<decltype(l.begin)>(dlsym(handle, "debuginfod_begin"));
      l.end = reinterpret_cast<decltype(l.end)>(dlsym(handle, "debuginfod_end"));
      l.find = reinterpret_cast<decltype(l.find)>(dlsym(handle, "debuginfod_find_debuginfo"));
      return l;
    }();
    return library;
  }
  bool good() const { return begin && end && find; }
};

}  // namespace

std::filesystem::path ask_debuginfod(const std::string& build_id, std::string& why_not) {
  const char* urls = getenv("DEBUGINFOD_URLS");
  if (!urls || !*urls) {
    why_not = "DEBUGINFOD_URLS is not set";
    return {};
  }
  const Library& library = Library::get();
  if (!library.good()) {
    why_not = "libdebuginfod.so.1 is not installed: `apt-get install libdebuginfod1`";
    return {};
  }
  std::unique_ptr<Client, void (*)(Client*)> client(library.begin(), library.end);
  if (!client) {
    why_not = "libdebuginfod cannot be used";
    return {};
  }
  char* path = nullptr;
  int fd = library.find(client.get(), reinterpret_cast<const unsigned char*>(build_id.c_str()), 0,
                        &path);
  std::unique_ptr<char, void (*)(void*)> owned(path, free);
  if (fd < 0) {
    why_not = fd == -ENOENT ? "it has none" : std::strerror(-fd);
    return {};
  }
  close(fd);
  return owned ? owned.get() : std::filesystem::path{};
}

}  // namespace stp
