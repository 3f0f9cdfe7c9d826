// The runtime's arrays and statistics as a library of this process: runtime/map.c, stat.c and
// what they use, compiled with the headers of this folder.
//
// A C++ file cannot include them, they convert void pointers as C does. So they are compiled when
// the first test asks, as emit_program.h does, with undefined behaviour turned into a trap.
#pragma once

#include <dlfcn.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "build/home.h"
#include "stp/abi.h"
#include "support/subprocess.h"
#include "testsuite/unit/kernel_shim/linux/types.h"

#define __KERNEL__ 1
extern "C" {
#include "script.h"
struct stp_map* stp_map_create(const struct stp_global* global);
void stp_map_destroy(struct stp_map* map);
bool stp_test_work(void);
void stp_test_move(char* to, const char* from, u32 n);
u64 stp_hash(struct stp_str s, u64 seed);
u32 stp_stat_size(const struct stp_stat_shape* shape);
s64 stp_stat_rank(const struct stp_stat* s, const struct stp_stat_shape* shape,
                  enum stp_stat_op op);
void stp_test_stats_count(struct stp_stats* s, const struct stp_stat_shape* shape, s64 value);
void stp_test_stat_add(struct stp_stat* s, const struct stp_stat_shape* shape, s64 value);
void stp_stat_add_all(struct stp_stat* to, const struct stp_stat* from,
                      const struct stp_stat_shape* shape);
struct stp_stats* stp_stats_create(const struct stp_stat_shape* shape);
void stp_stats_destroy(struct stp_stats* stats);
}
#undef __KERNEL__
#undef likely
#undef unlikely

namespace stp::test {

// One function of the library.
template <typename Signature>
struct LibraryFunction {
  LibraryFunction(void* library, const char* name)
      : address(reinterpret_cast<Signature*>(dlsym(library, name))) {
    if (!address) throw std::runtime_error(std::string("the runtime has no ") + name);
  }
  template <typename... Args>
  auto operator()(Args... args) const {
    return address(args...);
  }
  Signature* address;
};

class Runtime {
 public:
  static const Runtime& get() {
    static const Runtime runtime(compile());
    return runtime;
  }

#define STP_LIBRARY_FUNCTION(name) \
  LibraryFunction<decltype(::stp_##name)> name { library_, "stp_" #name }

 private:
  explicit Runtime(void* library) : library_(library) {}
  void* library_;

 public:
  STP_LIBRARY_FUNCTION(map_create);
  STP_LIBRARY_FUNCTION(map_destroy);
  STP_LIBRARY_FUNCTION(test_work);
  STP_LIBRARY_FUNCTION(map_find);
  STP_LIBRARY_FUNCTION(map_make);
  STP_LIBRARY_FUNCTION(map_delete);
  STP_LIBRARY_FUNCTION(map_clear);
  STP_LIBRARY_FUNCTION(entry_key);
  STP_LIBRARY_FUNCTION(entry_key_string);
  STP_LIBRARY_FUNCTION(walk_begin);
  STP_LIBRARY_FUNCTION(walk_next);
  STP_LIBRARY_FUNCTION(walk_end);
  STP_LIBRARY_FUNCTION(copy);
  STP_LIBRARY_FUNCTION(equal);
  STP_LIBRARY_FUNCTION(hash);
  STP_LIBRARY_FUNCTION(test_move);
  STP_LIBRARY_FUNCTION(stat_size);
  STP_LIBRARY_FUNCTION(stat_rank);
  STP_LIBRARY_FUNCTION(test_stat_add);
  STP_LIBRARY_FUNCTION(test_stats_count);
  STP_LIBRARY_FUNCTION(stat_add_all);
  STP_LIBRARY_FUNCTION(stat_value);
  STP_LIBRARY_FUNCTION(stat_bucket);
  STP_LIBRARY_FUNCTION(stats_create);
  STP_LIBRARY_FUNCTION(stats_destroy);
  STP_LIBRARY_FUNCTION(stats_part);
  STP_LIBRARY_FUNCTION(stats_merge);
  STP_LIBRARY_FUNCTION(stats_clear);
  STP_LIBRARY_FUNCTION(histogram_size);
  STP_LIBRARY_FUNCTION(put_histogram);
#undef STP_LIBRARY_FUNCTION

  static s64* entry_number(stp_entry* e) { return ::stp_entry_number(e); }
  static stp_text* entry_text(stp_entry* e) { return ::stp_entry_text(e); }
  static stp_stat* entry_stat(stp_entry* e) { return ::stp_entry_stat(e); }

  // Where the code believes to run.
  int& cpu = *static_cast<int*>(dlsym(library_, "shim_cpu"));
  int& nmi = *static_cast<int*>(dlsym(library_, "shim_nmi"));
  // The CPU that handlers wait for, now and when work was done last; -1: none.
  int& awaited = *static_cast<int*>(dlsym(library_, "stp_awaited_cpu"));
  int& awaited_at_work = *static_cast<int*>(dlsym(library_, "shim_awaited_at_work"));
  // Delays in which other handlers end their own wait, before work is done.
  int& idle_delays = *static_cast<int*>(dlsym(library_, "shim_idle_delays"));
  // What the shim offers, see linux/slab.h and linux/hash.h there.
  long& blocks = *static_cast<long*>(dlsym(library_, "shim_blocks"));
  long& allocations_left = *static_cast<long*>(dlsym(library_, "shim_allocations_left"));
  u32& hash_mask = *static_cast<u32*>(dlsym(library_, "shim_hash_mask"));
  // Arrays grow to an eighth of it, together; those made while it is 0 begin with no more than they must.
  unsigned long& total_pages = *static_cast<unsigned long*>(dlsym(library_, "shim_total_pages"));
  // The array that is worked on in the background, and what is done while that goes on.
  stp_global& global = *static_cast<stp_global*>(dlsym(library_, "shim_global"));
  void (*&meanwhile)() = *static_cast<void (**)()>(dlsym(library_, "shim_meanwhile"));
  // MAXSTRINGLEN, see runtime_under_test.c.
  static constexpr u32 string_size = 16;

 private:
  static void* compile() {
    char name[] = "/tmp/stp-runtime-XXXXXX";
    std::filesystem::path folder = mkdtemp(name), home = home_dir();
    std::filesystem::path shim = home / "testsuite/unit/kernel_shim";
    std::vector<std::string> command = {"gcc",
                                        "-std=gnu11",
                                        "-O1",
                                        "-g",
                                        "-Wall",
                                        "-Werror",
                                        "-Wno-format",
                                        "-D__KERNEL__", "-D_GNU_SOURCE",
                                        "-fwrapv",
                                        "-fno-strict-aliasing",
                                        "-fsanitize=undefined",
                                        "-fsanitize-undefined-trap-on-error",
                                        "-shared",
                                        "-fPIC",
                                        "-o",
                                        "library.so"};
    for (const auto& path : {shim, home / "runtime", home / "include"})
      command.insert(command.end(), {"-I", path.string()});
    for (const char* file : {"map.c", "map_store.c", "walk.c", "grow.c", "area.c", "stat.c", "string.c", "errors.c"})
      command.push_back((home / "runtime" / file).string());
    command.push_back((shim / "runtime_under_test.c").string());
    bool compiled = run_logged(command, folder / "log", folder) == 0;
    void* library =
        compiled ? dlopen((folder / "library.so").c_str(), RTLD_NOW | RTLD_LOCAL) : nullptr;
    std::ifstream log(folder / "log");
    std::string why_not(std::istreambuf_iterator<char>(log), {});
    std::filesystem::remove_all(folder);
    if (!library) throw std::runtime_error("the runtime does not compile for a test:\n" + why_not);
    return library;
  }
};

}  // namespace stp::test
