// The DWARF provider, on programs that the tests compile and run.
#include "debuginfo/dwarf.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "debuginfo/dwarf_entry.h"
#include "debuginfo/image.h"
#include "support/subprocess.h"
#include "testsuite/unit/fake_image.h"
#include "testsuite/unit/traced_program.h"

namespace stp {
namespace {

using testing_dwarf::TracedProgram;
using testing_images::World;
using types::Function;
using types::Lack;
using types::Location;
using types::Place;
using types::Variable;

// Lines are found by the marks in comments.
constexpr const char* subject = R"(
#ifdef __clang__
#define noipa noinline
#endif
struct bits { unsigned low : 3; int middle : 13; unsigned long wide : 40; };
struct point { long x, y; };
struct big { long v[5]; };
enum color { RED = 1, BLUE = -4, GREEN = 7 };
enum { NAMELESS = 11 };
typedef struct box { union { int left; char right; }; struct bits b; int grid[2][3]; } box_t;
struct unknown;
struct node { struct node *next; struct unknown *mystery; };
extern long made_by_assembler;
asm(".pushsection .data\n.globl made_by_assembler\nmade_by_assembler: .quad 99\n.popsection");
static int counter = 5;
box_t a_box;
struct node a_node;
enum color a_color = GREEN;
int nameless = NAMELESS;
volatile long sink;

__attribute__((noipa)) void ends(void) { sink = 1; }
static inline __attribute__((always_inline)) long doubled(long n) {  // doubled
  sink = n;  // in doubled
  return n * 2;
}
__attribute__((noipa)) long takes(int a, long b, struct point p, struct big on_stack, char c) {  // takes
  long sum = a + b + p.x;
  ends();  // sum known
  sum += doubled(sum + 100);
  ends();  // sum changed
  return sum + on_stack.v[4] + c + counter++;
}
long second_name(int, long, struct point, struct big, char) __attribute__((alias("takes")));
__attribute__((noipa)) long ignores(int unused, int used) { return used; }
__attribute__((noipa)) struct point returns_point(long x) {
  struct point p = { x, x + 1 };
  return p;
}
__attribute__((noipa)) struct big returns_big(long x) {
  struct big b = { { x, 1, 2, 3, x + 4 } };
  return b;
}
__attribute__((noipa)) double returns_float(int x) { return x; }
__attribute__((noipa, cold)) void complains(long n) { sink = n; }
__attribute__((noipa)) long split(long n) {
  if (__builtin_expect(n > 1000, 0)) {
    complains(n);  // cold part
    complains(n * 3);
  }
  return n + made_by_assembler;
}
// As SYSCALL_DEFINE does: both functions are declared on one line, the body is the second's.
#define WRAPPED(name)                                                      \
  static inline long inner_##name(long);                                    \
  __attribute__((noipa)) long name(long n) { return inner_##name(n) + 1; }  \
  static inline __attribute__((always_inline)) long inner_##name(long n)
WRAPPED(wrapped) {
  sink = n;  // in wrapped
  return n + 7;
}
__attribute__((noipa)) int __traceiter_hop(void *data, struct point *from, int legs) { return legs; }
int main(void) {
  struct point p = { 30, 40 };
  struct big g = { { 1, 2, 3, 4, 500 } };
  takes(-1, 20, p, g, 'x');
  ignores(6, 7);
  returns_point(70);
  returns_big(80);
  returns_float(9);
  split(2000);
  wrapped(3);
  return __traceiter_hop(0, &p, 3) - 3 + a_box.left + (a_node.next != 0) + (a_color != GREEN);
}
)";

uint32_t line_of(const std::string& mark) {
  std::string text(subject);
  size_t at = text.find("// " + mark + "\n");
  EXPECT_NE(at, text.npos) << mark;
  return 1 + static_cast<uint32_t>(
                 std::count(text.begin(), text.begin() + static_cast<long>(at), '\n'));
}

// Built once for each set of options.
std::filesystem::path compile(const World& world, const std::string& options) {
  world.write("src/subject.c", subject);
  bool clang = options.starts_with("clang ");
  std::vector<std::string> command = {clang ? "clang" : "gcc", "-no-pie", "-o", "../program",
                                      "subject.c"};
  std::string word;
  for (char c : options.substr(clang ? 6 : 0) + " ")
    if (c != ' ')
      word += c;
    else if (!word.empty())
      command.insert(command.begin() + 1, std::exchange(word, {}));
  EXPECT_EQ(run_logged(command, world.root / "gcc.log", world.root / "src"), 0)
      << text_of_file(world.root / "gcc.log");
  return world.root / "program";
}

std::unique_ptr<types::Provider> open_program(const std::filesystem::path& program,
                                              std::string& why_not) {
  Target target;
  target.release = "9.1-test";
  target.debuginfo = target.vmlinux = program;
  return open_dwarf(program, target, why_not);
}

class DwarfProgram : public testing::TestWithParam<const char*> {
 protected:
  DwarfProgram() : program(compile(world, GetParam())) {
    std::string why_not;
    provider = open_program(program, why_not);
    if (!provider) throw std::runtime_error(why_not);
  }
  Function function(const std::string& name) {
    auto found = provider->functions({name, "", false});
    EXPECT_EQ(found.size(), 1u) << name;
    return found.empty() ? Function{} : found[0];
  }
  types::Statement statement(const std::string& function, const std::string& mark) {
    auto found = provider->statements({function, "", true}, line_of(mark), false, false);
    EXPECT_TRUE(types::get(found)) << mark;
    return types::get(found) ? types::get(found)->front() : types::Statement{};
  }
  Variable variable(const Place& place, std::string_view name) {
    auto found = provider->variable(place, name);
    EXPECT_TRUE(types::get(found))
        << name << ": " << (types::get(found) ? "" : types::lack(found).detail);
    return types::get(found) ? *types::get(found) : Variable{};
  }
  const types::Type* type(std::string_view spelling) {
    auto found = provider->type(spelling);
    EXPECT_TRUE(types::get(found)) << spelling;
    return types::get(found) ? *types::get(found) : nullptr;
  }

  World world;
  std::filesystem::path program;
  std::unique_ptr<types::Provider> provider;
};

INSTANTIATE_TEST_SUITE_P(Formats, DwarfProgram,
                         testing::Values("-O2 -gdwarf-4", "-O2 -gdwarf-5", "-O1 -gdwarf-5",
                                         "-O0 -gdwarf-5", "-O0 -gdwarf-4", "-Os -gdwarf-5",
                                         "-O2 -gdwarf-5 -g3",
                                         "-O2 -gdwarf-5 -fno-asynchronous-unwind-tables"));

TEST_P(DwarfProgram, ArgumentsHaveTheirValuesAtTheEntry) {
  TracedProgram run(program);
  Function takes = function("takes");
  ASSERT_TRUE(run.run_to(takes.address));
  Place entry{takes, takes.address, true};
  EXPECT_EQ(run.value(variable(entry, "a").location, 4), 0xffffffffu);
  EXPECT_EQ(run.value(variable(entry, "b").location, 8), 20u);
  EXPECT_EQ(run.value(variable(entry, "p").location, 8), 30u);
  EXPECT_EQ(run.value(variable(entry, "p").location, 8, 8), 40u);
  EXPECT_EQ(run.value(variable(entry, "on_stack").location, 8, 32), 500u);
  EXPECT_EQ(run.value(variable(entry, "c").location, 1), 'x' + 0u);
}

TEST_P(DwarfProgram, AnArgumentThatIsNotUsedIsStillThereAtTheEntry) {
  TracedProgram run(program);
  Function ignores = function("ignores");
  ASSERT_TRUE(run.run_to(ignores.address));
  EXPECT_EQ(run.value(variable({ignores, ignores.address, true}, "unused").location, 4), 6u);
}

TEST_P(DwarfProgram, LocalsHaveTheirValuesAtALine) {
  TracedProgram run(program);
  auto known = statement("takes", "sum known"), changed = statement("takes", "sum changed");
  ASSERT_TRUE(run.run_to(known.address));
  EXPECT_EQ(run.value(variable({known.function, known.address, false}, "sum").location, 8), 49u);
  ASSERT_TRUE(run.run_to(changed.address));
  EXPECT_EQ(run.value(variable({changed.function, changed.address, false}, "sum").location, 8),
            347u);
}

TEST_P(DwarfProgram, AnInlinedCopyIsAFunctionWithParameters) {
  auto copies = provider->functions({"doubled", "subject.c", true});
  ASSERT_EQ(copies.size(), 1u);
  EXPECT_TRUE(copies[0].inlined);
  EXPECT_EQ(copies[0].symbol, "");
  EXPECT_EQ(copies[0].line, line_of("doubled"));
  EXPECT_TRUE(provider->functions({"doubled", "", false}).empty());
  TracedProgram run(program);
  auto inside = statement("doubled", "in doubled");
  ASSERT_TRUE(run.run_to(inside.address));
  EXPECT_EQ(run.value(variable({inside.function, inside.address, false}, "n").location, 8), 149u);
}

TEST_P(DwarfProgram, ALineOfAnInlinedFunctionIsNotItsCallers) {
  auto found = provider->statements({"takes", "", true}, 0, false, false);
  ASSERT_TRUE(types::get(found));
  for (const auto& s : *types::get(found)) {
    EXPECT_GE(s.line, line_of("takes"));
    EXPECT_LE(s.line, line_of("takes") + 6);
  }
}

TEST_P(DwarfProgram, ABodyBehindAMacroBelongsToTheFunctionThatTheMacroEndsWith) {
  auto found = provider->statements({"*", "", true}, line_of("in wrapped"), false, false);
  ASSERT_TRUE(types::get(found));
  for (const auto& s : *types::get(found)) EXPECT_EQ(s.function.name, "inner_wrapped");
}

TEST_P(DwarfProgram, LinesAreCountedFromTheDeclarationWhenRelative) {
  auto absolute = statement("takes", "sum known");
  auto relative = provider->statements({"takes", "subject.c", false}, 2, true, false);
  ASSERT_TRUE(types::get(relative));
  EXPECT_EQ(types::get(relative)->front().address, absolute.address);
  auto declaration = provider->statements({"takes", "", false}, 0, true, false);
  ASSERT_TRUE(types::get(declaration));
  EXPECT_EQ(types::get(declaration)->front().address, function("takes").address);
}

TEST_P(DwarfProgram, ALineWithoutCodeIsRefusedUnlessTheNearestWillDo) {
  uint32_t closing_if = line_of("cold part") + 2;
  auto exact = provider->statements({"split", "", false}, closing_if, false, false);
  ASSERT_FALSE(types::get(exact));
  EXPECT_EQ(types::lack(exact).kind, Lack::Kind::not_found);
  auto nearest = provider->statements({"split", "", false}, closing_if, false, true);
  ASSERT_TRUE(types::get(nearest));
  EXPECT_EQ(types::get(nearest)->front().line, closing_if + 1);
}

TEST_P(DwarfProgram, AFunctionHoldsAllOfItsCode) {
  auto cold = statement("split", "cold part");
  auto holder = provider->function_at(cold.address);
  ASSERT_TRUE(holder);
  EXPECT_EQ(holder->name, "split");
  EXPECT_EQ(holder->address, *provider->symbol("split"));
  TracedProgram run(program);
  ASSERT_TRUE(run.run_to(cold.address));
  EXPECT_EQ(run.value(variable({cold.function, cold.address, false}, "n").location, 8), 2000u);
}

TEST_P(DwarfProgram, ResultsAreWhereTheFunctionLeavesThem) {
  TracedProgram run(program);
  auto run_to_return = [&](const Function& f) {
    return run.run_to(f.address) && run.run_to(run.memory(run.stack_pointer()));
  };
  Function point = function("returns_point"), big = function("returns_big");
  ASSERT_TRUE(run_to_return(point));
  auto in_registers = provider->return_value(point);
  ASSERT_TRUE(types::get(in_registers));
  EXPECT_EQ(types::spell(types::get(in_registers)->type), "struct point");
  EXPECT_EQ(run.value(types::get(in_registers)->location, 8, 8), 71u);
  ASSERT_TRUE(run_to_return(big));
  auto in_memory = provider->return_value(big);
  ASSERT_TRUE(types::get(in_memory));
  EXPECT_EQ(run.value(types::get(in_memory)->location, 8, 32), 84u);
}

TEST_P(DwarfProgram, NoResultAndFloatingResultsAreRefused) {
  EXPECT_EQ(types::lack(provider->return_value(function("ends"))).kind, Lack::Kind::not_found);
  EXPECT_EQ(types::lack(provider->return_value(function("returns_float"))).kind,
            Lack::Kind::unusable);
}

TEST_P(DwarfProgram, ThePrologueEndsWhereTheSecondStatementBegins) {
  Function takes = function("takes");
  uint64_t behind = provider->after_prologue(takes);
  EXPECT_GT(behind, takes.address);
  EXPECT_LE(behind, statement("takes", "sum known").address);
}

TEST_P(DwarfProgram, AnAliasIsFoundByItsOwnName) {
  Function alias = function("second_name");
  EXPECT_EQ(alias.name, "second_name");
  EXPECT_EQ(alias.address, function("takes").address);
  EXPECT_EQ(alias.line, line_of("takes"));
  auto both = provider->functions({"se*name", "", false});
  EXPECT_EQ(both.size(), 1u);
}

TEST_P(DwarfProgram, PatternsMatchNamesAndTailsOfPaths) {
  auto names = [&](const types::FunctionQuery& query) {
    std::vector<std::string> found;
    for (const auto& f : provider->functions(query)) found.push_back(f.name);
    return found;
  };
  EXPECT_EQ(names({"returns_*", "sub*.c", false}),
            (std::vector<std::string>{"returns_big", "returns_float", "returns_point"}));
  EXPECT_TRUE(names({"returns_*", "ject.c", false}).empty());
  EXPECT_TRUE(names({"return", "", false}).empty());
}

TEST_P(DwarfProgram, GlobalsHaveTheirValues) {
  TracedProgram run(program);
  ASSERT_TRUE(run.run_to(function("main").address));
  auto value = [&](std::string_view name, std::string_view file) -> std::optional<uint64_t> {
    auto found = provider->global(name, file);
    if (!types::get(found)) return std::nullopt;
    return run.value(types::get(found)->location, 4);
  };
  EXPECT_EQ(value("counter", "subject.c"), 5u);
  EXPECT_EQ(value("counter", "other.c"), std::nullopt);
  EXPECT_EQ(value("made_by_assembler", ""), 99u);
  auto wrong = provider->global("countre", "");
  EXPECT_EQ(types::lack(wrong).alike(), std::vector<std::string>{"counter"});
}

TEST_P(DwarfProgram, MembersLieWhereTheCompilerPutsThem) {
  auto left = types::find_member(*provider, *type("box_t"), "left");
  ASSERT_TRUE(types::get(left));
  EXPECT_EQ(types::get(left)->offset, 0u);
  auto grid = types::find_member(*provider, *type("struct box"), "grid");
  ASSERT_TRUE(types::get(grid));
  EXPECT_EQ(types::get(grid)->offset, 16u);
  EXPECT_EQ(types::spell(types::get(grid)->type), "int [2][3]");
  EXPECT_EQ(types::get(grid)->type->size, 24u);
}

TEST_P(DwarfProgram, BitFieldsAreCountedFromTheirStorageUnit) {
  auto members = provider->members(*type("struct bits"));
  ASSERT_EQ(members.size(), 3u);
  EXPECT_EQ(members[1].name, "middle");
  EXPECT_EQ(members[1].offset * 8 + members[1].bit_offset, 3u);
  EXPECT_EQ(members[1].bit_size, 13);
  EXPECT_TRUE(members[1].type->is_signed);
  EXPECT_EQ(members[2].offset * 8 + members[2].bit_offset, 16u);
  EXPECT_EQ(members[2].bit_size, 40);
}

TEST_P(DwarfProgram, EnumeratorsAreFoundByNameOfAnyEnumeration) {
  EXPECT_EQ(provider->enumerator("BLUE"), -4);
  EXPECT_EQ(provider->enumerator("NAMELESS"), 11);
  EXPECT_EQ(provider->enumerator("PURPLE"), std::nullopt);
  const types::Type* color = type("enum color");
  EXPECT_TRUE(color->is_signed);
  ASSERT_EQ(provider->enumerators(*color).size(), 3u);
  EXPECT_EQ(provider->enumerators(*color)[2].value, 7);
}

TEST_P(DwarfProgram, TypesAreFoundByTheirSpelling) {
  EXPECT_EQ(types::spell(type("struct node **")), "struct node **");
  EXPECT_EQ(type("long int")->size, 8u);
  EXPECT_EQ(types::spell(type("void *")), "void *");
  auto members = provider->members(*type("struct node"));
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(members[0].type->of, type("struct node"));
  EXPECT_EQ(members[1].type->of->kind, types::Kind::forward);
  auto wrong = provider->type("struct pint");
  EXPECT_EQ(types::lack(wrong).alike(), std::vector<std::string>{"point"});
}

TEST_P(DwarfProgram, ATracepointHasTheParametersBehindTheIteratorsOwn) {
  auto found = provider->tracepoints("h*");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].name, "hop");
  ASSERT_EQ(found[0].params.size(), 2u);
  EXPECT_EQ(types::spell(found[0].params[0].type), "struct point *");
  EXPECT_EQ(found[0].params[1].name, "legs");
  EXPECT_TRUE(provider->tracepoints("hopp").empty());
}

TEST_P(DwarfProgram, AMisspeltVariableNamesItsNeighbours) {
  Function takes = function("takes");
  auto wrong = provider->variable({takes, takes.address, true}, "on_stakc");
  ASSERT_FALSE(types::get(wrong));
  EXPECT_EQ(types::lack(wrong).alike(), std::vector<std::string>{"on_stack"});
}

TEST_P(DwarfProgram, ParametersComeBeforeLocals) {
  Function takes = function("takes");
  auto found = provider->variables({takes, takes.address, true});
  ASSERT_TRUE(types::get(found));
  std::string names;
  for (const auto& v : *types::get(found)) names += v.name + " ";
  EXPECT_EQ(names, "a b p on_stack c sum ");
}

TEST(ShownPath, BeginsAtTheRootOfTheSource) {
  EXPECT_EQ(dwarf::shown_path("fs/open.c", "/build/linux"), "fs/open.c");
  EXPECT_EQ(dwarf::shown_path("/build/linux-6.1/arch/x86/kernel/head_64.S",
                              "/build/linux-6.1/debian/build/amd64"),
            "arch/x86/kernel/head_64.S");
  EXPECT_EQ(dwarf::shown_path("/build/linux/fs/open.c", "/build/linux"), "fs/open.c");
  EXPECT_EQ(dwarf::shown_path("../fs/open.c", "/build/linux/objects"), "fs/open.c");
  EXPECT_EQ(dwarf::shown_path("./include/generated/x.h", "/build/linux"), "include/generated/x.h");
}

TEST(ShownPath, OfAnotherTreeStaysWhole) {
  EXPECT_EQ(dwarf::shown_path("/usr/include/stdio.h", "/home/me/program"), "/usr/include/stdio.h");
}

class DwarfFile : public testing::Test {
 protected:
  World world;
  std::string why_not;
};

TEST_F(DwarfFile, WithoutDebugInformationItIsRefused) {
  auto program = compile(world, "-O2");
  EXPECT_EQ(open_program(program, why_not), nullptr);
  EXPECT_NE(why_not.find("program"), std::string::npos);
}

TEST_F(DwarfFile, ThatIsNoneOrNoElfIsRefused) {
  EXPECT_EQ(open_program(world.root / "absent", why_not), nullptr);
  EXPECT_NE(why_not.find("No such file"), std::string::npos);
  why_not.clear();
  EXPECT_EQ(open_program(world.write("text", "not an ELF file"), why_not), nullptr);
  EXPECT_NE(why_not, "");
}

TEST_F(DwarfFile, OfAnotherBuildIsRefused) {
  auto program = compile(world, "-g -Wl,--build-id=0x12345678");
  Target target;
  target.debuginfo = program;
  target.build_id = "12345678";
  EXPECT_NE(open_dwarf(program, target, why_not), nullptr) << why_not;
  target.build_id = "87654321";
  EXPECT_EQ(open_dwarf(program, target, why_not), nullptr);
  EXPECT_NE(why_not.find("another build"), std::string::npos);
}

TEST_F(DwarfFile, LeavesAnIndexThatIsUsedAndRebuiltWhenTorn) {
  auto program = compile(world, "-O2 -g -Wl,--build-id=0x1234abcd");
  auto index = world.root / "cache/index/dwarf-1234abcd";
  ASSERT_NE(open_program(program, why_not), nullptr) << why_not;
  std::string whole = text_of_file(index);
  // A name in the index that no file has: it can only come from there.
  std::string changed = whole;
  size_t at = changed.find(std::string("returns_point\0", 14));
  ASSERT_NE(at, changed.npos);
  changed.replace(at, 13, "returns_pointy", 13).replace(at + 12, 1, "z");
  world.write("cache/index/dwarf-1234abcd", changed);
  auto used = open_program(program, why_not);
  EXPECT_EQ(used->functions({"returns_poinz", "", false}).size(), 1u);
  world.write("cache/index/dwarf-1234abcd", whole.substr(0, whole.size() / 2));
  auto rebuilt = open_program(program, why_not);
  EXPECT_EQ(rebuilt->functions({"returns_point", "", false}).size(), 1u);
  EXPECT_EQ(text_of_file(index), whole);
}

// clang calls the unit's own file number 0.
TEST_F(DwarfFile, OfClangNamesTheFilesOfFunctionsAndLines) {
  for (const char* options : {"clang -O0 -gdwarf-5", "clang -O0 -gdwarf-4"}) {
    auto provider = open_program(compile(world, options), why_not);
    ASSERT_NE(provider, nullptr) << why_not;
    auto found = provider->functions({"takes", "subject.c", false});
    ASSERT_EQ(found.size(), 1u) << options;
    EXPECT_EQ(found[0].file, "subject.c");
    auto lines = provider->statements({"takes", "subject.c", false}, line_of("sum known"), false, false);
    EXPECT_TRUE(types::get(lines)) << options;
  }
}

// It says nothing of the half of an argument that is not used; the calling convention does.
TEST_F(DwarfFile, OfClangHasWholeArgumentsAtTheEntry) {
  auto program = compile(world, "clang -O2 -gdwarf-5");
  auto provider = open_program(program, why_not);
  ASSERT_NE(provider, nullptr) << why_not;
  auto found = provider->functions({"takes", "", false});
  ASSERT_EQ(found.size(), 1u);
  auto p = provider->variable({found[0], found[0].address, true}, "p");
  ASSERT_TRUE(types::get(p));
  EXPECT_EQ(types::spell(types::get(p)->location), "8 bytes in rdx, 8 bytes in rcx");
}

// Asks everything of everything.
void ask_all(const types::Provider& provider) {
  for (const auto& f : provider.functions({"*", "*", true})) {
    (void)provider.statements({f.name, "", true}, 0, false, false);
    (void)provider.return_value(f);
    for (uint64_t pc : {f.address, provider.after_prologue(f), f.address + f.size / 2}) {
      auto found = provider.variables({f, pc, pc == f.address});
      (void)provider.function_at(pc);
      if (auto* variables = types::get(found))
        for (const auto& v : *variables) {
          (void)types::spell(v.type);
          if (const auto* type = types::strip(v.type)) {
            (void)types::find_member(provider, *type, "absent");
            (void)provider.enumerators(*type);
          }
        }
    }
  }
  (void)provider.tracepoints("*");
  for (const char* name : {"counter", "sink", "made_by_assembler"}) (void)provider.global(name, "");
  for (const char* name : {"struct bits", "struct box", "enum color", "box_t"})
    if (auto found = provider.type(name); types::get(found))
      if (const auto* type = types::strip(*types::get(found))) (void)provider.members(*type);
}

TEST_F(DwarfFile, DamagedIsReadWithoutCrashing) {
  for (const char* options : {"-O2 -gdwarf-5", "-O2 -gdwarf-4"}) {
    std::string whole = text_of_file(compile(world, options));
    std::string ignored;
    std::vector<std::pair<size_t, size_t>> sections;
    {
      auto image = Image::open(world.root / "program", ignored);
      ASSERT_NE(image, nullptr);
      std::string_view first = image->sections()[1].data;
      for (const auto& section : image->sections())
        if (section.name.starts_with(".debug") || section.name == ".eh_frame")
          sections.emplace_back(whole.find(section.data), section.data.size());
      ASSERT_FALSE(first.empty());
    }
    ASSERT_GE(sections.size(), 5u);
    std::mt19937 random(1);
    size_t opened = 0;
    for (int variant = 0; variant < 300; ++variant) {
      std::string damaged = whole;
      for (int change = 0; change <= variant % 8; ++change) {
        auto [begin, size] = sections[random() % sections.size()];
        damaged[begin + random() % size] = static_cast<char>(random());
      }
      std::filesystem::remove_all(world.root / "cache/index");
      if (auto provider = open_program(world.write("damaged", damaged), why_not)) {
        ++opened;
        ask_all(*provider);
      }
    }
    EXPECT_GT(opened, 100u);
  }
}

TEST_F(DwarfFile, WithADamagedIndexIsReadWithoutCrashing) {
  auto program = compile(world, "-O2 -g -Wl,--build-id=0x1234abcd");
  ASSERT_NE(open_program(program, why_not), nullptr) << why_not;
  std::string whole = text_of_file(world.root / "cache/index/dwarf-1234abcd");
  std::mt19937 random(2);
  for (int variant = 0; variant < 200; ++variant) {
    std::string damaged = whole;
    for (int change = 0; change < 20; ++change)
      damaged[48 + random() % (whole.size() - 49)] = static_cast<char>(random());
    world.write("cache/index/dwarf-1234abcd", damaged);
    if (auto provider = open_program(program, why_not)) ask_all(*provider);
  }
}

// The first kernel that has debuginfo: `make check` fetches one.
class DwarfOfTheKernel : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    Diagnostics diagnostics;
    for (const auto& known : known_kernels())
      if (known.has_debuginfo && !provider)
        if (auto target = find_target(known.release, diagnostics))
          provider = open_dwarf(target->debuginfo, *target, why_not);
  }
  static void TearDownTestSuite() { provider.reset(); }
  void SetUp() override {
    ASSERT_NE(provider, nullptr) << "no kernel with debuginfo in " << cache_dir() / "kernels"
                                 << " (vm/setup check fetches one) " << why_not;
  }
  Function function(const std::string& name) {
    auto found = provider->functions({name, "", false});
    EXPECT_EQ(found.size(), 1u) << name;
    return found.empty() ? Function{} : found[0];
  }

  static inline std::unique_ptr<types::Provider> provider;
  static inline std::string why_not;
};

TEST_F(DwarfOfTheKernel, FunctionsHaveTheirFileBelowTheRootOfTheSource) {
  Function read = function("vfs_read");
  EXPECT_EQ(read.file, "fs/read_write.c");
  EXPECT_EQ(read.address, *provider->symbol("vfs_read"));
  EXPECT_EQ(provider->functions({"vfs_read", "read_write.c", false}).size(), 1u);
  auto holder = provider->function_at(read.address + read.size - 1);
  ASSERT_TRUE(holder);
  EXPECT_EQ(holder->name, "vfs_read");
  for (const auto& f : provider->functions({"*", "", true})) {
    EXPECT_FALSE(f.file.starts_with('/') || f.file.starts_with('.')) << f.name << " " << f.file;
    if (HasFailure()) break;
  }
}

TEST_F(DwarfOfTheKernel, AFilesNameIsReachedThroughMembers) {
  Function read = function("vfs_read");
  auto file = provider->variable({read, read.address, true}, "file");
  ASSERT_TRUE(types::get(file));
  ASSERT_EQ(types::get(file)->location.kind, Location::Kind::value);
  EXPECT_EQ(types::get(file)->location.value->value, 5);  // rdi
  const types::Type* type = types::strip(types::get(file)->type);
  for (const char* name : {"f_path", "dentry", "d_name", "name"}) {
    if (type->kind == types::Kind::pointer) type = types::strip(type->of);
    auto member = types::find_member(*provider, *type, name);
    ASSERT_TRUE(types::get(member)) << name;
    type = types::strip(types::get(member)->type);
  }
  EXPECT_EQ(types::spell(type), "unsigned char *");
}

TEST_F(DwarfOfTheKernel, EveryParameterOfAFileIsKnownAtTheEntry) {
  auto functions = provider->functions({"*", "fs/read_write.c", false});
  EXPECT_GT(functions.size(), 50u);
  for (const auto& f : functions) {
    // What the compiler has split off or specialised may have lost parameters.
    if (f.symbol != f.name) continue;
    auto found = provider->variables({f, f.address, true});
    ASSERT_TRUE(types::get(found)) << f.name;
    for (const auto& v : *types::get(found)) {
      bool known = v.location.value || !v.location.pieces.empty();
      EXPECT_TRUE(known || !v.parameter) << f.name << " " << v.name;
    }
  }
}

TEST_F(DwarfOfTheKernel, SystemCallWrappersAreFunctions) {
  Function wrapper = function("__x64_sys_getppid");
  EXPECT_EQ(wrapper.address, *provider->symbol("__x64_sys_getppid"));
  EXPECT_EQ(wrapper.file, "kernel/sys.c");
}

TEST_F(DwarfOfTheKernel, VariablesOfTheLinkerScriptHaveAnAddress) {
  auto jiffies = provider->global("jiffies", "");
  ASSERT_TRUE(types::get(jiffies));
  EXPECT_EQ(types::get(jiffies)->location.value->op, types::LocOp::address);
  EXPECT_EQ(types::get(jiffies)->location.value->value,
            static_cast<int64_t>(*provider->symbol("jiffies_64")));
}

// @var's file may be one that uses what another one has.
TEST_F(DwarfOfTheKernel, VariablesAreFoundByAFileThatUsesThem) {
  for (const char* file : {"kernel/time/timer.c", "timer.c", "kernel/time/t*r.c", "include/linux/jiffies.h"})
    EXPECT_TRUE(types::get(provider->global("jiffies", file))) << file;
  for (const char* file : {"init/init_task.c", "kernel/fork.c"})
    EXPECT_TRUE(types::get(provider->global("init_task", file))) << file;
  for (const char* file : {"nosuch.c", "drivers/ata/libahci.c"}) {
    EXPECT_FALSE(types::get(provider->global("jiffies_64", file))) << file;
    EXPECT_FALSE(types::get(provider->global("init_task", file))) << file;
  }
}

TEST_F(DwarfOfTheKernel, TracepointsHaveTheirSystemAndParameters) {
  auto found = provider->tracepoints("sched_switch");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].system, "sched");
  ASSERT_GE(found[0].params.size(), 3u);
  EXPECT_EQ(found[0].params[1].name, "prev");
  EXPECT_EQ(types::spell(found[0].params[1].type), "struct task_struct *");
}

TEST_F(DwarfOfTheKernel, StatementsOfAFunctionLieInItsCode) {
  auto found = provider->statements({"vfs_read", "", false}, 0, false, false);
  ASSERT_TRUE(types::get(found));
  EXPECT_GT(types::get(found)->size(), 10u);
  for (const auto& s : *types::get(found)) {
    auto holder = provider->function_at(s.address);
    ASSERT_TRUE(holder);
    EXPECT_EQ(holder->name, "vfs_read");
    EXPECT_EQ(s.file, "fs/read_write.c");
  }
}

TEST_F(DwarfOfTheKernel, FunctionsInTwoPartsBeginAtTheirSymbol) {
  size_t in_parts = 0, elsewhere = 0;
  for (const auto& f : provider->functions({"*", "kernel/*", false})) {
    auto cold = provider->symbol(f.symbol + ".cold");
    auto symbol = provider->symbol(f.symbol);
    if (!cold || !symbol || provider->functions({f.name, "", false}).size() != 1) continue;
    ++in_parts;
    elsewhere += f.address != *symbol;
    auto holder = provider->function_at(*cold);
    EXPECT_EQ(holder ? holder->name : "none", f.name);
  }
  EXPECT_GT(in_parts, 50u);
  EXPECT_EQ(elsewhere, 0u);
}

}  // namespace
}  // namespace stp
