// The reader: rings, the account, module files. Rings are ordinary files here: what the kernel
// would do to them, the test does.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "case_files.h"
#include "loader/account.h"
#include "loader/backlog.h"
#include "loader/module_file.h"
#include "loader/monitor.h"
#include "loader/options.h"
#include "loader/printer.h"
#include "loader/rings.h"
#include "loader/rotation.h"
#include "loader/times.h"

namespace stp::load {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "stp-loader-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  std::string path() const { return path_; }

 private:
  std::string path_;
};

// A ring as the kernel writes it.
class FakeRing {
 public:
  FakeRing(const std::string& folder, unsigned cpu, size_t size) : mapped_(STP_RING_HEADER + size) {
    std::string path = fmt::format("{}/ring{}", folder, cpu);
    int fd = open(path.c_str(), O_RDWR | O_CREAT, 0600);
    EXPECT_EQ(ftruncate(fd, static_cast<off_t>(mapped_)), 0);
    void* at = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    ring = static_cast<stp_ring*>(at);
    data_ = static_cast<char*>(at) + STP_RING_HEADER;
    ring->magic = STP_RING_MAGIC;
    ring->cpu = cpu;
    ring->size = size;
  }
  ~FakeRing() { munmap(ring, mapped_); }

  // Writes a text record, padding first where it would cross the end; commits it.
  void put(uint64_t time, std::string_view text, bool commit = true) {
    uint32_t length = (sizeof(stp_record) + 4 + static_cast<uint32_t>(text.size()) + 7) & ~7u;
    uint64_t room = ring->size - (ring->reserve & (ring->size - 1));
    if (room < length) {
      stp_record pad{static_cast<uint32_t>(room), STP_RECORD_PAD, 0, 0};
      std::memcpy(at(ring->reserve), &pad, 8);
      ring->reserve += room;
    }
    stp_record head{length, STP_RECORD_TEXT, 0, time};
    auto size = static_cast<uint32_t>(text.size());
    std::memcpy(at(ring->reserve), &head, sizeof head);
    std::memcpy(at(ring->reserve) + sizeof head, &size, 4);
    std::memcpy(at(ring->reserve) + sizeof head + 4, text.data(), size);
    ring->reserve += length;
    if (commit) ring->commit = ring->reserve;
  }

  stp_ring* ring;

 private:
  char* at(uint64_t position) { return data_ + (position & (ring->size - 1)); }
  size_t mapped_;
  char* data_;
};

std::string read_all(Rings& rings, bool everything = true) {
  std::string text;
  rings.read(everything, [&](const Record& r) {
    uint32_t size = 0;
    std::memcpy(&size, r.payload.data(), 4);
    text += r.payload.substr(4, size);
    text += ' ';
  });
  return text;
}

TEST(Rings, MergesCpusInOrderOfTime) {
  Folder folder;
  FakeRing a(folder.path(), 0, 4096), b(folder.path(), 1, 4096);
  a.put(10, "a10");
  a.put(30, "a30");
  b.put(20, "b20");
  b.put(40, "b40");
  Rings rings(folder.path());
  EXPECT_EQ(read_all(rings), "a10 b20 a30 b40 ");
}

// A CPU that comes online while others print: none of their later records goes first.
TEST(Rings, MergesARingThatComesLater) {
  Folder folder;
  FakeRing a(folder.path(), 0, 4096);
  Rings rings(folder.path());
  a.put(10, "a10");
  EXPECT_EQ(read_all(rings), "a10 ");
  FakeRing b(folder.path(), 1, 4096);
  a.ring->rings = b.ring->rings = 2;
  b.put(20, "b20");
  a.put(30, "a30");
  EXPECT_EQ(read_all(rings), "b20 a30 ");
}

TEST(Rings, KeepsAHandlersRecordsTogetherWhenTimesAreEqual) {
  Folder folder;
  FakeRing a(folder.path(), 0, 4096), b(folder.path(), 1, 4096);
  b.put(10, "b1");
  b.put(10, "b2");
  a.put(10, "a1");
  a.put(10, "a2");
  Rings rings(folder.path());
  EXPECT_EQ(read_all(rings), "a1 a2 b1 b2 ");
}

TEST(Rings, PutsAnInterruptedHandlersRecordsBackTogether) {
  Folder folder;
  FakeRing a(folder.path(), 0, 4096);
  a.put(10, "outer1");
  a.put(20, "nmi");
  a.put(10, "outer2");
  Rings rings(folder.path());
  EXPECT_EQ(read_all(rings), "outer1 outer2 nmi ");
}

// A record of the future waits: others may come before it. The future is that of the ring's clock.
TEST(Rings, WaitsForWhatTheRingsClockHasNotReached) {
  for (stp_u32 clock : {STP_CLOCK_MONOTONIC, STP_CLOCK_TSC}) {
    Folder folder;
    FakeRing a(folder.path(), 0, 4096);
    a.ring->clock = clock;
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t ns = static_cast<uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(t.tv_nsec);
    uint64_t now = clock == STP_CLOCK_TSC ? __builtin_ia32_rdtsc() : ns;
    a.put(now, "now");
    a.put(now + (1ull << 50), "later");
    Rings rings(folder.path());
    EXPECT_EQ(read_all(rings, false), "now ") << clock;
  }
}

TEST(Control, SaysThatSomebodyElseWasFaster) {
  Folder folder;
  try {
    load::Control control(folder.path() + "/opens");
    FAIL() << "there is none";
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "opens is gone: somebody else has read it to its end, or removed it");
  }
}

TEST(Control, TakesTheClockThatTheKernelTakes) {
  Folder folder;
  std::filesystem::create_directory(folder.path() + "/clocksource0");
  auto is = [&](const char* name) {
    std::ofstream(folder.path() + "/clocksource0/current_clocksource") << name;
    return load::Control::clock_of_kernel(folder.path());
  };
  EXPECT_EQ(is("tsc\n"), static_cast<stp_u32>(STP_CLOCK_TSC));
  EXPECT_EQ(is("tsc-early\n"), static_cast<stp_u32>(STP_CLOCK_MONOTONIC));
  EXPECT_EQ(is("kvm-clock\n"), static_cast<stp_u32>(STP_CLOCK_MONOTONIC));
  EXPECT_EQ(load::Control::clock_of_kernel(folder.path() + "/absent"),
            static_cast<stp_u32>(STP_CLOCK_MONOTONIC));
}

TEST(Rings, DoesNotGiveRoomBackBeforeRelease) {
  Folder folder;
  FakeRing a(folder.path(), 0, 4096);
  a.put(10, "x");
  Rings rings(folder.path());
  read_all(rings);
  EXPECT_EQ(a.ring->consumed, 0u);
  rings.release();
  EXPECT_EQ(a.ring->consumed, a.ring->commit);
}

TEST(Rings, ASecondReaderGoesOnWhereTheFirstReleased) {
  Folder folder;
  FakeRing a(folder.path(), 0, 4096);
  a.put(10, "printed");
  {
    Rings first(folder.path());
    read_all(first);
    first.release();
    a.put(20, "unprinted");
    read_all(first);
  }
  Rings second(folder.path());
  EXPECT_EQ(read_all(second), "unprinted ");
}

TEST(Rings, HoldsBackRecordsOfTheFuture) {
  Folder folder;
  FakeRing a(folder.path(), 0, 4096);
  a.put(10, "past");
  a.put(UINT64_MAX - 1, "future");
  Rings rings(folder.path());
  EXPECT_EQ(read_all(rings, false), "past ");
  EXPECT_EQ(read_all(rings, true), "future ");
}

TEST(Backlog, TakesWhatAPipeHasNoRoomFor) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::string expected, read_back;
  {
    Backlog backlog(ends[1], 64 << 20);
    // Nobody reads yet: a pipe holds 64 kB.
    for (int i = 0; i < 1000; ++i) {
      std::string text(1000, static_cast<char>('a' + i % 26));
      expected += text;
      EXPECT_EQ(backlog.put(text), 0);
      EXPECT_TRUE(text.empty());
    }
    std::thread reader([&] {
      char bytes[4096];
      while (read_back.size() < expected.size())
        read_back.append(bytes, static_cast<size_t>(read(ends[0], bytes, sizeof bytes)));
    });
    EXPECT_EQ(backlog.drain(), 0);
    reader.join();
  }
  EXPECT_EQ(read_back, expected);
  close(ends[0]);
  signal(SIGPIPE, SIG_IGN);
  Backlog broken(ends[1], 1 << 20);
  std::string text = "lost";
  EXPECT_EQ(broken.put(text), 0);
  EXPECT_EQ(broken.drain(), EPIPE);
  EXPECT_EQ(broken.put(text), EPIPE);
  close(ends[1]);
}

TEST(Backlog, HoldsNoMoreThanItMay) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::atomic<int> taken{0};
  std::string read_back;
  Backlog backlog(ends[1], 100'000);
  std::thread writer([&] {
    for (int i = 0; i < 30; ++i, ++taken) {
      std::string text(50'000, 'x');
      backlog.put(text);
    }
  });
  // The pipe and the part under way take some besides.
  while (taken < 3) std::this_thread::yield();
  char bytes[4096];
  while (read_back.size() < 30 * 50'000) {
    EXPECT_LE(taken * 50'000, static_cast<int>(read_back.size()) + 65536 + 3 * 50'000 + 100'000);
    read_back.append(bytes, static_cast<size_t>(read(ends[0], bytes, sizeof bytes)));
  }
  writer.join();
  EXPECT_EQ(backlog.drain(), 0);
  close(ends[0]);
  close(ends[1]);
}

TEST(Backlog, IsGivenUpWhenPatienceEnds) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  size_t put = 0, left = 0;
  int asked = 0;
  {
    Backlog backlog(ends[1], 100'000, [&] { return ++asked < 3; });
    int error = 0;
    // Nobody reads.
    while (!error) {
      std::string text(50'000, 'x');
      put += text.size();
      error = backlog.put(text);
    }
    put -= 50'000;
    EXPECT_EQ(error, ECANCELED);
    EXPECT_EQ(asked, 3);
    EXPECT_EQ(backlog.drain(), ECANCELED);
    left = backlog.left();
  }
  // What is in the pipe was not given up.
  close(ends[1]);
  size_t got = 0;
  char bytes[4096];
  for (ssize_t n; (n = read(ends[0], bytes, sizeof bytes)) > 0;) got += static_cast<size_t>(n);
  EXPECT_EQ(got + left, put);
  EXPECT_GT(left, 0u);
  close(ends[0]);
}

TEST(Rings, GivesRoomBackInParts) {
  Folder folder;
  FakeRing a(folder.path(), 0, 1 << 21), b(folder.path(), 1, 1 << 21);
  std::string expected;
  for (uint64_t i = 0; i < 30000; ++i) {
    // The second has a tenth of the records; two of the first are out of order, where a part may end.
    (i % 10 ? a : b).put(i % 1000 == 501 ? 100 + i - 2 : 100 + i, fmt::format("{}", i));
    if (i % 1000 == 501) {
      std::string before = fmt::format("{} ", i - 1);
      expected.erase(expected.size() - before.size());
      expected += fmt::format("{} ", i) + before;
    } else {
      expected += fmt::format("{} ", i);
    }
  }
  Rings rings(folder.path());
  std::string text;
  int parts = 0;
  uint64_t most = 0;
  do {
    uint64_t before = a.ring->consumed;
    text += read_all(rings, parts % 2);
    rings.release();
    most = std::max(most, a.ring->consumed - before);
    ++parts;
  } while (rings.more());
  EXPECT_EQ(text, expected);
  EXPECT_GT(parts, 3);
  EXPECT_LT(most, uint64_t{300} << 10);
  EXPECT_EQ(a.ring->consumed, a.ring->commit);
  EXPECT_EQ(b.ring->consumed, b.ring->commit);
}

TEST(Rings, PutWhatIsInARingThatIsHalfFullAside) {
  Folder folder;
  FakeRing a(folder.path(), 0, 1 << 21), b(folder.path(), 1, 1 << 21);
  Rings rings(folder.path(), 3 << 20);
  std::string text, expected;
  uint64_t time = 100;
  auto fill = [&](int records) {
    for (int i = 0; i < records; ++i, ++time) {
      (time % 10 ? a : b).put(time, fmt::format("{}", time));
      expected += fmt::format("{} ", time);
    }
  };
  auto used = [&] { return a.ring->reserve - a.ring->consumed; };
  // Less than half stays where a reader that dies leaves it.
  fill(30000);
  text += read_all(rings);
  EXPECT_EQ(used(), a.ring->reserve);
  EXPECT_FALSE(rings.any_aside());
  rings.release();
  // More is taken at once, though only a part is handed over; so it goes on round the end.
  fill(30000);
  text += read_all(rings);
  EXPECT_EQ(used(), 0u);
  EXPECT_TRUE(rings.any_aside());
  rings.release();
  EXPECT_EQ(used(), 0u);
  fill(60000);
  text += read_all(rings);
  EXPECT_EQ(used(), 0u);
  // Until there is as much as it may hold.
  rings.release();
  fill(40000);
  text += read_all(rings);
  EXPECT_GT(used(), uint64_t{1} << 20);
  rings.put_nothing_aside();
  do {
    rings.release();
    text += read_all(rings);
  } while (rings.more());
  rings.release();
  EXPECT_FALSE(rings.any_aside());
  EXPECT_EQ(text, expected);
  EXPECT_EQ(a.ring->consumed, a.ring->commit);
  EXPECT_EQ(b.ring->consumed, b.ring->commit);
}

TEST(Rings, WaitsForARecordThatIsBeingWritten) {
  Folder folder;
  FakeRing a(folder.path(), 0, 4096), b(folder.path(), 1, 4096);
  a.put(10, "a10", false);
  b.put(20, "b20");
  Rings rings(folder.path());
  std::thread writer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    __atomic_store_n(&a.ring->commit, a.ring->reserve, __ATOMIC_RELEASE);
  });
  EXPECT_EQ(read_all(rings, false), "a10 b20 ");
  writer.join();
}

TEST(Rings, GoesRoundTheEndManyTimes) {
  Folder folder;
  FakeRing a(folder.path(), 0, 4096);
  Rings rings(folder.path());
  for (int i = 0; i < 2000; ++i) {
    std::string text(static_cast<size_t>(i % 90), 'x');
    a.put(static_cast<uint64_t>(i), fmt::format("{}{}", i, text));
    ASSERT_EQ(read_all(rings), fmt::format("{}{} ", i, text));
    rings.release();
  }
}

TEST(Rings, RefusesARecordThatCannotBe) {
  Folder folder;
  FakeRing a(folder.path(), 0, 4096);
  a.put(10, "x");
  reinterpret_cast<stp_record*>(reinterpret_cast<char*>(a.ring) + STP_RING_HEADER)->length = 9999;
  Rings rings(folder.path());
  EXPECT_THROW(read_all(rings), std::runtime_error);
}

TEST(Rings, AddsUpWhatWasLost) {
  Folder folder;
  FakeRing a(folder.path(), 0, 4096), b(folder.path(), 3, 4096);
  b.ring->lost = 7;
  b.ring->lost_bytes = 700;
  a.ring->overwritten = 5;
  a.ring->overwritten_bytes = 500;
  Losses all = Rings(folder.path()).take_losses();
  EXPECT_EQ(all.lost.records, 7u);
  EXPECT_EQ(all.lost.bytes, 700u);
  EXPECT_EQ(all.lost.records_by_cpu, (std::map<unsigned, uint64_t>{{3, 7}}));
  EXPECT_EQ(all.overwritten.records, 5u);
  EXPECT_EQ(all.overwritten.bytes, 500u);
  EXPECT_EQ(all.overwritten.records_by_cpu, (std::map<unsigned, uint64_t>{{0, 5}}));
}

TEST(Rings, TellEachLossToOneReader) {
  Folder folder;
  FakeRing a(folder.path(), 0, 4096);
  a.ring->lost = 7;
  EXPECT_EQ(Rings(folder.path()).take_losses().lost.records, 7u);
  a.ring->lost = 9;
  a.ring->overwritten = 3;
  Losses next = Rings(folder.path()).take_losses();
  EXPECT_EQ(next.lost.records, 2u);
  EXPECT_EQ(next.overwritten.records, 3u);
  EXPECT_EQ(describe(Rings(folder.path()).take_losses()), "");
}

TEST(Account, ReadsRowsAndNamesCauses) {
  Folder folder;
  std::ofstream(folder.path() + "/account") << "100 90 4 6 0 0 0 0 kernel.function(\"a b\").call\n"
                                            << "5 5 0 0 0 0 0 0 timer.s(1)\n";
  auto rows = read_account(folder.path());
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].probe, "kernel.function(\"a b\").call");
  EXPECT_EQ(rows[0].all_missed(), 10u);
  std::string brief = describe(rows, false);
  EXPECT_NE(brief.find("100 hits = 90 handled + 10 missed"), std::string::npos);
  EXPECT_NE(brief.find("4 missed: a handler was already running"), std::string::npos);
  EXPECT_EQ(brief.find("timer.s(1)"), std::string::npos);
  EXPECT_NE(describe(rows, true).find("timer.s(1): 5 hits"), std::string::npos);
}

TEST(Account, SaysNothingWhenNothingWasMissed) {
  EXPECT_EQ(describe(std::vector<AccountRow>{{3, 3, {}, "begin"}}, false), "");
}

TEST(Account, AlwaysReportsLostRecords) {
  Loss loss{12, 1200, {{1, 12}}};
  std::string text = describe(Losses{loss, {}});
  EXPECT_NE(text.find("12 records (1200 bytes) were lost"), std::string::npos);
  EXPECT_NE(text.find("cpu 1: 12"), std::string::npos);
  EXPECT_EQ(text.find("overwritten"), std::string::npos);
  Losses taken;
  taken.overwritten = loss;
  text = describe(taken);
  EXPECT_NE(text.find("12 records (1200 bytes) were overwritten"), std::string::npos);
  EXPECT_EQ(text.find("lost"), std::string::npos);
}

TEST(Times, AreATableOfWhatWasHit) {
  Folder folder;
  EXPECT_EQ(describe(read_times(folder.path())), "");  // a module that does not measure
  std::ofstream(folder.path() + "/times")
      << "4 10 100 60 kernel.function(\"f@a b.c:1\")\tmine\tx.stp:3:1\n"
      << "0 0 0 0 timer.s(1)\ttimer.s(1)\tx.stp:4:1\n";
  auto rows = read_times(folder.path());
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].point, "kernel.function(\"f@a b.c:1\")");
  std::string text = describe(rows);
  EXPECT_NE(text.find(" 4         10         25         60  kernel.function(\"f@a b.c:1\") <- mine "
                      "(x.stp:3:1)\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("1 points were not hit"), std::string::npos);
}

TEST(Monitor, SortsProbesByTheAttributeInTurn) {
  std::vector<MonitorRow> rows = {{.number = 0, .hits = 1, .most = 9, .probe = "c"},
                                  {.number = 1, .hits = 3, .most = 5, .probe = "a"},
                                  {.number = 2, .hits = 2, .missed = 1, .probe = "b"}};
  auto order = [&](MonitorOrder by) {
    std::vector<MonitorRow> sorted = rows;
    sort_rows(sorted, by);
    std::string text;
    for (const auto& row : sorted) text += row.probe;
    return text;
  };
  std::vector<std::string> all;
  MonitorOrder by = MonitorOrder::number;
  do all.push_back(order(by));
  while ((by = next(by)) != MonitorOrder::number);
  EXPECT_EQ(all, (std::vector<std::string>{"cab", "abc", "bca", "cab", "cab", "cab", "abc"}));
}

TEST(Monitor, ReadsCountsOfProbesAndTimesOfTheirPoints) {
  Folder folder;
  std::ofstream(folder.path() + "/account") << "7 6 1 0 0 0 0 0 mine\n1 1 0 0 0 0 0 0 begin\n";
  std::ofstream(folder.path() + "/times")
      << "2 10 40 30 one\tmine\tx.stp:1:1\n4 5 80 50 two\tmine\tx.stp:1:1\n";
  auto rows = read_rows(folder.path());
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].hits, 7u);
  EXPECT_EQ(rows[0].missed, 1u);
  EXPECT_EQ(rows[0].least, 5u);
  EXPECT_EQ(rows[0].average, 20u);
  EXPECT_EQ(rows[0].most, 50u);
  EXPECT_EQ(rows[1].most, 0u);
}

// A small object file with the sections of a module, made by the compiler.
std::string make_module(const Folder& folder, const std::string& abi) {
  std::string source = folder.path() + "/m.c", object = folder.path() + "/m.ko";
  std::ofstream(source)
      << "#define S(n) __attribute__((section(n), used)) static const char\n"
      << "S(\".stp.formats\") f[] = \"l\\0%d\\n\\0s\\0<%s>\";\n"
      << "S(\".stp.info\") i[] = \"abi=" << abi << "\\0release=6.1.0\\0script=x.stp\";\n"
      << "S(\".modinfo\") m[] = \"license=GPL\\0name=stp_0011223344556677\";\n"
      << "S(\".gnu.linkonce.this_module\") t[128] = \"........stp_0011223344556677\";\n";
  EXPECT_EQ(std::system(fmt::format("gcc -c {} -o {}", source, object).c_str()), 0);
  return object;
}

TEST(ModuleFile, TellsNameFormatsAndInfo) {
  Folder folder;
  ModuleFile file = read_module_file(make_module(folder, std::to_string(STP_ABI)));
  EXPECT_EQ(file.name, "stp_0011223344556677");
  EXPECT_EQ(file.info["release"], "6.1.0");
  ASSERT_EQ(file.formats.size(), 2u);
  EXPECT_EQ(file.formats[0].text, "%d\n");
  EXPECT_EQ(file.formats[1].letters, "s");
}

TEST(ModuleFile, RenamesInBothPlacesAndNowhereElse) {
  Folder folder;
  ModuleFile file = read_module_file(make_module(folder, std::to_string(STP_ABI)));
  std::string before = file.image;
  ASSERT_TRUE(rename_module(file, "stp_0011223344abcdef"));
  EXPECT_EQ(file.image.find("stp_0011223344556677"), std::string::npos);
  size_t different = 0;
  for (size_t i = 0; i < before.size(); ++i) different += before[i] != file.image[i];
  EXPECT_EQ(different, 2 * 6u);
}

TEST(ModuleFile, TakesAShorterNameAndRefusesOneWithoutRoom) {
  Folder folder;
  ModuleFile file = read_module_file(make_module(folder, std::to_string(STP_ABI)));
  ASSERT_TRUE(rename_module(file, "stp_00"));
  EXPECT_EQ(file.name, "stp_00");
  // The longer name that was there left its room.
  EXPECT_TRUE(rename_module(file, "stp_0011"));
  std::string before = file.image;
  EXPECT_FALSE(rename_module(file, std::string(56, 'x')));
  EXPECT_EQ(file.image, before);
}

TEST(ModuleFile, RefusesAnotherInterfaceAndForeignFiles) {
  Folder folder;
  EXPECT_THROW(read_module_file(make_module(folder, "999")), std::runtime_error);
  EXPECT_THROW(read_module_file("/bin/sh"), std::runtime_error);
  EXPECT_THROW(read_module_file(folder.path() + "/none"), std::runtime_error);
}

// Writes each of `texts` to `base`.0 and on, a file of `most` bytes each, and keeps the last `files`.
void write_rotated(const std::string& base, uint64_t most, unsigned files,
                   std::initializer_list<const char*> texts) {
  Rotation rotation(base, most, files);
  Output output(rotation.fd(), &rotation);
  for (const char* text : texts) {
    output.append(text);
    EXPECT_EQ(output.flush(), 0);
  }
}

TEST(Rotation, DividesTheOutputBetweenLines) {
  Folder folder;
  std::string base = folder.path() + "/out";
  write_rotated(base, 10, 0,
                {"123\n567\n9ab\n", "xy\n", "a line that is longer than a file\nb\n"});
  EXPECT_EQ(text_of_file(base + ".0"), "123\n567\n");
  EXPECT_EQ(text_of_file(base + ".1"), "9ab\nxy\n");
  EXPECT_EQ(text_of_file(base + ".2"), "a line that is longer than a file\n");
  EXPECT_EQ(text_of_file(base + ".3"), "b\n");
}

TEST(Rotation, PutsTheEndOfALineWhereItsBeginningIs) {
  Folder folder;
  std::string base = folder.path() + "/out";
  write_rotated(base, 10, 0, {"1\n345", "67890", "12\n3\n56", "7890\n", "longer than a file", ", and more\nb"});
  EXPECT_EQ(text_of_file(base + ".0"), "1\n3456789012\n");
  EXPECT_EQ(text_of_file(base + ".1"), "3\n567890\n");
  EXPECT_EQ(text_of_file(base + ".2"), "longer than a file, and more\n");
  EXPECT_EQ(text_of_file(base + ".3"), "b");
}

TEST(Rotation, KeepsTheLastFiles) {
  Folder folder;
  std::string base = folder.path() + "/out";
  write_rotated(base, 4, 2, {"1\n\n\n2\n\n\n3\n\n\n4\n"});
  EXPECT_FALSE(fs::exists(base + ".0"));
  EXPECT_FALSE(fs::exists(base + ".1"));
  EXPECT_EQ(text_of_file(base + ".2"), "3\n\n\n");
  EXPECT_EQ(text_of_file(base + ".3"), "4\n");
}

TEST(Rotation, IsFollowedByTheParentOfAKilledReader) {
  Folder folder;
  std::string base = folder.path() + "/out";
  Rotation rotation(base, 4, 0);
  pid_t reader = fork();
  if (reader == 0) {
    Output output(rotation.fd(), &rotation);
    output.append("1\n\n\n2345");
    _exit(output.flush());
  }
  int status = -1;
  waitpid(reader, &status, 0);
  EXPECT_EQ(status, 0);
  ASSERT_TRUE(rotation.follow());
  Output output(rotation.fd(), &rotation);
  output.append("67\n8\n");
  EXPECT_EQ(output.flush(), 0);
  EXPECT_EQ(text_of_file(base + ".0"), "1\n\n\n");
  EXPECT_EQ(text_of_file(base + ".1"), "234567\n");
  EXPECT_EQ(text_of_file(base + ".2"), "8\n");
}

TEST(Rotation, SaysThatAFileCannotBeOpened) {
  EXPECT_THROW(Rotation("/nowhere/out", 1, 0), std::runtime_error);
  Folder folder;
  std::string base = folder.path() + "/out";
  fs::create_directory(base + ".1");
  Rotation rotation(base, 2, 0);
  Output output(rotation.fd(), &rotation);
  output.append("1\n2\n");
  EXPECT_EQ(output.flush(), EISDIR);
  EXPECT_EQ(output.buffer(), "2\n");
}

Parsed parsed_line(std::vector<const char*> words) {
  words.insert(words.begin(), "stp-load");
  testing::internal::CaptureStderr();
  Parsed parsed = parse_options(static_cast<int>(words.size()), const_cast<char**>(words.data()));
  testing::internal::GetCapturedStderr();
  return parsed;
}

TEST(LoaderOptions, NameAProcessAndACommandThatThereAre) {
  std::string own = std::to_string(getpid());
  auto parsed = parsed_line({"-x", own.c_str(), "-c", "true", "x.ko"});
  ASSERT_TRUE(parsed.options);
  EXPECT_EQ(parsed.options->target, getpid());
  for (const char* wrong : {"0", "-1", "1.5", "12a", "", "99999999999", "2147483647"})
    EXPECT_EQ(parsed_line({"-x", wrong, "x.ko"}).status, 2) << wrong;
  EXPECT_EQ(parsed_line({"-c", " ", "x.ko"}).status, 2);
}

TEST(LoaderOptions, ReadTheSizeAndTheNumberOfFiles) {
  auto parsed = parsed_line({"-o", "f", "-S", "2,5", "x.ko"});
  ASSERT_TRUE(parsed.options);
  EXPECT_EQ(parsed.options->file_bytes, 2u << 20);
  EXPECT_EQ(parsed.options->most_files, 5u);
  parsed = parsed_line({"-o", "f", "-S", "1", "x.ko"});
  ASSERT_TRUE(parsed.options);
  EXPECT_EQ(parsed.options->file_bytes, 1u << 20);
  EXPECT_EQ(parsed.options->most_files, 0u);
  for (const char* wrong : {"0", "1,", "1,0", "x", "1x", ",1", "1,2,3", "9999999999"})
    EXPECT_EQ(parsed_line({"-o", "f", "-S", wrong, "x.ko"}).status, 2) << wrong;
  EXPECT_EQ(parsed_line({"-S", "1", "x.ko"}).status, 2);
}

}  // namespace
}  // namespace stp::load
