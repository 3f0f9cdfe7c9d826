// Where the sections of a kernel module are laid out.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "debuginfo/dwarf_file.h"
#include "debuginfo/module_layout.h"
#include "support/subprocess.h"

namespace stp {
namespace {

namespace fs = std::filesystem;

// .text ends where .data may begin: libdwfl keeps the address of .data then, from which it reaches over .text.
constexpr const char* object = R"(
long data[12000] = { 1 };
long entered(int n) { return data[n]; }
asm(".text\n.balign 4096");
)";

TEST(ModuleSections, DoNotLieOverEachOtherWhereOneHasAnAddress) {
  std::string name = (fs::temp_directory_path() / "stp-sections-XXXXXX").string();
  ASSERT_TRUE(mkdtemp(name.data()));
  fs::path folder = name;
  std::ofstream(folder / "x.c") << object;
  ASSERT_EQ(run_logged({"gcc", "-g", "-c", "x.c"}, folder / "log", folder), 0);
  ASSERT_EQ(run_logged({"objcopy", "--change-section-address", ".data=0x120", "x.o"}, folder / "log", folder), 0);
  dwarf::File file(folder / "x.o");
  ASSERT_TRUE(file.dwarf()) << file.error();
  ModuleLayout layout("x", file.elf());
  size_t seen = 0;
  each_symbol(file.elf(), [&](const GElf_Sym& symbol, std::string_view symbol_name, const GElf_Shdr& header) {
    if (symbol_name != "entered" && symbol_name != "data") return;
    ++seen;
    auto section = layout.section_at(header.sh_addr + symbol.st_value);
    ASSERT_TRUE(section);
    EXPECT_EQ(section->name, symbol_name == "data" ? ".data" : ".text");
    EXPECT_GE(section->begin, 0x10000u);
  });
  EXPECT_EQ(seen, 2u);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace stp
