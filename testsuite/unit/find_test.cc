// Debug information and modules are found where distributions, packages and servers put them.
#include "debuginfo/find.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

#include "debuginfo/dwarf_file.h"
#include "debuginfo/elf_file.h"
#include "testsuite/unit/fake_image.h"

namespace stp {
namespace {

namespace fs = std::filesystem;
using testing_images::FakeSection;
using testing_images::make_elf;
using testing_images::World;

void run(const std::string& command) {
  ASSERT_EQ(system((command + " 2>&1").c_str()), 0) << command;
}

// All notes of a search.
std::string told_text(const std::vector<LookedFor>& looked_for) {
  return fmt::format("{}", fmt::join(told(looked_for), "\n"));
}

// World/tree/usr/bin/prog, stripped, and its debug information in World/prog.debug.
class FindDebuginfo : public ::testing::Test {
 protected:
  void SetUp() override {
    world.write("prog.c", "int main(void) { return 0; }\n");
    program = world.write("tree/usr/bin/prog", "");
    debug = world.root / "prog.debug";
    build("");
  }
  void build(const std::string& options) {
    std::string dir = world.root.string();
    run(fmt::format("gcc -g {0} -o {1} {2}/prog.c && objcopy --only-keep-debug {1} {2}/prog.debug "
                    "&& strip -g {1}",
                    options, program.string(), dir));
    std::string why_not;
    auto elf = read_elf_file(program, why_not);
    ASSERT_TRUE(elf) << why_not;
    EXPECT_FALSE(elf->has_dwarf);
    build_id = elf->build_id;
  }
  void link() {
    run(fmt::format("objcopy --remove-section .gnu_debuglink {0} && cd {1} && "
                    "objcopy --add-gnu-debuglink=prog.debug {0}",
                    program.string(), world.root.string()));
  }
  fs::path put(const std::string& where) {
    fs::path to = world.root / where;
    fs::create_directories(to.parent_path());
    fs::copy_file(debug, to, fs::copy_options::overwrite_existing);
    return to;
  }
  fs::path by_id(const std::string& tree) const {
    return tree + "/usr/lib/debug/.build-id/" + build_id.substr(0, 2) + "/" + build_id.substr(2) +
           ".debug";
  }
  DebugSearch search() const { return find_debuginfo(program, {world.root / "tree"}); }

  World world;
  fs::path program, debug;
  std::string build_id;
};

TEST_F(FindDebuginfo, InTheFileItself) { EXPECT_EQ(find_debuginfo(debug, {}).file, debug); }

TEST_F(FindDebuginfo, ByBuildIdBelowTheSysroot) {
  fs::path there = put(by_id("tree"));
  EXPECT_EQ(search().file, there);
  EXPECT_EQ(find_debuginfo_of(build_id, {world.root / "tree"}).file, there);
  EXPECT_TRUE(find_debuginfo(program, {world.root / "other"}).file.empty());
}

TEST_F(FindDebuginfo, AnotherBuildIsNotTaken) {
  fs::path there = put(by_id("tree"));
  world.write("prog.c", "int main(void) { return 1; }\n");
  std::string before = build_id;
  build("");
  ASSERT_NE(before, build_id);
  fs::path wrong = world.root / by_id("tree");
  fs::create_directories(wrong.parent_path());
  fs::rename(there, wrong);
  DebugSearch found = search();
  EXPECT_TRUE(found.file.empty());
  EXPECT_NE(told_text(found.looked_for).find("it is of another build, " + before), std::string::npos)
      << told_text(found.looked_for);
}

TEST_F(FindDebuginfo, ByLinkInEachOfItsFolders) {
  build("-Wl,--build-id=none");
  ASSERT_EQ(build_id, "");
  link();
  for (const char* where : {"tree/usr/bin/prog.debug", "tree/usr/bin/.debug/prog.debug",
                            "tree/usr/lib/debug/usr/bin/prog.debug"}) {
    EXPECT_TRUE(search().file.empty());
    fs::path there = put(where);
    EXPECT_EQ(search().file, there);
    fs::remove(there);
  }
}

TEST_F(FindDebuginfo, TheLinksChecksumCounts) {
  build("-Wl,--build-id=none");
  link();
  world.write("prog.c", "int other; int main(void) { return 2; }\n");
  fs::path linked = world.root / "linked";
  fs::rename(program, linked);
  build("-Wl,--build-id=none");
  fs::rename(linked, program);
  fs::path there = put("tree/usr/bin/prog.debug");
  DebugSearch found = search();
  EXPECT_TRUE(found.file.empty());
  EXPECT_NE(told_text(found.looked_for).find(there.string() + ": its checksum is not"), std::string::npos)
      << told_text(found.looked_for);
}

TEST_F(FindDebuginfo, ByPathWhenTheBuildIdSaysThatItIsTheOne) {
  fs::path there = put("tree/usr/lib/debug/usr/bin/prog.debug");
  EXPECT_EQ(search().file, there);
}

TEST_F(FindDebuginfo, CompressedSectionsCount) {
  for (const char* way : {"zlib", "zlib-gnu"}) {
    run(fmt::format("objcopy --compress-debug-sections={} {} {}", way, debug.string(),
                    (world.root / "packed").string()));
    EXPECT_EQ(find_debuginfo(world.root / "packed", {}).file, world.root / "packed") << way;
  }
}

TEST_F(FindDebuginfo, WhatWasLookedForIsTold) {
  link();
  std::string text = told_text(search().looked_for);
  EXPECT_NE(text.find(fmt::format("looked for {}, usr/lib/debug/usr/bin/prog[.debug] below {}\n",
                                  by_id("").string().substr(1), (world.root / "tree").string())),
            std::string::npos)
      << text;
  for (const fs::path& place :
       {world.root / "tree/usr/bin/prog.debug", world.root / "tree/usr/bin/.debug/prog.debug"})
    EXPECT_NE(text.find(place.string()), std::string::npos) << place << "\n" << text;
}

TEST_F(FindDebuginfo, LinksThatLeadToOtherFoldersAreNotFollowed) {
  world.write("bad", make_elf({{".gnu_debuglink", SHT_PROGBITS, 0, 0,
                                std::string("../../prog.debug\0\0\0\0\0\0\0\0", 24), 0}}));
  EXPECT_EQ(find_debuginfo(world.root / "bad", {world.root}).looked_for.size(), 1u);
}

TEST_F(FindDebuginfo, NoElfFile) {
  DebugSearch found = find_debuginfo(world.write("text", "hello"), {});
  EXPECT_TRUE(found.file.empty());
  EXPECT_NE(told_text(found.looked_for).find("it is no ELF file"), std::string::npos);
  EXPECT_TRUE(find_debuginfo(world.root / "nowhere", {}).file.empty());
}

// A header of twelve bytes can claim any size, and libelf reserves it.
TEST_F(FindDebuginfo, SectionsThatUnpackToTooMuchAreRefused) {
  Elf64_Chdr packing{ELFCOMPRESS_ZLIB, 0, uint64_t{1} << 40, 1};
  std::string claim(reinterpret_cast<const char*>(&packing), sizeof packing);
  fs::path file = world.write(
      "bomb", make_elf({{".debug_info", SHT_PROGBITS, SHF_COMPRESSED, 0, claim + "xxxxxxxxx", 0}}));
  dwarf::File opened(file);
  EXPECT_EQ(opened.dwarf(), nullptr);
  EXPECT_EQ(opened.error(), "its sections unpack to more than 768 MB");
  file = world.write("old", make_elf({{".zdebug_info", SHT_PROGBITS, 0, 0,
                                       std::string("ZLIB\0\0\1\0\0\0\0\0xxxxx", 17), 0}}));
  EXPECT_EQ(dwarf::File(file).error(), "its sections unpack to more than 768 MB");
}

// Servers are asked only when they are named. libdebuginfod takes file:// as well as http://.
class Debuginfod : public FindDebuginfo {
 protected:
  void SetUp() override {
    FindDebuginfo::SetUp();
    setenv("DEBUGINFOD_CACHE_PATH", (world.root / "served").c_str(), 1);
  }
  void TearDown() override {
    for (const char* name : {"DEBUGINFOD_URLS", "DEBUGINFOD_CACHE_PATH", "DEBUGINFOD_TIMEOUT"})
      unsetenv(name);
  }
};

TEST_F(Debuginfod, GivesWhatNoTreeHas) {
  put("server/buildid/" + build_id + "/debuginfo");
  unsetenv("DEBUGINFOD_URLS");
  EXPECT_TRUE(search().file.empty());
  setenv("DEBUGINFOD_URLS", ("file://" + (world.root / "server").string()).c_str(), 1);
  DebugSearch found = search();
  ASSERT_FALSE(found.file.empty()) << told_text(found.looked_for);
  std::string why_not;
  EXPECT_EQ(read_elf_file(found.file, why_not)->build_id, build_id);
}

TEST_F(Debuginfod, ASilentServerIsGivenUp) {
  int listening = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listening, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listening, 8), 0);
  getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size);
  std::string url = fmt::format("http://127.0.0.1:{}", ntohs(address.sin_port));
  setenv("DEBUGINFOD_URLS", url.c_str(), 1);
  setenv("DEBUGINFOD_TIMEOUT", "1", 1);
  auto start = std::chrono::steady_clock::now();
  DebugSearch found = search();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  close(listening);
  EXPECT_TRUE(found.file.empty());
  EXPECT_NE(told_text(found.looked_for).find(url), std::string::npos) << told_text(found.looked_for);
}

// ---- modules

std::string build_id_note(char fill) {
  std::string note("\4\0\0\0\4\0\0\0\3\0\0\0GNU\0", 16);
  return note + std::string(4, fill);
}
std::string fake_module(char id, bool dwarf) {
  std::vector<FakeSection> sections = {
      {".note.gnu.build-id", SHT_NOTE, SHF_ALLOC, 0, build_id_note(id), 0}};
  if (dwarf) sections.push_back({".debug_info", SHT_PROGBITS, 0, 0, "x", 0});
  return make_elf(sections);
}

class FindModule : public ::testing::Test {
 protected:
  FindModule() {
    target.release = "9.9";
    target.modules_dir = world.root / "tree/lib/modules/9.9";
    target.trees = {world.root / "tree"};
  }
  fs::path write(const std::string& below, const std::string& bytes) {
    return world.write("tree/lib/modules/9.9/" + below, bytes);
  }
  World world;
  Target target;
};

TEST_F(FindModule, ByNameWithEitherDash) {
  fs::path file = write("kernel/drivers/net/virtio_net.ko", fake_module('a', false));
  EXPECT_EQ(find_module_file(target, "virtio_net"), file);
  EXPECT_EQ(find_module_file(target, "virtio-net"), file);
  EXPECT_EQ(find_module_file(target, "virtio"), "");
  EXPECT_EQ(find_module_file(target, ""), "");
  fs::path dashed = write("kernel/snd-hda.ko", fake_module('a', false));
  EXPECT_EQ(find_module_file(target, "snd_hda"), dashed);
  EXPECT_EQ(module_names(target), (std::vector<std::string>{"snd_hda", "virtio_net"}));
}

TEST_F(FindModule, ModulesDepDecides) {
  fs::path old_one = write("kernel/fs/a.ko", fake_module('a', false));
  fs::path updated = write("updates/a.ko", fake_module('b', false));
  EXPECT_EQ(find_module_file(target, "a"), updated);
  write("modules.dep", "kernel/fs/b.ko:\nkernel/fs/a.ko: kernel/fs/b.ko\n");
  EXPECT_EQ(find_module_file(target, "a"), old_one);
}

TEST_F(FindModule, OutOfTreeModulesComeFirst) {
  write("kernel/fs/a.ko", fake_module('a', false));
  write("modules.order", "kernel/fs/a.ko\n");
  fs::path extra = write("extra/vendor/a.ko", fake_module('b', false));
  EXPECT_EQ(find_module_file(target, "a"), extra);
}

TEST_F(FindModule, PackedInEachWay) {
  fs::path plain = world.write("plain", fake_module('p', true));
  for (std::string way : {"xz -c --check=crc32", "zstd -qc", "gzip -c"}) {
    fs::remove_all(target.modules_dir);
    std::string ending = way[0] == 'x' ? "xz" : way[0] == 'z' ? "zst" : "gz";
    fs::path packed = write("kernel/a.ko." + ending, "");
    write("modules.order", "kernel/a.ko\n");
    run(fmt::format("{} {} > {}", way, plain.string(), packed.string()));
    EXPECT_EQ(find_module_file(target, "a"), packed) << way;
    ModuleFiles found = find_module(target, "a");
    ASSERT_FALSE(found.module.empty()) << way << told_text(found.looked_for);
    EXPECT_EQ(fs::file_size(found.module), fs::file_size(plain)) << way;
    EXPECT_EQ(found.debuginfo, found.module) << way;
    fs::resize_file(packed, fs::file_size(packed) - 9);
    found = find_module(target, "a");
    EXPECT_TRUE(found.module.empty()) << way;
    EXPECT_NE(told_text(found.looked_for).find("damaged"), std::string::npos) << way;
  }
}

TEST_F(FindModule, ItsDebuginfoIsOfTheSameBuild) {
  write("kernel/fs/a.ko", fake_module('a', false));
  fs::path debug =
      world.write("tree/usr/lib/debug/lib/modules/9.9/kernel/fs/a.ko", fake_module('b', true));
  ModuleFiles found = find_module(target, "a");
  EXPECT_TRUE(found.debuginfo.empty());
  EXPECT_NE(told_text(found.looked_for).find(debug.string() + ": it is of another build"),
            std::string::npos)
      << told_text(found.looked_for);
  world.write("tree/usr/lib/debug/lib/modules/9.9/kernel/fs/a.ko", fake_module('a', true));
  EXPECT_EQ(find_module(target, "a").debuginfo, debug);
  fs::remove(debug);
  fs::path fedora = world.write("tree/usr/lib/debug/lib/modules/9.9/kernel/fs/a.ko.debug",
                                fake_module('a', true));
  EXPECT_EQ(find_module(target, "a").debuginfo, fedora);
  fs::remove(fedora);
  fs::path by_id = world.write("tree/usr/lib/debug/.build-id/61/616161.debug",
                               fake_module('a', true));
  EXPECT_EQ(find_module(target, "a").debuginfo, by_id);
}

TEST_F(FindModule, BuiltinModulesHaveNoFile) {
  write("modules.builtin", "kernel/fs/exportfs/exportfs.ko\nkernel/net/unix-diag.ko\n");
  EXPECT_TRUE(find_module(target, "unix_diag").builtin);
  EXPECT_FALSE(find_module(target, "diag").builtin);
  ModuleFiles found = find_module(target, "nosuch");
  EXPECT_FALSE(found.builtin);
  EXPECT_NE(told_text(found.looked_for).find("nosuch.ko"), std::string::npos);
}

}  // namespace
}  // namespace stp
