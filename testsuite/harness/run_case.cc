#include "harness/run_case.h"

#include <fmt/format.h>

#include <fstream>
#include <functional>
#include <map>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace stp::harness {
namespace {

using Setter = std::function<void(RunCase&, const std::string&)>;

const std::map<std::string, Setter>& directives() {
  static const std::map<std::string, Setter> table = {
      {"expect",
       [](RunCase& c, const std::string& v) {
         c.out.push_back({v, false});
       }},
      {"expect re",
       [](RunCase& c, const std::string& v) {
         c.out.push_back({v, true});
       }},
      {"expect count", [](RunCase& c, const std::string& v) { c.lines = std::stoul(v); }},
      {"expect stderr", [](RunCase& c, const std::string& v) { c.err.push_back(v); }},
      {"allow stderr", [](RunCase& c, const std::string& v) { c.allowed.push_back(v); }},
      {"expect status", [](RunCase& c, const std::string& v) { c.status = std::stoi(v); }},
      {"expect build-error", [](RunCase& c, const std::string& v) { c.build_error = v; }},
      {"build", [](RunCase& c, const std::string& v) { c.build += " " + v; }},
      {"run", [](RunCase& c, const std::string& v) { c.run += " " + v; }},
      {"load", [](RunCase& c, const std::string& v) { c.load += v + "\n"; }},
      {"only", [](RunCase& c, const std::string& v) { c.only = v; }},
      {"kernel", [](RunCase& c, const std::string& v) { c.kernel = v; }},
      {"kmod",
       [](RunCase& c, const std::string& v) {
         std::istringstream names(v);
         for (std::string name; names >> name;) c.kmods.push_back(name);
       }},
      {"timeout", [](RunCase& c, const std::string& v) { c.timeout = std::stoi(v); }},
      {"script", [](RunCase& c, const std::string& v) { c.script += v + "\n"; }},
      {"where", [](RunCase& c, const std::string& v) { c.on_host = v == "host"; }},
  };
  return table;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool matches(const std::string& line, const std::string& regex) {
  return std::regex_search(line, std::regex(regex));
}

bool is(const std::string& line, const Expected& expected) {
  return expected.regex ? matches(line, expected.text) : line == expected.text;
}

// Each expectation in turn takes the next line that fits it.
std::string mismatch_of_some(const RunCase& c, const std::vector<std::string>& lines) {
  size_t at = 0;
  for (const Expected& expected : c.out) {
    while (at < lines.size() && !is(lines[at], expected)) ++at;
    if (at++ >= lines.size())
      return fmt::format("stdout: no line (any more) is as expected: {}\n", expected.text);
  }
  return {};
}

std::string mismatch_of_all(const RunCase& c, const std::vector<std::string>& lines) {
  for (size_t i = 0; i < std::max(lines.size(), c.out.size()); ++i) {
    if (i >= lines.size())
      return fmt::format("stdout: line {} is missing: {}\n", i + 1, c.out[i].text);
    if (i >= c.out.size())
      return fmt::format("stdout: line {} is not expected: {}\n", i + 1, lines[i]);
    if (lines[i] != c.out[i].text)
      return fmt::format("stdout: line {} is\n  {}\nexpected\n  {}\n", i + 1, lines[i],
                         c.out[i].text);
  }
  return {};
}

std::string mismatch_of_stdout(const RunCase& c, const std::string& out) {
  std::vector<std::string> lines = lines_of(out);
  if (c.lines && lines.size() != *c.lines)
    return fmt::format("stdout: {} lines, expected {}\n", lines.size(), *c.lines);
  bool some = std::any_of(c.out.begin(), c.out.end(), [](auto& e) { return e.regex; });
  if (some || (c.lines && c.out.empty())) return mismatch_of_some(c, lines);
  return mismatch_of_all(c, lines);
}

std::string mismatch_of_stderr(const RunCase& c, const std::string& err) {
  std::vector<std::string> lines = lines_of(err);
  for (const std::string& regex : c.err)
    if (std::none_of(lines.begin(), lines.end(), [&](auto& line) { return matches(line, regex); }))
      return fmt::format("stderr: no line matches {}\n", regex);
  if (!c.err.empty()) return {};
  for (const std::string& line : lines)
    if (std::none_of(c.allowed.begin(), c.allowed.end(),
                     [&](auto& regex) { return matches(line, regex); }))
      return fmt::format("stderr: not expected: {}\n", line);
  return {};
}

}  // namespace

RunCase read_case(const std::filesystem::path& file) {
  static const std::regex directive(R"(^# ([a-z]+(?: [a-z-]+)?):(?: (.*))?$)");
  RunCase c;
  c.file = file;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    std::smatch found;
    if (line.find("kernel.") != std::string::npos && line[0] != '#') c.needs_types = true;
    if (!std::regex_match(line, found, directive)) continue;
    auto known = directives().find(found[1]);
    if (known == directives().end()) {
      std::string first = found[1].str().substr(0, found[1].str().find(' '));
      if (first == "expect" || first == "allow")
        throw std::runtime_error(
            fmt::format("{}: no directive '{}'", file.string(), found[1].str()));
      continue;  // a sentence with a colon
    }
    known->second(c, found[2]);
  }
  return c;
}

std::string mismatch(const RunCase& c, int status, const std::string& out, const std::string& err) {
  std::string wrong;
  if (status != c.status) wrong += fmt::format("status {}, expected {}\n", status, c.status);
  return wrong + mismatch_of_stdout(c, out) + mismatch_of_stderr(c, err);
}

}  // namespace stp::harness
