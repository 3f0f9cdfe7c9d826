// What names mean among the functions of a real kernel: the first of vm/kernels.list, from DWARF and
// from BTF.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <map>
#include <set>

#include "case_files.h"
#include "debuginfo/sources.h"
#include "debuginfo/symbols.h"
#include "sema/analyze.h"
#include "syntax/parser.h"

namespace stp {
namespace {

using types::Function;

class KernelFunctions : public testing::TestWithParam<DebuginfoChoice> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(first_kernel()) << "the first kernel of vm/kernels.list was not found: vm/setup check";
    std::string why_not;
    symbols = Symbols::open(*first_kernel(), why_not);
    ASSERT_TRUE(symbols) << why_not;
    sources = debuginfo_sources(*first_kernel(), GetParam());
    Diagnostics d;
    provider = sources->kernel(d);
    ASSERT_TRUE(provider) << rendered(d);
  }

  std::vector<uint64_t> addresses(const std::string& name) const {
    std::vector<uint64_t> found;
    for (const Function& f : provider->functions({name, "", false})) found.push_back(f.address);
    return found;
  }
  // Text symbols of code that stays, whose name has `mark` in it.
  std::vector<Symbol> marked(std::string_view mark) const {
    std::vector<Symbol> found;
    for (size_t i = 0; i < symbols->size(); ++i) {
      Symbol s = (*symbols)[i];
      if (s.is_text() && s.name.find(mark) != s.name.npos && !symbols->is_init(s.address))
        found.push_back(s);
    }
    return found;
  }

  // The addresses of a point's places; `error` says why there is none.
  std::vector<uint64_t> places(const std::string& text) {
    SourceMap map;
    Diagnostics d;
    MacroLibrary macros;
    auto script = parse(map.add("<test>", "probe " + text + " {}"), {}, macros, map, d);
    std::vector<uint64_t> found;
    for (const auto& declaration : script->declarations)
      if (auto* probe = std::get_if<ast::Probe*>(&declaration))
        for (const auto* point : (*probe)->points)
          for (const auto& listed :
               list_points(*point, {}, *first_kernel(), *sources, false, d))
            found.push_back(listed.point.address);
    error = d.failed() ? d.all().front().text : "";
    return found;
  }

  std::string error;
  std::unique_ptr<Symbols> symbols;
  std::unique_ptr<types::Sources> sources;
  const types::Provider* provider = nullptr;
};

std::string plain(std::string_view name) { return std::string(name.substr(0, name.find('.'))); }

TEST_P(KernelFunctions, AreEnteredInTheirHotPart) {
  auto cold = marked(".cold");
  ASSERT_GT(cold.size(), 1000u);
  for (const Symbol& s : cold)
    EXPECT_THAT(addresses(plain(s.name)), testing::Not(testing::Contains(s.address))) << s.name;
}

TEST_P(KernelFunctions, HaveClonesThatGoByThePlainName) {
  size_t clones = 0;
  for (const char* mark : {".isra.", ".constprop."})
    for (const Symbol& s : marked(mark)) {
      if (s.name.find(".cold") != s.name.npos || s.name.find(".part.") != s.name.npos) continue;
      ++clones;
      auto found = provider->functions({plain(s.name), "", false});
      auto at = std::find_if(found.begin(), found.end(),
                             [&](const Function& f) { return f.address == s.address; });
      ASSERT_NE(at, found.end()) << s.name;
      EXPECT_EQ(at->name, plain(s.name));
      EXPECT_EQ(at->symbol, s.name);
    }
  EXPECT_GT(clones, 500u);
}

// Patterns of names that the source has do not mean the parts of functions; one with a dot does.
TEST_P(KernelFunctions, HaveClonesThatAreFoundByTheirOwnNames) {
  for (const char* mark : {".isra.0", ".part.0", ".constprop.0"}) {
    std::set<uint64_t> all;
    for (const Symbol& s : marked(mark))
      if (s.name.ends_with(mark) && !s.name.starts_with("__pfx_")) all.insert(s.address);
    ASSERT_GT(all.size(), 20u) << mark;
    auto found = addresses("*" + std::string(mark));
    EXPECT_EQ(std::set<uint64_t>(found.begin(), found.end()), all) << mark;
    EXPECT_EQ(found.size(), all.size()) << mark;
  }
  Symbol part = marked(".part.0").front();
  EXPECT_EQ(places(fmt::format("kernel.function(\"{}\").call", part.name)), std::vector{part.address});
  EXPECT_EQ(places(fmt::format("kernel.function(\"{}.part.?\").call", plain(part.name))), std::vector{part.address});
  EXPECT_THAT(places(fmt::format("kernel.function(\"{}*\")", plain(part.name))),
              testing::Not(testing::Contains(part.address)));
}

TEST_P(KernelFunctions, OfOneNameAreAllFound) {
  EXPECT_EQ(addresses("c_start").size(), 3u);
  std::map<std::string, std::vector<uint64_t>> all;
  for (const Symbol& s : marked("_show"))
    if (s.name.find('.') == s.name.npos) all[std::string(s.name)].push_back(s.address);
  size_t several = 0;
  for (const auto& [name, where] : all) {
    if (where.size() < 2) continue;
    ++several;
    EXPECT_THAT(addresses(name), testing::UnorderedElementsAreArray(where)) << name;
  }
  EXPECT_GT(several, 50u);
}

TEST_P(KernelFunctions, AreFoundByEachNameOfAnAlias) {
  auto one = addresses("__x64_sys_getpid");
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0], symbols->address("__x64_sys_getpid"));
  EXPECT_EQ(one, addresses("__ia32_sys_getpid"));
  // A pattern that means one of the names finds it, one that means all of them finds it once.
  EXPECT_EQ(one, addresses("__x64_sys_getpi[d]"));
  EXPECT_EQ(one, addresses("__*_sys_getpid"));
}

TEST_P(KernelFunctions, ThatWereReplacedAreNone) {
  // Weak in kernel/softirq.c, and defined again for x86.
  EXPECT_THAT(addresses("arch_dynirq_lower_bound"),
              testing::ElementsAre(symbols->find("arch_dynirq_lower_bound").front().address));
  std::map<uint64_t, bool> known;
  for (size_t i = 0; i < symbols->size(); ++i)
    if (symbols->is_text(i)) known[(*symbols)[i].address] = true;
  for (const Function& f : provider->functions({"arch_*", "", false}))
    EXPECT_TRUE(known.count(f.address)) << f.name << " " << f.file;
}

TEST_P(KernelFunctions, AreNotTheirParts) {
  auto parts = marked(".part.0");
  ASSERT_GT(parts.size(), 50u);
  parts.resize(50);
  for (const Symbol& s : parts) {
    auto found = places(fmt::format("kernel.function(\"{}\").call", plain(s.name)));
    EXPECT_THAT(found, testing::Not(testing::Contains(s.address))) << s.name;
    // What was inlined at its beginning has no other code.
    if (found.empty() && GetParam() == DebuginfoChoice::dwarf) {
      EXPECT_THAT(error, testing::AnyOf(testing::HasSubstr("has no code of its own"),
                                        testing::HasSubstr("cannot be probed")))
          << s.name;
    }
  }
}

TEST_P(KernelFunctions, HaveStatementsWhereLinesBegin) {
  uint64_t entry = *symbols->address("vfs_read");
  bool dwarf = GetParam() == DebuginfoChoice::dwarf;
  auto at = [&](uint64_t address) { return places(fmt::format("kernel.statement({:#x})", address)); };
  EXPECT_THAT(at(entry), testing::ElementsAre(entry));
  // In the middle of what is kept for ftrace; without lines the kernel is asked when it runs.
  EXPECT_EQ(at(entry + 2).size(), dwarf ? 0u : 1u);
  std::string none = fmt::format("no statement of 'vfs_read' begins at {:#x}", entry + 2);
  EXPECT_EQ(error, dwarf ? none : "");
  EXPECT_TRUE(at(0x1234).empty());
  if (!dwarf) return;
  // Until the next row, which is behind it.
  auto nearest = places(fmt::format("kernel.statement({:#x}).nearest", entry + 2));
  ASSERT_EQ(nearest.size(), 1u);
  EXPECT_THAT(at(nearest[0]), testing::ElementsAre(nearest[0]));
  EXPECT_GT(nearest[0], entry + 2);
  auto all = places("kernel.statement(\"vfs_read@fs/read_write.c:*\")");
  ASSERT_GT(all.size(), 5u);
  for (uint64_t address : all) EXPECT_THAT(at(address), testing::ElementsAre(address));
}

// Each continues the kernel's: with a copy of that for every module, all of them took tens of GB.
TEST_P(KernelFunctions, OfModulesShareTheKernelsTypes) {
  if (GetParam() == DebuginfoChoice::dwarf) return;
  auto resident = [] {
    size_t total = 0, pages = 0;
    std::ifstream("/proc/self/statm") >> total >> pages;
    return pages * static_cast<size_t>(getpagesize()) >> 20;
  };
  Diagnostics d;
  size_t before = resident(), opened = 0;
  for (const auto& name : sources->modules("s*"))
    opened += sources->module(name, {}, d, "") != nullptr;
  EXPECT_GT(opened, 200u);
  EXPECT_LT(resident() - before, 200u) << "MB of " << opened << " modules";
}

TEST_P(KernelFunctions, AreFoundByTheirAddresses) {
  uint64_t entry = *symbols->address("vfs_read");
  auto at = [&](uint64_t address, const char* suffix) {
    return places(fmt::format("kernel.function({:#x}){}", address, suffix));
  };
  for (const char* suffix : {"", ".call", ".return", ".exported"})
    for (uint64_t address : {entry, entry + 5})
      EXPECT_THAT(at(address, suffix), testing::ElementsAre(entry)) << suffix;
  EXPECT_TRUE(at(0x1234, "").empty());
  EXPECT_EQ(error, "no function of the kernel holds the link address 0x1234");
  EXPECT_TRUE(at(*symbols->address("get_kprobe"), "").empty());
  EXPECT_EQ(error, "'get_kprobe' cannot be probed: it is marked NOKPROBE_SYMBOL");
}

TEST_P(KernelFunctions, HaveCalleesWithinBounds) {
  if (GetParam() != DebuginfoChoice::dwarf) {
    EXPECT_TRUE(places("kernel.function(\"vfs_read\").callees").empty());
    EXPECT_EQ(error, "the calls of a function are known to DWARF debug information alone");
    return;
  }
  auto one = places("kernel.function(\"vfs_read\").callees");
  // By a pattern with the file and lines, as they are listed.
  auto callees = [&](const char* pattern) {
    return places(fmt::format("kernel.function(\"vfs_read\").callee(\"{}\")", pattern));
  };
  auto callee = *symbols->address("rw_verify_area");
  EXPECT_THAT(callees("rw_verify_area@fs/read_write.c"), testing::ElementsAre(callee));
  EXPECT_THAT(callees("*@read_write.c:360"), testing::ElementsAre(callee));
  EXPECT_TRUE(callees("rw_verify_area@fs/read_write.c:1").empty());
  EXPECT_TRUE(callees("rw_verify_area@fs/open.c").empty());
  EXPECT_THAT(one, testing::Contains(*symbols->address("rw_verify_area")));
  EXPECT_GT(places("kernel.function(\"vfs_read\").callees(2)").size(), one.size());
  places("kernel.function(\"vfs_*\").callees(100)");
  EXPECT_EQ(error, "these are more than 10000 callees: name fewer functions or levels");
  // Of functions with thousands of copies, like those of locks, each alone is looked at: it took 100 s.
  clock_t before = clock();
  places("kernel.function(\"*\").callees");
  EXPECT_EQ(error, "these are more than 10000 callees: name fewer functions or levels");
  EXPECT_LT((clock() - before) / CLOCKS_PER_SEC, 10);
  for (const char* n : {"0", "101"}) {
    EXPECT_TRUE(places(fmt::format("kernel.function(\"vfs_read\").callees({})", n)).empty());
    EXPECT_EQ(error, fmt::format("callees({}) is not between 1 and 100", n));
  }
}

TEST_P(KernelFunctions, AreFoundByTheirLines) {
  auto with = [&](const std::string& place) {
    return places(fmt::format("kernel.function(\"{}\")", place));
  };
  if (GetParam() != DebuginfoChoice::dwarf) {
    EXPECT_TRUE(with("vfs_read@fs/read_write.c:455").empty());
    EXPECT_EQ(error, "lines of the source are known to DWARF debug information alone");
    EXPECT_TRUE(with("vfs_r*@fs/read_write.c").empty());
    EXPECT_EQ(error, "source files are known to DWARF debug information alone");
    return;
  }
  uint64_t entry = *symbols->address("vfs_read");
  uint32_t line = provider->functions({"vfs_read", "", false}).front().line;
  auto in_file = [&](uint32_t n) { return fmt::format("fs/read_write.c:{}", n); };
  auto entry_alone = testing::ElementsAre(entry);
  // As it is listed, where no code is; in the middle of it; around it.
  for (uint32_t at : {line, line + 1, line + 5})
    for (const char* name : {"vfs_read@", "*@"}) EXPECT_THAT(with(name + in_file(at)), entry_alone);
  for (const char* place : {"+0", "+3", "+3,2000", ":*", ":1-5000"})
    EXPECT_THAT(with(fmt::format("vfs_read@read_write.c{}", place)), entry_alone) << place;
  EXPECT_THAT(with(fmt::format("*@{}-{}", in_file(line - 20), line)), testing::Contains(entry));
  EXPECT_TRUE(with("vfs_read@" + in_file(line - 1)).empty());
  EXPECT_EQ(error, fmt::format("line {} is in no function 'vfs_read' of 'fs/read_write.c'", line - 1));
  EXPECT_TRUE(with("vfs_read@fs/read_write.c+2000").empty());
  EXPECT_TRUE(with("vfs_read@fs/read_write.c:0").empty());
  EXPECT_THAT(error, testing::HasSubstr("':0' is no line"));
  auto returns = places(fmt::format("kernel.function(\"vfs_read@{}\").return", in_file(line)));
  EXPECT_THAT(returns, entry_alone);
}

TEST_P(KernelFunctions, HaveLinesThatAreListed) {
  auto lines = [&](const std::string& which) {
    auto found = places(fmt::format("kernel.statement(\"vfs_read@fs/read_write.c+{}\")", which));
    std::sort(found.begin(), found.end());
    return found;
  };
  if (GetParam() != DebuginfoChoice::dwarf) {
    EXPECT_TRUE(lines("1-30").empty());
    EXPECT_EQ(error, "lines of the source are known to DWARF debug information alone");
    return;
  }
  auto first = lines("1-10"), second = lines("12-30");
  ASSERT_FALSE(first.empty() || second.empty());
  first.insert(first.end(), second.begin(), second.end());
  std::sort(first.begin(), first.end());
  EXPECT_EQ(lines("1-10,12-30"), first);
  EXPECT_EQ(lines("1-6,7,8-10,12-30"), first);
  for (const char* wrong : {"1-", "1,", "1,,2", "5-3", "1-3-5", "x", "1-20000"}) {
    EXPECT_TRUE(lines(wrong).empty()) << wrong;
    EXPECT_THAT(error, testing::HasSubstr("is no line")) << wrong;
  }
}

TEST_P(KernelFunctions, ThatServeKprobesAreListed) {
  auto list = provider->kprobe_blacklist();
  EXPECT_GT(list.size(), 50u);
  for (const char* name : {"get_kprobe", "notify_die"})
    EXPECT_TRUE(std::binary_search(list.begin(), list.end(), *symbols->address(name))) << name;
  EXPECT_FALSE(std::binary_search(list.begin(), list.end(), *symbols->address("vfs_read")));
  for (uint64_t address : places("kernel.function(\"*kprobe*\").call"))
    EXPECT_FALSE(std::binary_search(list.begin(), list.end(), address));
  EXPECT_TRUE(places("kernel.function(\"get_kprobe\").return").empty());
  EXPECT_EQ(error, "'get_kprobe' cannot be probed: it is marked NOKPROBE_SYMBOL");
}

TEST(KernelWithoutDebuginfo, IsToldThoughAnotherProbeDidNotNeedIt) {
  Target target;
  target.release = "9.9";
  target.trees = {testing::TempDir()};
  auto sources = debuginfo_sources(target, DebuginfoChoice::automatic);
  SourceMap map;
  Diagnostics d;
  MacroLibrary macros;
  auto script = parse(map.add("<test>", "probe kprobe.function(\"f\"), kernel.function(\"g\") {}"), {},
                      macros, map, d);
  auto* probe = std::get<ast::Probe*>(script->declarations.front());
  EXPECT_EQ(list_points(*probe->points[0], {}, target, *sources, false, d).size(), 1u);
  EXPECT_FALSE(d.failed());
  EXPECT_TRUE(list_points(*probe->points[1], {}, target, *sources, false, d).empty());
  EXPECT_TRUE(d.failed());
}

INSTANTIATE_TEST_SUITE_P(Source, KernelFunctions,
                         testing::Values(DebuginfoChoice::dwarf, DebuginfoChoice::btf),
                         [](const auto& source) {
                           return source.param == DebuginfoChoice::dwarf ? "dwarf" : "btf";
                         });

}  // namespace
}  // namespace stp
