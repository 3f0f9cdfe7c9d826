// What was passed to a function, after its registers have been overwritten: the places that call it
// tell, on programs that the tests compile and run. And variables of threads.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "debuginfo/dwarf.h"
#include "support/subprocess.h"
#include "testsuite/unit/fake_image.h"
#include "testsuite/unit/traced_program.h"

namespace stp {
namespace {

using testing_dwarf::TracedProgram;
using testing_images::World;
using ::testing::HasSubstr;
using types::Function;

constexpr const char* subject = R"(
#ifdef __clang__
#define noipa noinline
#endif
volatile long sink;
__thread long own = 5;
__thread char wide[3] __attribute__((aligned(64))) = "ab";
__thread int zero;
long from_other_unit(long given);

__attribute__((noipa)) void ends(void) { sink = 1; }
#define FORGETS(name)                                     \
  __attribute__((noipa)) long name(long given, int step) { \
    sink = given + step + own + wide[1] + zero;           \
    ends();                                               \
    asm volatile(".globl in_" #name "\nin_" #name ":");    \
    return sink + 1;                                      \
  }
FORGETS(forgets)
static FORGETS(hidden)
FORGETS(recurses)
FORGETS(jumped_to)
__attribute__((noipa)) long calls(long n) {
  char room[100];
  asm volatile("" : : "r"(room) : "memory");
  ends();  // n is in a register that calls preserve, whoever compiles
  long first = forgets(n, 5), second = forgets(17, n);
  return first + second + hidden(n + 1, 2) + n;
}
__attribute__((noipa)) long jumps(long n) { return jumped_to(n + 1, 2); }
// What jumps to its own beginning is called where its caller was, with something else.
__attribute__((noipa)) long loops(long n, long (*again)(long, long (*)(long))) {
  sink = n;
  ends();
  asm volatile(".globl in_loops\nin_loops:");
  return sink > 5 ? sink : ((long (*)(long, void *))again)(sink + 1, again);
}
__attribute__((noipa)) long through(long (*volatile pointer)(long, int)) { return pointer(7, 8) + 1; }
int main(void) {
  return (calls(40) + through(forgets) + from_other_unit(30) + jumps(8) + loops(9, (void *)loops)) & 1;
}
)";
constexpr const char* other = R"(
long forgets(long given, int step);
__attribute__((noinline)) long from_other_unit(long given) { return forgets(35, 6) + given; }
)";

class DwarfCallers : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { build(fmt::format("{} -no-pie", GetParam())); }
  void build(const std::string& options) {
    world.write("src/p.c", subject);
    world.write("src/o.c", other);
    std::string command = fmt::format("cd {}/src && {} p.c o.c -o p", world.root.string(), options);
    ASSERT_EQ(run_logged({"sh", "-c", command}, world.root / "log"), 0) << text_of_file(world.root / "log");
    provider = open_dwarf_of_program(world.root / "src/p", world.root / "src/p", "p", why_not);
    ASSERT_NE(provider, nullptr) << why_not;
  }
  // Of the variable of a function at its mark, behind the call.
  types::Answer<types::Variable> variable(const std::string& function, const char* name) {
    auto found = provider->functions({function, "", false});
    auto mark = provider->symbol("in_" + function);
    EXPECT_EQ(found.size(), 1u);
    EXPECT_TRUE(mark);
    return provider->variable({found.at(0), *mark, false}, name);
  }
  std::optional<uint64_t> value(const TracedProgram& run, const std::string& function, const char* name) {
    auto answer = variable(function, name);
    EXPECT_TRUE(types::get(answer)) << function << " " << types::lack(answer).detail;
    return types::get(answer) ? run.value(types::get(answer)->location, 4) : std::nullopt;
  }

  World world;
  std::unique_ptr<types::Provider> provider;
  std::string why_not;
};

INSTANTIATE_TEST_SUITE_P(Formats, DwarfCallers,
                         testing::Values("gcc -O2 -gdwarf-5", "gcc -O2 -gdwarf-4", "gcc -O1 -g -foptimize-sibling-calls",
                                         "gcc -Os -g", "gcc -O2 -g -fno-omit-frame-pointer",
                                         "clang -O2 -gdwarf-5", "gcc -O2 -g -gsplit-dwarf"));

TEST_P(DwarfCallers, TellWhatTheyPassed) {
  TracedProgram run(world.root / "src/p");
  // Two stops at one place need another between them.
  auto next = [&](const std::string& function) {
    return run.run_to(*provider->symbol("ends")) && run.run_to(*provider->symbol("in_" + function));
  };
  auto given = [&] { return value(run, "forgets", "given"); };
  ASSERT_TRUE(next("forgets"));
  EXPECT_EQ(given(), 40u);
  EXPECT_EQ(value(run, "forgets", "step"), 5u);
  ASSERT_TRUE(next("forgets"));
  EXPECT_EQ(given(), 17u);
  EXPECT_EQ(value(run, "forgets", "step"), 40u);
  ASSERT_TRUE(next("hidden"));
  EXPECT_EQ(value(run, "hidden", "given"), 41u);
  ASSERT_TRUE(next("forgets")) << "called through a pointer";
  EXPECT_EQ(given(), std::nullopt);
  ASSERT_TRUE(next("forgets"));
  EXPECT_EQ(given(), 35u) << "from another unit";
  EXPECT_EQ(value(run, "forgets", "step"), 6u);
  EXPECT_THAT(types::spell(types::get(variable("forgets", "given"))->location),
              HasSubstr("by_caller(u64["));
}

TEST_P(DwarfCallers, OfWhatIsOnlyJumpedToTellNothing) {
  auto answer = variable("jumped_to", "given");
  ASSERT_FALSE(types::get(answer));
  EXPECT_EQ(types::lack(answer).detail,
            "it was in rdi at the function's entry, which is not kept, and no caller tells it");
}

TEST_P(DwarfCallers, OfWhatMayJumpToItselfAreNotAsked) {
  auto answer = variable("loops", "n");
  EXPECT_FALSE(types::get(answer));
}

TEST_P(DwarfCallers, VariablesOfAThreadLieBeforeItsBase) {
  TracedProgram run(world.root / "src/p");
  ASSERT_TRUE(run.run_to(*provider->symbol("in_forgets")));
  auto global = [&](const char* name) {
    auto answer = provider->global(name, "");
    EXPECT_TRUE(types::get(answer)) << types::lack(answer).detail;
    return types::get(answer) ? types::get(answer)->location : types::Location{};
  };
  EXPECT_EQ(run.value(global("own"), 8), 5u);
  EXPECT_EQ(run.value(global("wide"), 2), 'a' + ('b' << 8) + 0u);
  EXPECT_EQ(run.value(global("zero"), 4), 0u);
  std::string fixed = types::spell(global("own"));
  EXPECT_THAT(fixed, testing::StartsWith("at fs_base - "));
  build(fmt::format("{} -fPIE -pie", GetParam()));
  EXPECT_EQ(types::spell(global("own")), fixed);
  build(fmt::format("{} -fPIC -shared", GetParam()));
  auto in_library = provider->global("own", "");
  ASSERT_FALSE(types::get(in_library));
  EXPECT_THAT(types::lack(in_library).detail, HasSubstr("only the dynamic linker knows"));
}

}  // namespace
}  // namespace stp
