// Finding kernels in trees, and unpacking their images.
#include "target/target.h"

#include <gtest/gtest.h>
#include <lzma.h>
#include <sys/utsname.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>

#include "target/cache.h"
#include "target/locate.h"
#include "target/unpack.h"
#include "testsuite/unit/fake_image.h"

namespace stp {
namespace {

namespace fs = std::filesystem;
using namespace testing_images;

// .note.gnu.build-id with the id `bytes`.
FakeSection build_id(const std::string& bytes) {
  std::string note(12, '\0');
  uint32_t words[] = {4, static_cast<uint32_t>(bytes.size()), 3 /* NT_GNU_BUILD_ID */};
  memcpy(note.data(), words, sizeof words);
  note += std::string("GNU\0", 4) + bytes;
  return {".note.gnu.build-id", SHT_NOTE, SHF_ALLOC, 0x1000, note, 0};
}

std::string some_elf(const std::string& id = "12345678") {
  return make_elf(
      {build_id(id), {".text", SHT_PROGBITS, SHF_ALLOC, 0x2000, std::string(90000, 'x'), 0}});
}

std::string le32(size_t n) {
  auto value = static_cast<uint32_t>(n);
  return std::string(reinterpret_cast<const char*>(&value), 4);
}

std::string xz(const std::string& in) {
  std::string out(in.size() + 4096, '\0');
  size_t size = 0;
  lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, nullptr, reinterpret_cast<const uint8_t*>(in.data()),
                          in.size(), reinterpret_cast<uint8_t*>(out.data()), &size, out.size());
  return out.substr(0, size) + le32(in.size());
}

std::string zstd(const std::string& in) {
  std::string out(ZSTD_compressBound(in.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), in.data(), in.size(), 3));
  return out + le32(in.size());
}

std::string gzip(const std::string& in) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(in.size() + 4096, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;  // gzip's own trailer ends with the size
}

// A boot image by the x86 boot protocol, its payload behind two setup sectors.
std::string boot_image(const std::string& payload) {
  std::string image(2 * 512, '\0');
  image[0x1f1] = 1;
  memcpy(image.data() + 0x202, "HdrS", 4);
  image[0x206] = 0x0f, image[0x207] = 0x02;
  memcpy(image.data() + 0x248, le32(16).data(), 4);
  memcpy(image.data() + 0x24c, le32(payload.size()).data(), 4);
  return image + std::string(16, 'p') + payload;
}

void install(const World& world, const std::string& release, const std::string& payload) {
  std::string tree = "tree/";
  world.write(tree + "boot/vmlinuz-" + release, boot_image(payload));
  std::string headers = tree + "usr/src/linux-headers-" + release;
  world.write(headers + "/.config",
              "# made\nCONFIG_A=y\nCONFIG_B=m\nCONFIG_T=\"some text\"\n# CONFIG_N is not set\n");
  world.write(headers + "/Module.symvers",
              "0x1\tvfs_read\tvmlinux\tEXPORT_SYMBOL\t\n0x2\tkfree\tvmlinux\tEXPORT_SYMBOL\t\n");
  world.write(headers + "/include/config/kernel.release", release + "\n");
  fs::create_directories(world.root / tree / "lib/modules" / release);
  // As packages have it: an absolute link that means the tree's own /usr.
  fs::create_symlink("/usr/src/linux-headers-" + release,
                     world.root / tree / "lib/modules" / release / "build");
}

TEST(FindTarget, DescribesAKernelOfAnUnpackedTree) {
  World world;
  install(world, "9.1.2-test", xz(some_elf()));
  Diagnostics d;
  auto target = find_target("9.1.2-test", d);
  ASSERT_TRUE(target);
  EXPECT_FALSE(d.failed());
  EXPECT_EQ(target->version, "9.1.2");
  EXPECT_EQ(target->arch, "x86_64");
  EXPECT_EQ(target->sysroot, world.root / "tree");
  EXPECT_EQ(target->build_dir, world.root / "tree/usr/src/linux-headers-9.1.2-test");
  EXPECT_EQ(target->build_id, "3132333435363738");
  EXPECT_EQ(target->config.at("CONFIG_T"), "\"some text\"");
  EXPECT_EQ(target->config.at("CONFIG_B"), "m");
  EXPECT_FALSE(target->has_config("CONFIG_N"));
  EXPECT_EQ(text_of_file(target->vmlinux), some_elf());
}

TEST(FindTarget, TellsWhatIsLocatedBeforeTheImageIsUnpacked) {
  World world;
  install(world, "9.1.2-test", xz(some_elf()));
  Diagnostics d;
  int calls = 0;
  auto target = find_target("9.1.2-test", d, {}, [&](const Target& located) {
    ++calls;
    EXPECT_EQ(located.build_dir, world.root / "tree/usr/src/linux-headers-9.1.2-test");
    EXPECT_EQ(located.config.at("CONFIG_B"), "m");
    EXPECT_EQ(located.vmlinux, "");
  });
  EXPECT_TRUE(target);
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(find_target("9.9", d, {}, [&](const Target&) { ++calls; }));
  EXPECT_EQ(calls, 1) << "there is none";
}

TEST(FindTarget, TakesABuildDirectory) {
  World world;
  install(world, "9.1.2-test", gzip(some_elf()));
  Diagnostics d;
  auto target = find_target(world.root / "tree/usr/src/linux-headers-9.1.2-test", d);
  ASSERT_TRUE(target);
  EXPECT_EQ(target->release, "9.1.2-test");
  EXPECT_FALSE(find_target(world.root / "tree", d));
  EXPECT_EQ(d.all().back().code, Code::no_kernel);
}

TEST(FindTarget, LooksInTheSysrootAlone) {
  World world;
  install(world, "9.1.2-test", xz(some_elf()));
  fs::rename(world.root / "tree", world.root / "root");
  Diagnostics d;
  EXPECT_FALSE(find_target("9.1.2-test", d)) << "it is in no tree that is looked in";
  auto target = find_target("9.1", d, world.root / "root");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->release, "9.1.2-test");
  EXPECT_EQ(target->sysroot, world.root / "root");
  EXPECT_EQ(target->build_dir, world.root / "root/usr/src/linux-headers-9.1.2-test");
  EXPECT_EQ(target->trees, std::vector<fs::path>{world.root / "root"});
  Diagnostics missing;
  EXPECT_FALSE(find_target("9.1", missing, world.root / "nowhere"));
  EXPECT_EQ(missing.all().back().code, Code::bad_option);
  install(world, "9.2.0-test", xz(some_elf()));
  EXPECT_FALSE(find_target("9.2", missing, world.root / "root")) << "trees do not count beside it";
  EXPECT_EQ(missing.all().back().code, Code::no_kernel);
}

TEST(FindTarget, TakesTheNewestReleaseThatBeginsSo) {
  World world;
  install(world, "9.1.2-test", xz(some_elf()));
  install(world, "9.1.10-test", xz(some_elf()));
  install(world, "9.10.1-test", xz(some_elf()));
  Diagnostics d;
  EXPECT_EQ(find_target("9.1", d)->release, "9.1.10-test");
  EXPECT_EQ(find_target("9.1.2", d)->release, "9.1.2-test");
  EXPECT_FALSE(find_target("9.1.", d));
}

TEST(FindTarget, SaysWhatWasLookedForAndWhatIsThere) {
  World world;
  install(world, "9.1.2-test", xz(some_elf()));
  Diagnostics d;
  EXPECT_FALSE(find_target("9.1.3-test", d));
  ASSERT_EQ(d.errors(), 1u);
  EXPECT_EQ(d.all()[0].code, Code::no_kernel);
  std::string text = render(d.all()[0]);
  EXPECT_NE(text.find("did you mean '9.1.2-test'"), text.npos) << text;
  EXPECT_NE(text.find((world.root / "tree").string()), text.npos) << text;
  EXPECT_NE(text.find("apt-get install linux-image-9.1.3-test"), text.npos) << text;
}

TEST(FindTarget, RefusesDebuginfoOfAnotherBuild) {
  World world;
  install(world, "9.1.2-test", xz(some_elf("12345678")));
  auto debug = "tree/usr/lib/debug/boot/vmlinux-9.1.2-test";
  world.write(debug, some_elf("87654321"));
  Diagnostics d;
  EXPECT_TRUE(find_target("9.1.2-test", d)->debuginfo.empty());
  ASSERT_EQ(d.all().size(), 1u);
  EXPECT_EQ(d.all()[0].code, Code::no_debuginfo);
  world.write(debug, some_elf("12345678"));
  EXPECT_EQ(find_target("9.1.2-test", d)->debuginfo, world.root / debug);
}

TEST(KnownKernels, ListsWhatEachHas) {
  World world;
  install(world, "9.1.2-test", xz(some_elf()));
  world.write("tree/boot/vmlinuz-9.2-bare", "");
  auto all = known_kernels();
  auto find = [&](const std::string& release) {
    return std::find_if(all.begin(), all.end(), [&](auto& k) { return k.release == release; });
  };
  ASSERT_NE(find("9.1.2-test"), all.end());
  EXPECT_TRUE(find("9.1.2-test")->has_image && find("9.1.2-test")->has_headers);
  EXPECT_FALSE(find("9.1.2-test")->has_debuginfo);
  ASSERT_NE(find("9.2-bare"), all.end());
  EXPECT_FALSE(find("9.2-bare")->has_headers);
}

TEST(UnpackedImage, ReadsEveryPackingOfDistributions) {
  for (auto* pack : {xz, zstd, gzip}) {
    World world;
    std::string why_not;
    auto image = world.write("vmlinuz", boot_image(pack(some_elf())));
    auto elf = unpacked_image(image, why_not);
    EXPECT_EQ(text_of_file(elf), some_elf()) << why_not;
  }
}

TEST(UnpackedImage, IsUnpackedOncePerFile) {
  World world;
  std::string why_not;
  auto image = world.write("vmlinuz", boot_image(xz(some_elf("11111111"))));
  auto first = unpacked_image(image, why_not);
  auto written = fs::last_write_time(first);
  EXPECT_EQ(unpacked_image(image, why_not), first);
  EXPECT_EQ(fs::last_write_time(first), written);
  fs::remove(image);
  world.write("vmlinuz", boot_image(xz(some_elf("22222222"))));
  EXPECT_EQ(text_of_file(unpacked_image(image, why_not)), some_elf("22222222"));
}

TEST(UnpackedImage, GivesAReasonForEveryTruncation) {
  std::string whole = boot_image(xz(some_elf()));
  World world;
  for (size_t size = 1; size < whole.size(); size += 37) {
    std::string why_not;
    auto image = world.write("cut-" + std::to_string(size), whole.substr(0, size));
    EXPECT_TRUE(unpacked_image(image, why_not).empty()) << size;
    EXPECT_FALSE(why_not.empty()) << size;
  }
}

TEST(UnpackedImage, SurvivesEveryFlippedByte) {
  for (auto* pack : {xz, zstd, gzip}) {
    std::string whole = boot_image(pack(make_elf({build_id("12345678")})));
    World world;
    for (size_t at = 0x1f0; at < whole.size(); at += at < 0x250 || at > 1024 ? 1 : 64) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ 0xff);
      std::string why_not;
      auto image = world.write("flip-" + std::to_string(at), damaged);
      // The checks of the format may miss a byte that means nothing; an answer has to be one.
      bool refused = unpacked_image(image, why_not).empty();
      EXPECT_EQ(refused, !why_not.empty()) << at;
    }
  }
}

TEST(UnpackedImage, NamesAPackingThatItCannotRead) {
  World world;
  std::string why_not;
  auto image = world.write("vmlinuz", boot_image("\x02\x21\x4c\x18" + std::string(64, 'z')));
  EXPECT_TRUE(unpacked_image(image, why_not).empty());
  EXPECT_NE(why_not.find("lz4"), why_not.npos) << why_not;
}

TEST(InsideTree, KeepsLinksInTheTree) {
  World world;
  world.write("tree/real/file", "x");
  fs::create_symlink("/real", world.root / "tree/absolute");
  fs::create_symlink("../../../../real", world.root / "tree/escaping");
  fs::create_symlink("loop", world.root / "tree/loop");
  fs::path tree = world.root / "tree";
  EXPECT_EQ(inside_tree(tree, "/absolute/file"), tree / "real/file");
  EXPECT_EQ(inside_tree(tree, "/escaping/file"), tree / "real/file");
  EXPECT_TRUE(inside_tree(tree, "/loop/file").empty());
  EXPECT_TRUE(inside_tree(tree, "/nothing").empty());
}

TEST(Cache, KeyChangesWithTheFile) {
  World world;
  auto file = world.write("a", "one");
  auto key = file_key(file);
  EXPECT_EQ(key.size(), 16u);
  EXPECT_EQ(file_key(file), key);
  world.write("a", "other");
  EXPECT_NE(file_key(file), key);
  EXPECT_EQ(file_key(world.root / "none"), "");
}

TEST(Cache, WritesHolesForZeroesAndLeavesNoTemporary) {
  World world;
  std::string zeroes(1 << 20, '\0');
  auto path = world.root / "new/file";
  ASSERT_TRUE(write_atomically(path, {"head", zeroes, "tail"}));
  EXPECT_EQ(text_of_file(path), "head" + zeroes + "tail");
  EXPECT_EQ(std::distance(fs::directory_iterator(world.root / "new"), fs::directory_iterator()), 1);
  EXPECT_FALSE(write_atomically(world.root / "new/file/below", {"x"}));
}

}  // namespace
}  // namespace stp
