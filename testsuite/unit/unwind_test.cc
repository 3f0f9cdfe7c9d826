// Frames and addresses, compared with what readelf and addr2line say of the same files.
#include "debuginfo/unwind.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <sstream>

#include "debuginfo/dwarf.h"
#include "debuginfo/symbols.h"
#include "debuginfo/user_program.h"
#include "testsuite/unit/fake_image.h"

namespace stp {
namespace {

namespace fs = std::filesystem;
using testing_images::World;
using Kind = UnwindRule::Kind;

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = popen(command.c_str(), "r");
  if (!pipe) return text;
  char buffer[65536];
  while (size_t got = fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, got);
  pclose(pipe);
  return text;
}

const std::map<std::string, int> numbers = {{"rax", 0}, {"rdx", 1},  {"rcx", 2},  {"rbx", 3},
                                            {"rsi", 4}, {"rdi", 5},  {"rbp", 6},  {"rsp", 7},
                                            {"r8", 8},  {"r9", 9},   {"r10", 10}, {"r11", 11},
                                            {"r12", 12}, {"r13", 13}, {"r14", 14}, {"r15", 15},
                                            {"ra", 16}};

std::string cfa_text(const UnwindState& s) {
  if (s.cfa_register < 0) return "exp";
  for (const auto& [name, number] : numbers)
    if (number == s.cfa_register) return fmt::format("{}{:+}", name, s.cfa_offset);
  return "?";
}

// As readelf writes them. It has one letter for what is not saved, whatever the reason.
std::string rule_text(const UnwindRule& rule) {
  switch (rule.kind) {
    case Kind::at_cfa:
      return fmt::format("c{:+}", rule.offset);
    case Kind::is_cfa:
      return fmt::format("v{:+}", rule.offset);
    case Kind::expression:
      return "exp";
    case Kind::value:
      return "vexp";
    case Kind::reg:
      for (const auto& [name, number] : numbers)
        if (number == rule.offset) return name;
      return "?";
    case Kind::same:
    case Kind::undefined:
      return "u";
  }
  return "";
}

// Compares every row that readelf prints. Returns how many there were.
size_t compare_with_readelf(const fs::path& file) {
  std::string why_not;
  auto table = UnwindTable::read(file, {}, why_not);
  EXPECT_TRUE(table) << why_not;
  if (!table) return 0;
  std::istringstream text(output_of("readelf --debug-dump=frames-interp " + file.string()));
  std::vector<std::string> columns;
  size_t rows = 0, wrong = 0;
  bool of_function = false;
  for (std::string line; std::getline(text, line);) {
    std::istringstream words(line);
    std::vector<std::string> row;
    for (std::string word; words >> word;) row.push_back(word);
    if (line.find(" FDE ") != line.npos || line.find(" CIE ") != line.npos)
      of_function = line.find(" FDE ") != line.npos;
    else if (!row.empty() && row[0] == "LOC")
      columns = row;
    else if (of_function && row.size() == columns.size() && row[0].size() == 16) {
      const UnwindState* state = table->at(std::stoull(row[0], nullptr, 16));
      ++rows;
      std::string ours = state ? cfa_text(*state) : "nothing", theirs = row[1];
      for (size_t i = 2; state && i < row.size(); ++i) {
        auto number = numbers.find(columns[i]);
        // The ABI says that the caller's rsp is the CFA; readelf knows only what the file says.
        if (number == numbers.end() || (columns[i] == "rsp" && row[i] == "u")) continue;
        ours += " " + rule_text(state->rules[static_cast<size_t>(number->second)]);
        theirs += " " + (row[i] == "s" ? "u" : row[i]);
      }
      if (ours != theirs && ++wrong < 5) ADD_FAILURE() << line << "\nours: " << ours;
    }
  }
  EXPECT_EQ(wrong, 0u);
  return rows;
}

TEST(Unwind, RowsAreReadelfs) {
  World world;
  world.write("p.c", R"(#include <alloca.h>
#include <stdlib.h>
extern void take(char *);
void grows(int n) { take(alloca(n)); take(alloca(n + 1)); }
int saves(int a, int b, int c) {
  int x = a * b, y = b * c, z = a * c;
  take(0); take((char *)0 + x); take((char *)0 + y);
  return x + y * z;
}
_Alignas(64) int aligned_global;
void aligned(void) { _Alignas(64) char buffer[64]; take(buffer); }
void ends(void) { exit(3); }
)");
  for (const char* options : {"-O0 -g", "-O2 -g", "-O2 -g -fomit-frame-pointer -gdwarf-4",
                              "-O2 -g -fno-asynchronous-unwind-tables"}) {
    fs::path object = world.root / "p.so";
    std::string command = fmt::format("gcc -shared -fPIC {} {}/p.c -o {}", options,
                                      world.root.string(), object.string());
    ASSERT_EQ(system(command.c_str()), 0) << command;
    EXPECT_GT(compare_with_readelf(object), 15u) << options;
    ASSERT_EQ(system(("objcopy --compress-debug-sections=zstd " + object.string()).c_str()), 0);
    EXPECT_GT(compare_with_readelf(object), 15u) << options << ", packed";
  }
}

TEST(Unwind, RowsOfTheCLibraryAreReadelfs) {
  fs::path libc = fs::canonical("/lib/x86_64-linux-gnu/libc.so.6");
  EXPECT_GT(compare_with_readelf(libc), 10'000u);
}

TEST(Unwind, OnlyWhatIsAskedForIsRead) {
  fs::path libc = fs::canonical("/lib/x86_64-linux-gnu/libc.so.6");
  std::string why_not;
  auto all = UnwindTable::read(libc, {}, why_not);
  ASSERT_TRUE(all) << why_not;
  uint64_t pc = all->rows()[all->rows().size() / 2].begin;
  auto some = UnwindTable::read(libc, {{pc, pc + 1}, {pc + 64, pc + 512}}, why_not);
  ASSERT_TRUE(some) << why_not;
  EXPECT_LT(some->rows().size(), 400u);
  for (const auto& row : some->rows())
    if (row.state != UnwindTable::none) {
      ASSERT_NE(all->at(row.begin), nullptr);
      EXPECT_EQ(some->states()[row.state], *all->at(row.begin));
    }
  EXPECT_EQ(some->at(pc - 4096), nullptr);
  EXPECT_EQ(all->at(0), nullptr);
  // The table is small because states repeat.
  EXPECT_LT(all->states().size() * 4, all->rows().size());
}

TEST(Unwind, FilesWithoutFramesSaySo) {
  World world;
  std::string why_not;
  EXPECT_EQ(UnwindTable::read(world.write("text", "hello"), {}, why_not), nullptr);
  EXPECT_EQ(why_not, "it has no call frame information");
  EXPECT_EQ(UnwindTable::read(world.root / "none", {}, why_not), nullptr);
  EXPECT_EQ(why_not, "No such file or directory");
}

// ---- addresses

// What addr2line -f -i says of each address: function, file:line, for each function around it.
struct Frame {
  std::string function, place;
  bool operator==(const Frame&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Frame& f) {
  return out << f.function << " at " << f.place;
}

std::map<uint64_t, std::vector<Frame>> addr2line(const World& world, const fs::path& file,
                                                 const std::vector<uint64_t>& addresses) {
  std::string list;
  for (uint64_t a : addresses) list += fmt::format("{:#x}\n", a);
  world.write("addresses", list);
  std::istringstream text(output_of(fmt::format("addr2line -a -f -i -e {} < {}/addresses",
                                                file.string(), world.root.string())));
  std::map<uint64_t, std::vector<Frame>> found;
  uint64_t at = 0;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("0x")) {
      at = std::stoull(line, nullptr, 16);
      continue;
    }
    std::string place;
    std::getline(text, place);
    place = place.substr(place.rfind('/') + 1);
    place = place.substr(0, place.find(' '));  // "(discriminator 2)"
    found[at].push_back({line, place});
  }
  return found;
}

// Compares as many as can be; returns how many agree.
size_t compare_with_addr2line(const World& world, const fs::path& file,
                              const types::Provider& provider,
                              const std::vector<uint64_t>& addresses) {
  size_t same = 0, inlined = 0, shown = 0;
  for (const auto& [address, theirs] : addr2line(world, file, addresses)) {
    std::vector<Frame> ours;
    for (const auto& f : provider.source_frames(address)) {
      std::string name = f.file.substr(f.file.rfind('/') + 1);
      ours.push_back({f.function, fmt::format("{}:{}", name, f.line)});
    }
    if (ours == theirs) {
      ++same;
      inlined += ours.size() > 1;
    } else if (++shown <= 5) {
      ADD_FAILURE() << fmt::format("{:#x}", address) << "\nours: " << testing::PrintToString(ours)
                    << "\naddr2line: " << testing::PrintToString(theirs);
    }
  }
  EXPECT_GT(inlined * 20, same) << "too few are inlined to tell anything";
  return same;
}

TEST(Symbolize, AddressesOfTheKernelAreAddr2lines) {
  Diagnostics d;
  auto target = find_target("6.1", d);
  ASSERT_TRUE(target && !target->debuginfo.empty()) << "vm/setup check";
  std::string why_not;
  auto provider = open_dwarf(target->debuginfo, *target, why_not);
  ASSERT_TRUE(provider) << why_not;
  // Every so often an instruction somewhere in a function, by a rule that repeats.
  std::vector<uint64_t> addresses;
  auto functions = provider->functions({"[a-f]*", "*.c", false});
  uint32_t random = 1;
  for (size_t i = 0; i < functions.size(); i += functions.size() / 600) {
    random = random * 1103515245 + 12345;
    const auto& f = functions[i];
    if (f.size > 8) addresses.push_back(f.address + (random >> 8) % f.size);
  }
  ASSERT_GT(addresses.size(), 500u);
  World world;
  EXPECT_EQ(compare_with_addr2line(world, target->debuginfo, *provider, addresses),
            addresses.size());
}

TEST(Symbolize, SymbolsAndOffsets) {
  World world;
  world.write("p.c", "__attribute__((noinline)) int first(int n) { return n * 77; }\n"
                     "int main(int argc, char **argv) { return first(argc); }\n");
  fs::path program = world.root / "p";
  ASSERT_EQ(system(fmt::format("gcc -g -O1 {0}.c -o {0}", program.string()).c_str()), 0);
  const auto* provider = open_user_debuginfo(program, {"/"}).provider;
  ASSERT_NE(provider, nullptr);
  auto first = provider->functions({"first", "", false});
  ASSERT_EQ(first.size(), 1u);
  auto symbol = provider->symbol_at(first[0].address + 2);
  ASSERT_TRUE(symbol);
  EXPECT_EQ(symbol->name, "first");
  EXPECT_EQ(symbol->offset, 2u);
  EXPECT_GE(symbol->size, first[0].size);
  EXPECT_FALSE(provider->symbol_at(0));
  EXPECT_TRUE(provider->source_frames(0).empty());
}

}  // namespace
}  // namespace stp
