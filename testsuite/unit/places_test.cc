// Tables of lines and inlined copies: what the runtime finds in one for each address of a program is what
// its debug information says there.
#include <dlfcn.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>

#include "build/home.h"
#include "debuginfo/places.h"
#include "debuginfo/user_program.h"
#include "stp/places.h"
#include "support/subprocess.h"
#include "testsuite/unit/fake_image.h"

namespace stp {
namespace {

namespace fs = std::filesystem;
using testing_images::World;

constexpr const char* source = R"(
volatile int sink;
static inline __attribute__((always_inline)) int inner(int n) { sink = n; return n * 3 + sink; }
static inline __attribute__((always_inline)) int middle(int n) {
  int a = inner(n);
  sink = a;
  return a + inner(n + 1);
}
__attribute__((noinline)) int outer(int n) {
  int sum = 0;
  for (int i = 0; i < n; i++) sum += middle(i) + inner(sum);
  return sum;
}
__attribute__((noinline, cold)) int rare(int n) { return inner(n) - 1; }
int main(int argc, char **argv) { return argc > 3 ? rare(argc) : outer(argc); }
)";

struct Inlined {
  const char* name;
  const void* table;
  uint32_t node;
};

// runtime/places.c with a script that carries `tables`.
class Reader {
 public:
  Reader(const fs::path& folder, const fs::path& lines, const fs::path& inlined) {
    std::ofstream(folder / "script.c")
        << "#include <linux/types.h>\n#include \"script.h\"\n"
        << fmt::format("asm(\".section .rodata; .balign 8; lines: .incbin \\\"{}\\\"; .balign 8; "
                       "inlined: .incbin \\\"{}\\\"; .text\");\n",
                       lines.string(), inlined.string())
        << "extern const char lines[] __attribute__((visibility(\"hidden\")));\n"
           "extern const char inlined[] __attribute__((visibility(\"hidden\")));\n"
           "static struct stp_places places[] = {{ .end = ~0ull }, { .end = ~0ull, .inlined = 1 }};\n"
           "const struct stp_script stp_script = { .places = places, .n_places = 2, "
           ".limits = { .string_size = 512 } };\n"
           "__attribute__((constructor)) static void tables(void) { places[0].table = lines; "
           "places[1].table = inlined; }\n"
           "u64 stp_kernel_offset;\ns64 *stp_section_offsets;\n";
    fs::path home = home_dir();
    std::vector<std::string> command = {
        "gcc", "-std=gnu11", "-O1", "-D__KERNEL__", "-Dscnprintf=snprintf",
        "-DREAD_ONCE(x)=(*(volatile typeof(x)*)&(x))", "-DDIV_ROUND_UP_ULL(a,b)=(((a)+(b)-1)/(b))",
        "-fsanitize=undefined", "-fsanitize-undefined-trap-on-error", "-shared", "-fPIC"};
    for (const auto& path : {home / "testsuite/unit/kernel_shim", home / "runtime", home / "include"})
      command.insert(command.end(), {"-I", path.string()});
    command.insert(command.end(), {(home / "runtime/places.c").string(), "script.c", "-o", "lib.so"});
    EXPECT_EQ(run_logged(command, folder / "log", folder), 0)
        << std::ifstream(folder / "log").rdbuf();
    library_ = dlopen((folder / "lib.so").c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library_) throw std::runtime_error(dlerror());
    put_line_ = reinterpret_cast<decltype(put_line_)>(dlsym(library_, "stp_put_line"));
    first_ = reinterpret_cast<decltype(first_)>(dlsym(library_, "stp_inlined_first"));
    next_ = reinterpret_cast<decltype(next_)>(dlsym(library_, "stp_inlined_next"));
  }
  ~Reader() { dlclose(library_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // "file:line copy copy"
  std::string at(uint64_t address) const {
    char line[160];
    std::string text = put_line_(line, "", address) ? line : "?";
    Inlined copy;
    for (first_(&copy, address); next_(&copy);) text += std::string(" ") + copy.name;
    return text;
  }

 private:
  void* library_;
  bool (*put_line_)(char*, const char*, unsigned long);
  void (*first_)(Inlined*, unsigned long);
  bool (*next_)(Inlined*);
};

class Places : public ::testing::TestWithParam<std::string> {
 protected:
  World world;
};

std::string told(const types::Provider& provider, uint64_t address) {
  auto frames = provider.source_frames(address);
  if (frames.empty()) return "?";
  std::string text =
      frames[0].line ? fmt::format("{}:{}", frames[0].file, frames[0].line) : std::string("?");
  for (const auto& frame : frames)
    if (frame.inlined) text += " " + frame.function;
  return text;
}

TEST_P(Places, AreWhatDebugInformationSays) {
  world.write("src/p.c", source);
  fs::path program = world.root / "src/p";
  std::string command =
      fmt::format("cd {}/src && {} p.c -o p 2>&1", world.root.string(), GetParam());
  ASSERT_EQ(system(command.c_str()), 0) << command;
  auto opened = open_user_debuginfo(program, {"/"});
  ASSERT_TRUE(opened.provider);
  const types::Provider& provider = *opened.provider;
  Reader reader(world.root, provider.places(types::PlaceKind::lines),
                provider.places(types::PlaceKind::inlined));
  size_t copies = 0;
  for (const char* name : {"outer", "rare", "main"}) {
    auto functions = provider.functions({name, "", false});
    ASSERT_FALSE(functions.empty()) << name;
    for (uint64_t at = functions[0].address;
         provider.function_at(at) && provider.function_at(at)->name == name; ++at) {
      std::string expected = told(provider, at);
      EXPECT_EQ(reader.at(at), expected) << fmt::format("{} at {:x}", name, at);
      copies += expected.find(" inner middle") != expected.npos;
    }
  }
  EXPECT_GT(copies, 0u);
  EXPECT_EQ(reader.at(0x10), "?");
  EXPECT_EQ(reader.at(UINT64_MAX), "?");
}

INSTANTIATE_TEST_SUITE_P(Compilers, Places,
                         ::testing::Values("gcc -O2 -g", "gcc -O2 -g -gdwarf-4", "gcc -O3 -g -no-pie",
                                           "gcc -Os -g", "clang -O2 -g"));

// Units in the order of their addresses, and in the other.
TEST(PlacesTable, WhatIsEmptyAtAnEndHidesNothing) {
  for (bool turned : {false, true}) {
    World world;
    dwarf::PlacesTable table;
    auto line = [&](const char* file, uint64_t number) {
      return uint64_t{table.name(file)} << STP_PLACE_LINE_BITS | number;
    };
    auto low = [&] {
      table.from(0x1000, line("a", 1));
      table.from(0x1008, line("a", 1));
      table.from(0x1010, line("a", 2));  // of no length
      table.from(0x1010, 0);
      table.from(0x1040, line("a", 3));  // behind the other unit's
      table.from(0x1050, 0);
      table.end_unit();
    };
    auto high = [&] {
      table.from(0x1020, line("b", 7));  // before what it joins
      table.from(0x1028, 0);
      table.from(0x1010, line("b", 5));
      table.from(0x1018, line("b", 6));
      table.from(0x1020, 0);
      table.end_unit();
    };
    if (turned) high(), low();
    else low(), high();
    world.write("l", table.packed());
    dwarf::PlacesTable none;
    none.from(0x1000, none.name("n"));
    none.from(0x1001, 0);
    world.write("i", none.packed());
    Reader reader(world.root, world.root / "l", world.root / "i");
    EXPECT_EQ(reader.at(0x1004), "a:1");
    EXPECT_EQ(reader.at(0x100f), "a:1");
    EXPECT_EQ(reader.at(0x1010), "b:5");
    EXPECT_EQ(reader.at(0x1018), "b:6");
    EXPECT_EQ(reader.at(0x1020), "b:7");
    EXPECT_EQ(reader.at(0x1028), "?");
    EXPECT_EQ(reader.at(0x1040), "a:3");
    EXPECT_EQ(reader.at(0x1050), "?");
  }
}

TEST(PlacesTable, DamageIsNoMoreThanUnknown) {
  World world;
  dwarf::PlacesTable table;
  for (uint64_t i = 0; i < 500; ++i)
    table.from(0x1000 + 16 * i, uint64_t{table.name(fmt::format("f{}", i % 7))} << STP_PLACE_LINE_BITS | (i + 1));
  dwarf::PlacesTable copies;
  copies.from(0x1000, copies.name("b", copies.name("a")));
  copies.from(0x2000, 0);
  std::string lines = table.packed(), inlined = copies.packed();
  world.write("i", inlined);
  {
    world.write("l", lines);
    Reader whole(world.root, world.root / "l", world.root / "i");
    EXPECT_EQ(whole.at(0x1000 + 16 * 100 + 3), "f2:101 b a");
    EXPECT_EQ(whole.at(0xfff), "?");
  }
  // From behind the sizes on, which are checked when the file is opened.
  for (size_t at = sizeof(stp_places_header); at < lines.size(); at += 211) {
    std::string damaged = lines;
    for (size_t i = at; i < std::min(at + 9, damaged.size()); ++i) damaged[i] = '\xff';
    fs::path folder = world.root / std::to_string(at);
    fs::create_directory(folder);
    std::ofstream(folder / "l", std::ios::binary) << damaged;
    Reader reader(folder, folder / "l", world.root / "i");
    for (uint64_t address = 0xff0; address < 0x3000; address += 7) reader.at(address);
  }
}

}  // namespace
}  // namespace stp
