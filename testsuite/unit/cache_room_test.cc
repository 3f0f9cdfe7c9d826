// What is given up when the cache takes too much room, and what is not.
#include "target/cache_room.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "fake_image.h"

namespace stp {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;

class CacheRoom : public ::testing::Test {
 protected:
  ~CacheRoom() override { unsetenv("STP_CACHE_LIMIT"); }
  // A file of 8 KB, or a folder with one, last used so long ago.
  fs::path add(const std::string& name, int used_hours_ago, const std::string& inside = "") {
    world.write("cache/" + name + inside, std::string(8192, 'x'));
    fs::path entry = world.root / "cache" / name;
    fs::last_write_time(entry, fs::file_time_type::clock::now() - hours(used_hours_ago));
    return entry;
  }
  // Room for so many files of 8 KB and no more.
  static uintmax_t room(size_t files) { return files * 8192 + 4096; }

  testing_images::World world;
};

TEST_F(CacheRoom, GivesUpWhatWasNotUsedForTheLongestTime) {
  fs::path old = add("index/old", 30), middle = add("symbols/middle", 20), fresh = add("index/new", 10);
  Removed removed = trim_cache({"index", "symbols"}, room(2), hours(1));
  EXPECT_EQ(removed.entries, 1u);
  EXPECT_EQ(removed.bytes, 8192u);
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(middle));
  mark_used(middle);
  trim_cache({"index", "symbols"}, room(1), hours(1));
  EXPECT_TRUE(fs::exists(middle));
  EXPECT_FALSE(fs::exists(fresh));
}

TEST_F(CacheRoom, FoldersAreEntriesAndBuildsUnderWayAreNone) {
  fs::path old = add("modules/old", 30, "/a.ko"), making = add("modules/work-1-0", 40, "/script.c"),
           lock = add("runtime/x.lock", 40);
  EXPECT_EQ(cache_entries("modules").size(), 1u);
  EXPECT_GE(cache_entries("modules").front().bytes, 8192u);
  trim_cache({"modules", "runtime"}, 0, hours(1));
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(making));
  EXPECT_TRUE(fs::exists(lock));
}

TEST_F(CacheRoom, WhatWasUsedJustNowStays) {
  fs::path fresh = add("index/new", 0);
  EXPECT_EQ(trim_cache({"index"}, 0, hours(1)).entries, 0u);
  EXPECT_TRUE(fs::exists(fresh));
  EXPECT_EQ(trim_cache({"index"}, 0, std::chrono::seconds(0)).entries, 1u);
}

TEST_F(CacheRoom, IsTidiedOnceAnHour) {
  setenv("STP_CACHE_LIMIT", "10K", 1);
  add("index/a", 30);
  add("index/b", 20);
  tidy_cache();
  EXPECT_EQ(cache_entries("index").size(), 1u);
  add("index/c", 30);
  tidy_cache();
  EXPECT_EQ(cache_entries("index").size(), 2u);
  fs::last_write_time(world.root / "cache/.tidied", fs::file_time_type::clock::now() - hours(2));
  tidy_cache();
  EXPECT_EQ(cache_entries("index").size(), 1u);
}

TEST_F(CacheRoom, SizesHaveUnits) {
  EXPECT_EQ(parse_size("17"), 17u);
  EXPECT_EQ(parse_size("3K"), 3072u);
  EXPECT_EQ(parse_size("2G"), uintmax_t{2} << 30);
  for (const char* wrong : {"", "G", "-1", "1T", "1.5G", "99999999999999999999", "17179869184G"})
    EXPECT_FALSE(parse_size(wrong)) << wrong;
  setenv("STP_CACHE_LIMIT", "5M", 1);
  EXPECT_EQ(cache_limit(), uintmax_t{5} << 20);
  setenv("STP_CACHE_LIMIT", "much", 1);
  EXPECT_EQ(cache_limit(), uintmax_t{2} << 30);
}

}  // namespace
}  // namespace stp
