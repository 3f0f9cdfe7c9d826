// System calls from the tables of the kernel's headers, and tracepoints from the sections of modules.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "debuginfo/module_tracepoints.h"
#include "debuginfo/system_calls.h"
#include "fake_image.h"

namespace stp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing_images::FakeSection;
using testing_images::make_elf;
using testing_images::World;

Target with_tables(const World& world) {
  constexpr const char* generated = "build/arch/x86/include/generated/";
  world.write(std::string(generated) + "asm/syscalls_64.h",
              "__SYSCALL(4, sys_newstat)\n__SYSCALL(0, sys_read)\n__SYSCALL(7, sys_ni_syscall)\n"
              "__SYSCALL_NORETURN(60, sys_exit)\n# else\n__SYSCALL(x, sys_wrong)\n");
  world.write(std::string(generated) + "uapi/asm/unistd_64.h",
              "#ifndef X\n#define __NR_read 0\n#define __NR_stat 4\n#define __NR_old 7\n"
              "#define __NR_exit 60\n#define __NR_syscalls\n");
  world.write(std::string(generated) + "asm/syscalls_32.h",
              "__SYSCALL_WITH_COMPAT(11, sys_execve, compat_sys_execve)\n__SYSCALL(3, sys_read)\n"
              "__SYSCALL_WITH_COMPAT(12, sys_ni_syscall, compat_sys_only)\n");
  world.write(std::string(generated) + "uapi/asm/unistd_32.h",
              "#define __NR_read 3\n#define __NR_execve 11\n#define __NR_only 12\n");
  Target target;
  target.build_dir = world.root / "build";
  return target;
}

TEST(SystemCalls, ComeFromTheTablesOfTheHeaders) {
  World world;
  Target target = with_tables(world);
  std::string why_not;
  std::vector<std::string> calls;
  for (const SystemCall& c : read_system_calls(target, why_not))
    calls.push_back(c.name + " " + std::to_string(c.number) + " " + c.symbol + " " + c.declared);
  EXPECT_THAT(calls, ElementsAre("exit 60 __x64_sys_exit exit", "read 0 __x64_sys_read read",
                                 "stat 4 __x64_sys_newstat newstat",
                                 "execve 11 __ia32_compat_sys_execve execve",
                                 "only 12 __ia32_compat_sys_only ni_syscall",
                                 "read 3 __ia32_sys_read read"));
  EXPECT_EQ(why_not, "");
}

TEST(SystemCalls, SayWhichTableIsMissing) {
  World world;
  Target target = with_tables(world);
  std::filesystem::remove(target.build_dir / "arch/x86/include/generated/uapi/asm/unistd_64.h");
  std::string why_not;
  EXPECT_TRUE(read_system_calls(target, why_not).empty());
  EXPECT_THAT(why_not, HasSubstr("uapi/asm/unistd_64.h is not there, or has no table"));
}

std::string module_with(const std::string& strings) {
  std::vector<FakeSection> sections = {{".text", 1, 0, 0, "x", 0}};
  if (!strings.empty()) sections.push_back({"__tracepoints_strings", 1, 0, 0, strings, 0});
  return make_elf(sections);
}

TEST(ModuleTracepoints, AreReadOnceAndKept) {
  World world;
  using namespace std::string_literals;
  std::string modules = "lib/modules/1.0/";
  world.write(modules + "modules.order", "kernel/a.ko\nkernel/b-c.ko\nkernel/none.ko\nkernel/damaged.ko\n");
  world.write(modules + "kernel/a.ko", module_with("a_begin\0\0\0\0a_end"s));
  world.write(modules + "kernel/b-c.ko", module_with("b\0"s));
  world.write(modules + "kernel/none.ko", module_with(""));
  world.write(modules + "kernel/damaged.ko", "ELF?");
  Target target;
  target.modules_dir = world.root / modules;
  auto expected = ElementsAre(Pair("a", ElementsAre("a_begin", "a_end")), Pair("b_c", ElementsAre("b")));
  EXPECT_THAT(tracepoints_of_modules(target), expected);
  std::filesystem::remove_all(world.root / modules / "kernel");
  EXPECT_THAT(tracepoints_of_modules(target), expected);
  world.write(modules + "modules.order", "kernel/a.ko\n");
  EXPECT_THAT(tracepoints_of_modules(target), ElementsAre());
}

}  // namespace
}  // namespace stp
