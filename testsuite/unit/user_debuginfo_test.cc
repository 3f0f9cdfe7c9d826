// Programs as a source of debug information: in every form that compilers and dwz leave it in.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/compile.h"
#include "debuginfo/elf_file.h"
#include "debuginfo/open.h"
#include "debuginfo/sources.h"
#include "debuginfo/user_program.h"
#include "fuzz/fake_kernel.h"
#include "sema/analyze.h"
#include "syntax/parser.h"
#include "testsuite/unit/fake_image.h"
#include "testsuite/unit/traced_program.h"
#include "types/calling_convention.h"

namespace stp {
namespace {

using namespace std::string_literals;

namespace fs = std::filesystem;
using testing_images::World;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr const char* source = R"(
namespace geo {
struct Base { int id; int hidden; };
struct Far { long far; };
class Point : public Base, public Far {
 public:
  Point(int x, int y) : x_(x), y_(y) { id = 3; }
  int dot(const Point &o) const;
  int hidden;
  static int made;
  int x_, y_;
};
int Point::made = 4;
int Point::dot(const Point &o) const { return x_ * o.x_ + y_ * o.y_; }
namespace { __attribute__((noinline)) int unseen(int v) { return v * 3; } }
template <typename T> __attribute__((noinline)) T twice(T v) { return v + v; }
}
volatile int sink;
static inline __attribute__((always_inline)) int inlined(int q) { sink = q; return q + 1; }
__attribute__((noinline)) int jump(int n) {
  if (n > 3) goto out;
  n += inlined(n);
  sink = n;
out:
  sink = n + 1;
  return n;
}
extern "C" __attribute__((noinline)) int plain(geo::Point *p, geo::Point &&moved) { return p->id + moved.hidden; }
int main(int argc, char **) {
  geo::Point a(1, 2), b(argc, 4);
  return a.dot(b) + geo::twice(argc) + jump(argc) + geo::unseen(2) + plain(&a, geo::Point(1, 1));
}
extern "C" int held(geo::Point *&p, const long (&row)[4], int &n) { return p->id + row[2] + n; }
extern "C" int closes(int outer) {
  struct Local { __attribute__((noinline)) int method(int m) { sink = m; return m + sink; } } local;
  auto closure = [&](int c) __attribute__((noinline)) { sink = c; return c + outer; };
  return closure(sink) + local.method(outer);
}
namespace geo {
struct Root { long before; int root; virtual ~Root() {} };
struct Left : virtual Root { int left; union { int word; char byte; }; };
struct Right : virtual Root { int right; };
struct Both : Left, Right { int both; };
struct Deeper : Point, virtual Both { Deeper() : Point(1, 2) {} int deeper; };
}
extern "C" __attribute__((noinline)) int diamond(geo::Deeper *d, geo::Both *b, geo::Right *r) {
  return d->root + b->root + r->root;
}
extern "C" __attribute__((noinline)) geo::Root copied(long first, geo::Root r, int last) { r.before = first + last; return r; }
__attribute__((constructor)) static void shapes() {
  geo::Deeper d;
  d.root = 77;
  d.word = 78;
  d.Both::Right::right = 79;
  geo::Root copy = copied(3, d, 4);
  sink = diamond(&d, &d, &d) + copy.before;
}
)";

class Programs : public ::testing::Test {
 protected:
  Programs() {
    world.write("src/p.cc", source);
    target.release = "9.9";
    target.version = "9.9";
    target.arch = "x86_64";
    target.trees = {"/"};
  }
  fs::path build(const std::string& options, const std::string& after = "true") {
    fs::path program = world.root / "src/p";
    fs::remove(program);
    std::string command = fmt::format("cd {}/src && g++ {} p.cc -o p 2>&1 && {} 2>&1",
                                      world.root.string(), options, after);
    EXPECT_EQ(system(command.c_str()), 0) << command;
    return program;
  }
  // What `stp list` prints for a point in the program, without the program's name.
  std::vector<std::string> list(const std::string& text, bool with_variables = false) {
    SourceMap map;
    Diagnostics d;
    MacroLibrary macros;
    auto sources = debuginfo_sources(target, DebuginfoChoice::automatic);
    std::string whole = fmt::format("process(\"{}/src/p\").{}", world.root.string(), text);
    auto tree = parse(map.add("<test>", "probe " + whole + " {}"), {}, macros, map, d);
    std::vector<std::string> lines;
    for (const auto& declaration : tree->declarations)
      if (auto* probe = std::get_if<ast::Probe*>(&declaration))
        for (const auto* point : (*probe)->points)
          for (const auto& listed : list_points(
                   *point, {}, target, *sources, with_variables, d)) {
            std::string line = listed.point.name;
            line.erase(0, line.find(").") + 2);
            for (const auto& variable : listed.variables) line += " " + variable.text();
            lines.push_back(line);
          }
    error = d.failed() ? d.all().front().text : "";
    notes.clear();
    if (d.failed())
      for (const auto& note : d.all().front().notes) notes += note.text + "\n";
    return lines;
  }

  // What analysis says against an expression at a function's entry; empty: nothing.
  std::string refused(const std::string& function, const std::string& expression) {
    SourceMap map;
    Diagnostics d;
    MacroLibrary macros;
    auto sources = debuginfo_sources(target, DebuginfoChoice::automatic);
    auto script = parse(map.add("<test>", fmt::format("probe process(\"{}/src/p\").function(\"{}\") "
                                                      "{{ println({}) }}",
                                                      world.root.string(), function, expression)),
                        {}, macros, map, d);
    analyze(*script, {}, target, *sources, {}, d);
    return d.failed() ? d.all().front().text : "";
  }

  World world;
  Target target;
  std::string error, notes;
};

TEST_F(Programs, AreNotRunYet) {
  fs::path program = build("-g");
  SourceMap map;
  Diagnostics d;
  MacroLibrary macros;
  auto script = parse(map.add("<test>", fmt::format("probe process(\"{}\").function(\"plain\") "
                                                    "{{ println($p->id) }}", program.string())),
                      {}, macros, map, d);
  auto sources = debuginfo_sources(target, DebuginfoChoice::automatic);
  auto program_of_script = analyze(*script, {}, target, *sources, {}, d);
  ASSERT_FALSE(d.failed()) << d.all().front().text;
  ASSERT_TRUE(program_of_script);
  EXPECT_EQ(cli::emit_program(*program_of_script, target, d), "");
  ASSERT_TRUE(d.failed());
  EXPECT_EQ(d.all().front().code, Code::unsupported);
  EXPECT_TRUE(d.all().front().span);
}

struct Form {
  const char* name;
  const char* options;
  const char* after = "true";
};

class EveryForm : public Programs, public ::testing::WithParamInterface<Form> {};

TEST_P(EveryForm, NamesTypesAndCopies) {
  build(GetParam().options, GetParam().after);
  EXPECT_THAT(list("function(\"geo::Point::dot\")", true),
              Contains("function(\"geo::Point::dot@p.cc:14\") $this:struct Point * "
                       "$o:struct Point &"))
      << error << notes;
  EXPECT_THAT(list("function(\"Point::dot\").call"), ElementsAre(StartsWith("function(\"geo::")));
  EXPECT_THAT(list("function(\"twice<*\").return", true),
              ElementsAre("function(\"geo::twice<int>@p.cc:16\").return $return:int $v:int"));
  EXPECT_THAT(list("function(\"unseen\")"),
              ElementsAre("function(\"geo::(anonymous namespace)::unseen@p.cc:15\")"));
  EXPECT_EQ(refused("plain", "$p->id + $p->far + $moved->y_"), "");
  // In classes that are inside of functions.
  EXPECT_THAT(list("function(\"method\").call"), ElementsAre("function(\"method@p.cc:35\").call"));
  EXPECT_THAT(list("function(\"operator()\").call", true), ElementsAre(HasSubstr("$c:int")));
  EXPECT_THAT(list("function(\"inlined\").inline", true),
              ElementsAre("function(\"inlined@p.cc:19\").inline $q:int"));
  // As it is listed it can be asked for.
  std::string callee = "function(\"jump@p.cc:20\").callee(\"inlined@p.cc:19\")";
  for (const auto& text : {"function(\"jump\").callee(\"inl*\")"s, callee})
    EXPECT_THAT(list(text), ElementsAre(callee)) << text;
  std::string label = "function(\"jump@p.cc:24\").label(\"out\")";
  for (const auto& text : {"function(\"jump\").label(\"out\")"s, label})
    EXPECT_THAT(list(text), ElementsAre(label)) << text;
  EXPECT_THAT(list("function(\"jump@p.cc:19\").label(\"out\")"), IsEmpty());
  EXPECT_THAT(list("statement(\"jump@p.cc:23\")"), ElementsAre("statement(\"jump@p.cc:23\")"));
}

INSTANTIATE_TEST_SUITE_P(
    Programs, EveryForm,
    ::testing::Values(
        Form{"dwarf5", "-g -O2"}, Form{"dwarf4", "-gdwarf-4 -O2"}, Form{"unoptimised", "-g -O0"},
        Form{"not_pie", "-g -O2 -no-pie"}, Form{"split", "-g -O2 -gsplit-dwarf"},
        Form{"split4", "-gdwarf-4 -O2 -gsplit-dwarf"},
        Form{"packed4", "-gdwarf-4 -O2 -gsplit-dwarf", "dwp -e p -o p.dwp && rm *.dwo"},
        Form{"packed4llvm", "-gdwarf-4 -O2 -gsplit-dwarf", "llvm-dwp -e p -o p.dwp && rm *.dwo"},
        Form{"packed_stripped", "-gdwarf-4 -O2 -gsplit-dwarf -gz",
             "dwp -e p -o p.dwp && rm *.dwo && objcopy --only-keep-debug p p.debug && strip -g p && "
             "objcopy --add-gnu-debuglink=p.debug p"},
        Form{"types_apart", "-g -O2 -fdebug-types-section"},
        Form{"types_apart4", "-gdwarf-4 -O2 -fdebug-types-section"},
        Form{"types_apart_packed", "-gdwarf-4 -O2 -gsplit-dwarf -fdebug-types-section",
             "dwp -e p -o p.dwp && rm *.dwo"},
        Form{"compressed", "-g -O2 -gz"},
        Form{"zlib_gnu", "-g -O2", "objcopy --compress-debug-sections=zlib-gnu p && readelf -S p | grep -q zdebug"},
        Form{"zstd", "-g -O2", "objcopy --compress-debug-sections=zstd p && readelf -t p | grep -q ZSTD"},
        Form{"zstd_beside", "-g -O2",
             "objcopy --only-keep-debug --compress-debug-sections=zstd p p.debug && strip -g p && "
             "objcopy --add-gnu-debuglink=p.debug p"},
        Form{"zstd_shared", "-g -O2",
             "cp p q && dwz -m common.debug p q && readelf -S p | grep -q altlink && "
             "objcopy --compress-debug-sections=zstd common.debug"},
        Form{"zstd_packed", "-gdwarf-4 -O2 -gsplit-dwarf",
             "dwp -e p -o p.dwp && rm *.dwo && objcopy --compress-debug-sections=zstd p && "
             "objcopy --compress-debug-sections=zstd p.dwp && readelf -t p.dwp | grep -q ZSTD"},
        Form{"stripped", "-g -O2",
             "objcopy --only-keep-debug p p.debug && strip -g p && "
             "objcopy --add-gnu-debuglink=p.debug p"},
        Form{"shared", "-g -O2", "cp p q && dwz -m common.debug p q && readelf -S p | grep -q altlink"}),
    [](const auto& form) { return form.param.name; });

// Units of one name in different folders, and a file that none of the package's units is of.
TEST_F(Programs, PackagesHoldManyUnits) {
  for (const char* pack : {"gcc -gdwarf-4", "clang -gdwarf-5", "clang -gdwarf-4"}) {
    std::string make = "rm -rf a b *.dw?; ", objects;
    for (const char* folder : {"a", "b"}) {
      world.write(fmt::format("src/{}.c", folder),
                  fmt::format("struct {0}_s {{ struct {0}_s *next; int {0}_n; }};\n"
                              "int {0}_f(struct {0}_s *{0}_p) {{ return {0}_p->{0}_n; }}\n",
                              folder));
      make += fmt::format("mkdir {0} && (cd {0} && {1} -gsplit-dwarf -O1 -c ../{0}.c -o u.o) && ", folder,
                          pack);
      objects += fmt::format(" {}/u.o", folder);
    }
    world.write("src/m.c", "int a_f(void *), b_f(void *);\n"
                           "int main(int c, char **v) { return c > 5 ? a_f(v) : c > 4 ? b_f(v) : 0; }\n");
    std::string program = fmt::format("{} -gsplit-dwarf m.c {} -o p && ", pack, objects);
    build("", make + program + (strstr(pack, "-5") ? "llvm-dwp" : "dwp") + " *.dwo */*.dwo -o p.dwp && rm *.dwo */*.dwo");
    for (const char* name : {"a", "b"})
      EXPECT_THAT(list(fmt::format("function(\"{}_f\")", name), true),
                  ElementsAre(fmt::format("function(\"{0}_f@{0}.c:2\") ${0}_p:struct {0}_s *", name)))
          << pack << error;
    EXPECT_THAT(list("statement(\"a_f@a.c:2\")"), ElementsAre("statement(\"a_f@a.c:2\")")) << pack;
    EXPECT_THAT(list("function(\"main\").call", true), ElementsAre(HasSubstr("$c:int $v:char **"))) << pack;
    EXPECT_EQ(refused("b_f", "$b_p->next->b_n"), "");
  }
  // Of another build.
  fs::copy_file(world.root / "src/p.dwp", world.root / "src/kept");
  build("-gdwarf-4 -gsplit-dwarf", "rm -f *.dwo && mv kept p.dwp");
  EXPECT_THAT(list("function(\"main\")"), IsEmpty());
  EXPECT_THAT(error, HasSubstr("p.dwo is not there, nor in "));
}

// The verdicts are those of stap 4.8; it prints names as short as they were written.
TEST_F(Programs, NamesMatchByTheirLastParts) {
  build("-g");
  auto count = [&](const std::string& pattern) {
    return list("function(\"" + pattern + "\").call").size();
  };
  EXPECT_EQ(count("dot"), 1u);
  EXPECT_EQ(count("Point::dot"), 1u);
  EXPECT_EQ(count("::geo::Point::dot"), 1u);
  EXPECT_EQ(count("::dot"), 0u);
  EXPECT_EQ(count("oint::dot"), 0u);
  EXPECT_EQ(count("*::dot"), 1u);
  EXPECT_EQ(count("::jump"), 1u);
  EXPECT_EQ(count("twice<int>"), 1u);
  EXPECT_EQ(count("twice"), 0u);
  EXPECT_THAT(list("function(\"geo::*\")"), ElementsAre(HasSubstr("geo::twice<int>@")));
  EXPECT_EQ(count("dot@" + (world.root / "src/p.cc").string()), 1u);
  EXPECT_EQ(count("dot@/other.cc"), 0u);
}

TEST_F(Programs, WhatBaseClassesHaveShowsThrough) {
  const auto* provider = open_user_debuginfo(build("-g"), target.trees).provider;
  ASSERT_NE(provider, nullptr);
  auto functions = provider->functions({"plain", "", false});
  ASSERT_EQ(functions.size(), 1u);
  auto answer = provider->variable({functions[0], functions[0].address, true}, "p");
  auto* p = types::get(answer);
  ASSERT_NE(p, nullptr);
  const types::Type* point = types::strip(types::strip(p->type)->of);
  auto offset = [&](const char* name) -> int64_t {
    auto member = types::find_member(*provider, *point, name);
    return types::get(member) ? static_cast<int64_t>(types::get(member)->offset) : -1;
  };
  EXPECT_EQ(offset("id"), 0);
  EXPECT_EQ(offset("far"), 8);
  EXPECT_EQ(offset("hidden"), 16) << "the class's own hides the base's";
  EXPECT_EQ(offset("x_"), 20);
  EXPECT_EQ(offset("made"), -1) << "static members are not in the object";
}

TEST_F(Programs, VirtualBasesAreWhereTheObjectSays) {
  for (const char* options : {"-g -no-pie -O1", "-g -no-pie -O0 -gdwarf-4"}) {
    fs::path program = build(options);
    const auto* provider = open_user_debuginfo(program, target.trees).provider;
    ASSERT_NE(provider, nullptr);
    auto found = provider->functions({"diamond", "", false});
    ASSERT_EQ(found.size(), 1u);
    testing_dwarf::TracedProgram run(program);
    ASSERT_TRUE(run.run_to(found[0].address));
    auto read = [&](const char* variable, const char* name) -> int64_t {
      auto answer = provider->variable({found[0], found[0].address, true}, variable);
      auto* pointer = types::get(answer);
      const types::Type* type = types::strip(types::strip(pointer->type)->of);
      auto member = types::find_member(*provider, *type, name);
      if (!types::get(member)) return -1;
      uint64_t at = *run.value(pointer->location, 8);
      for (auto [offset, entry] : types::get(member)->through) {
        at += offset;
        at += run.memory(run.memory(at) + static_cast<uint64_t>(entry));
      }
      return static_cast<int64_t>(run.memory(at + types::get(member)->offset, 4));
    };
    for (const char* variable : {"d", "b", "r"}) EXPECT_EQ(read(variable, "root"), 77) << variable;
    EXPECT_EQ(read("b", "byte") & 255, 78);
    EXPECT_EQ(read("d", "word"), 78);
    EXPECT_EQ(read("d", "right"), 79);
    EXPECT_EQ(read("r", "right"), 79);
    EXPECT_EQ(read("r", "left"), -1);
    EXPECT_EQ(refused("diamond", "$d->root + $b->word + $r->right"), "");
    EXPECT_EQ(refused("diamond", "$d$"), "");
    EXPECT_THAT(refused("diamond", "$d->rot"), HasSubstr("has no member 'rot'"));
  }
}

// A class that cannot be copied byte by byte is passed and returned by its address. clang says which are.
TEST_F(Programs, ClassesThatAreCopiedBySomeFunctionArePassedByAddress) {
  for (const char* options : {"-g -no-pie -O2", "-g -no-pie -O0"}) {
    fs::path program = build("-g", fmt::format("clang++ {} p.cc -o p", options));
    const auto* provider = open_user_debuginfo(program, target.trees).provider;
    auto copied = provider->functions({"copied", "", false});
    ASSERT_EQ(copied.size(), 1u);
    testing_dwarf::TracedProgram run(program);
    ASSERT_TRUE(run.run_to(copied[0].address));
    auto value = [&](const char* name, unsigned offset) {
      auto answer = provider->variable({copied[0], copied[0].address, true}, name);
      return types::get(answer) ? run.value(types::get(answer)->location, 4, offset) : std::nullopt;
    };
    EXPECT_EQ(value("first", 0), 3u);
    EXPECT_EQ(value("r", 16), 77u);
    EXPECT_EQ(value("last", 0), 4u);
    auto result = provider->return_value(copied[0]);
    ASSERT_TRUE(types::get(result));
    EXPECT_EQ(types::spell(types::get(result)->location), "at rax");
  }
}

TEST_F(Programs, ReferencesAreWhatTheyReferTo) {
  fs::path program = build("-g");
  for (const char* good : {"$p->id", "$p->far", "$p$", "$row[3]", "$n", "$row[$n]"})
    EXPECT_EQ(refused("held", good), "") << good;
  EXPECT_THAT(refused("held", "$n[1]"), HasSubstr("int & has no elements"));
  EXPECT_THAT(refused("held", "$p->none"), HasSubstr("has no member 'none'"));
  const auto* provider = open_user_debuginfo(program, target.trees).provider;
  auto held = provider->functions({"held", "", false});
  ASSERT_EQ(held.size(), 1u);
  auto spelled = [&](const types::Function& f, const char* name) {
    auto answer = provider->variable({f, f.address, true}, name);
    return types::get(answer) ? types::spell(types::get(answer)->type) : "";
  };
  EXPECT_EQ(spelled(held[0], "p"), "struct Point *&");
  EXPECT_EQ(spelled(held[0], "row"), "long int (&)[4]");
  EXPECT_EQ(spelled(held[0], "n"), "int &");
  EXPECT_EQ(spelled(provider->functions({"plain", "", false})[0], "moved"), "struct Point &&");
}

// Unoptimised code says where variables are by the frame, whose description is not in p.debug.
TEST_F(Programs, FramesAreUnwoundByTheProgramItself) {
  build("-g -O1 -fno-omit-frame-pointer -fno-var-tracking",
        "objcopy --only-keep-debug p p.debug && strip -g p && "
        "objcopy --add-gnu-debuglink=p.debug p");
  const auto* provider = open_user_debuginfo(world.root / "src/p", target.trees).provider;
  ASSERT_NE(provider, nullptr);
  auto main = provider->functions({"main", "", false});
  ASSERT_EQ(main.size(), 1u);
  auto answer = provider->variable({main[0], provider->after_prologue(main[0]), false}, "a");
  ASSERT_NE(types::get(answer), nullptr) << types::lack(answer).detail;
}

TEST_F(Programs, WhatIsMissingIsSaid) {
  EXPECT_THAT(list("function(\"main\")"), IsEmpty());
  EXPECT_THAT(error, HasSubstr("there is no file"));
  build("-g", "strip p");
  EXPECT_THAT(list("function(\"main\")"), IsEmpty());
  EXPECT_THAT(error, HasSubstr("it has no debug information"));
  EXPECT_THAT(notes, HasSubstr("looked for usr/lib/debug/.build-id/"));
  EXPECT_THAT(notes, HasSubstr("compile it with -g"));
  build("-g -gsplit-dwarf", "rm *.dwo");
  EXPECT_THAT(list("function(\"main\")"), IsEmpty());
  EXPECT_THAT(error, HasSubstr("p.dwo is not there"));
  build("-g -O1 -gsplit-dwarf", "rm *.dwo && touch p.dwp");
  EXPECT_THAT(list("function(\"main\")"), IsEmpty());
  EXPECT_THAT(error, HasSubstr("p.dwo is not there, and "));
  EXPECT_THAT(error, HasSubstr("p.dwp is not read: it is no ELF file"));
  build("-g -O1 -gsplit-dwarf", "rm *.dwo && cp p p.dwp");
  EXPECT_THAT(list("function(\"main\")"), IsEmpty());
  EXPECT_THAT(error, HasSubstr("p.dwp is not read: it has no index of its units"));
  // The first byte of what is packed, behind the section's header.
  build("-g -O2", "objcopy --compress-debug-sections=zstd p && printf x | dd of=p conv=notrunc bs=1 status=none seek=$(( "
                  "0x$(readelf -SW p | sed -n 's/.* .debug_info *PROGBITS *[0-9a-f]* \\([0-9a-f]*\\) .*/\\1/p') + 24 ))");
  EXPECT_THAT(list("function(\"main\")"), IsEmpty());
  EXPECT_THAT(error, HasSubstr("its sections are packed with zstd, and damaged"));
  build("-g -O2", "cp p q && dwz -m common.debug p q && rm common.debug");
  list("function(\"main\")");
  world.write("src/p", "no program");
  EXPECT_THAT(list("function(\"main\")"), IsEmpty());
  EXPECT_THAT(error, HasSubstr("it is no ELF file"));
}

TEST_F(Programs, SymbolsAloneGiveFunctions) {
  build("-g", "strip -g p");
  EXPECT_THAT(list("function(\"plain\")", true), ElementsAre("function(\"plain\")"));
  EXPECT_THAT(list("function(\"pl*\").return"), ElementsAre("function(\"plain\").return"));
  EXPECT_THAT(list("function(\"Point::dot\")"), ElementsAre("function(\"geo::Point::dot\")"));
  EXPECT_THAT(list("function(\"unseen\")"),
              ElementsAre("function(\"geo::(anonymous namespace)::unseen\")"));
  for (const char* wants_dwarf : {"function(\"plain@p.cc\")", "statement(\"plain@p.cc:30\")",
                                  "function(\"inlined\").inline"}) {
    EXPECT_THAT(list(wants_dwarf), IsEmpty());
    EXPECT_THAT(error, HasSubstr("it has no debug information")) << wants_dwarf;
  }
}

TEST_F(Programs, NamesThatAreNotThere) {
  build("-g");
  EXPECT_THAT(list("function(\"plainn\")"), IsEmpty());
  EXPECT_THAT(error, HasSubstr("no function 'plainn' in '"));
  EXPECT_THAT(notes, HasSubstr("did you mean 'plain'?"));
  EXPECT_THAT(list("function(\"plain@q.cc\")"), IsEmpty());
  EXPECT_THAT(notes, HasSubstr("there is one in '"));
  list("function(\"jump\").label(\"in\")");
  EXPECT_THAT(error, HasSubstr("has no label 'in'"));
  list("function(\"jump\").label(\"outt\")");
  EXPECT_THAT(notes, HasSubstr("did you mean 'out'?"));
  list("function(\"jump\").callee(\"inlind\")");
  EXPECT_THAT(notes, HasSubstr("did you mean 'inlined'?"));
  list("function(\"jump@p.cc:1\")");
  EXPECT_THAT(error, HasSubstr("line 1 is in no function 'jump' of 'p.cc'"));
  list("functoin(\"jump\")");
  EXPECT_THAT(error, HasSubstr("no probe point"));
  list("begin");
  EXPECT_THAT(error, HasSubstr("not run by this version"));
}

TEST_F(Programs, AreFoundAsAShellFindsThem) {
  std::string why_not;
  fs::path p = build("-g");
  EXPECT_THAT(find_programs(p.string(), {"/"}, why_not), ElementsAre(p));
  EXPECT_THAT(find_programs((world.root / "s*/p").string(), {"/"}, why_not), ElementsAre(p));
  EXPECT_THAT(find_programs("/src/p", {world.root}, why_not), ElementsAre(p));
  EXPECT_THAT(find_programs("/src/*p", {world.root}, why_not), ElementsAre(p));
  EXPECT_THAT(find_programs("no-such-program", {"/"}, why_not), IsEmpty());
  EXPECT_THAT(why_not, HasSubstr("$PATH"));
  EXPECT_THAT(find_programs("sh", {"/"}, why_not), ElementsAre(fs::canonical("/bin/sh")));
  fs::path script = world.write("script", "#! /usr/bin/env sh\n");
  EXPECT_THAT(find_programs(script.string(), {"/"}, why_not),
              ElementsAre(fs::canonical("/bin/sh")));
}

TEST_F(Programs, LibrariesAreFoundByWhatTheProgramNeeds) {
  fs::path lib = world.write("src/lib/libq.so", "");
  world.write("src/q.c", "int in_library(int n) { return n; }\n");
  world.write("src/m.c", "int in_library(int); int main() { return in_library(1); }\n");
  std::string command = fmt::format(
      "cd {}/src && gcc -g -shared -fPIC q.c -o lib/libq.so && "
      "gcc -g m.c -Llib -lq -Wl,-rpath,'$ORIGIN/lib' -o p", world.root.string());
  ASSERT_EQ(system(command.c_str()), 0) << command;
  EXPECT_THAT(find_libraries(world.root / "src/p", "libq.so", {"/"}), ElementsAre(lib));
  EXPECT_THAT(find_libraries(world.root / "src/p", "libq*", {"/"}), ElementsAre(lib));
  EXPECT_EQ(find_libraries(world.root / "src/p", "libc.so.6", {"/"}).size(), 1u);
  EXPECT_THAT(find_libraries(world.root / "src/p", "libnone.so", {"/"}), IsEmpty());
  EXPECT_THAT(list("library(\"libq*\").function(\"in_library\")", true),
              ElementsAre(HasSubstr("in_library@q.c:1\") $n:int")));
  EXPECT_EQ(list("library(\"libq*\").function(\"::in_library\")").size(), 1u) << "as C has it";
}

// The kernel's debuginfo too is found by build-id, when no path leads to it.
TEST_F(Programs, TheKernelsIsFoundByItsBuildId) {
  fs::path program = build("-g -O2 -fno-pie -no-pie");
  std::string why_not;
  target.build_id = read_elf_file(program, why_not)->build_id;
  target.trees = {world.root};
  Diagnostics none;
  EXPECT_EQ(open_debuginfo(target, DebuginfoChoice::dwarf, none), nullptr);
  ASSERT_FALSE(none.all().empty());
  EXPECT_THAT(none.all().front().notes.front().text, HasSubstr("looked for usr/lib/debug/.build-id/"));
  fs::path there = world.root / "usr/lib/debug/.build-id" / target.build_id.substr(0, 2) /
                   (target.build_id.substr(2) + ".debug");
  fs::create_directories(there.parent_path());
  fs::rename(program, there);
  Diagnostics d;
  auto provider = open_debuginfo(target, DebuginfoChoice::automatic, d);
  ASSERT_NE(provider, nullptr);
  EXPECT_EQ(provider->source(), "dwarf");
  EXPECT_FALSE(provider->functions({"plain", "", false}).empty());
}

// What a damaged file can say: a structure of which each part is the structure itself. Fuzzing found
// that the calling convention followed that for ever.
class Circular : public fuzz::FakeKernel {
 public:
  Circular() {
    whole.kind = types::Kind::structure;
    whole.size = 16;
  }
  std::vector<types::Member> members(const types::Type&) const override {
    return std::vector<types::Member>(8, types::Member{"", &whole, 0, 0, 0});
  }
  types::Type whole{};
};

TEST(CircularTypes, EndTheSearchForMembers) {
  Circular source;
  EXPECT_EQ(types::get(types::find_member(source, source.whole, "none")), nullptr);
}

TEST(CircularTypes, AreNotPassedInRegisters) {
  Circular source;
  auto arguments = types::entry_arguments(source, {&source.whole}, nullptr);
  ASSERT_EQ(arguments.size(), 1u);
  ASSERT_NE(types::get(arguments[0]), nullptr);
  EXPECT_EQ(types::get(arguments[0])->kind, types::Location::Kind::memory);
}

}  // namespace
}  // namespace stp
