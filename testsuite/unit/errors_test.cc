// docs/errors.md has an entry for each code that can be reported, and for no other.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "support/diagnostics.h"

namespace stp {
namespace {

std::set<std::string> codes() {
  std::set<std::string> all;
#define STP_ERROR(name, summary) all.insert(std::string(name_of(Code::name)));
#include "support/errors.def"
#undef STP_ERROR
  return all;
}

// How often each code stands in front of an entry: "- **usage**, **bad-option** — ...".
std::map<std::string, int> entries() {
  std::ifstream file("docs/errors.md");
  std::map<std::string, int> found;
  const std::regex code("\\*\\*([a-z0-9-]+)\\*\\*");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("- **")) continue;
    std::string head = line.substr(0, line.find(" — "));
    for (std::sregex_iterator at(head.begin(), head.end(), code), end; at != end; ++at)
      ++found[(*at)[1]];
  }
  return found;
}

TEST(Errors, EachCodeHasItsEntry) {
  std::map<std::string, int> found = entries();
  for (const std::string& code : codes()) EXPECT_EQ(found[code], 1) << code;
}

TEST(Errors, EachEntryIsOfACode) {
  std::set<std::string> all = codes();
  std::map<std::string, int> found = entries();
  EXPECT_EQ(found.size(), all.size());
  for (const auto& [code, times] : found) EXPECT_TRUE(all.count(code)) << code;
}

}  // namespace
}  // namespace stp
