// Escapes are always three octal digits: a shorter or a hexadecimal one would swallow digits that
// follow it. A question mark is escaped because two of them could start a trigraph.
#include "emit/text.h"

#include <cctype>
#include <limits>

namespace stp::emit_c {

std::string c_string(std::string_view text) {
  std::string out = "\"";
  for (unsigned char ch : text) {
    if (ch == '"' || ch == '\\' || ch == '?') {
      out += '\\';
      out += static_cast<char>(ch);
    } else if (ch == '\n') {
      out += "\\n";
    } else if (ch < 0x20 || ch >= 0x7f) {
      out += fmt::format("\\{:03o}", ch);
    } else {
      out += static_cast<char>(ch);
    }
  }
  return out + '"';
}

std::string c_number(int64_t value) {
  // C has no literal for the smallest number: the minus is an operator.
  if (value == std::numeric_limits<int64_t>::min()) return "(-9223372036854775807LL - 1)";
  return value < 0 ? fmt::format("({}LL)", value) : fmt::format("{}LL", value);
}

std::string c_hex(uint64_t value) { return fmt::format("{:#x}ULL", value); }

std::string c_identifier(std::string_view name) {
  std::string out;
  for (unsigned char ch : name) out += std::isalnum(ch) ? static_cast<char>(ch) : '_';
  return out;
}

std::string UniqueNames::unique(const std::string& wanted) {
  std::string name = wanted;
  for (int n = 2; !taken_.insert(name).second; ++n) name = fmt::format("{}_{}", wanted, n);
  return name;
}

void Writer::put(std::string_view line) {
  bool label = line.size() > 1 && line.back() == ':' && line.find(' ') == line.npos;
  bool margin = label || (!line.empty() && line.front() == '#');
  if (!line.empty() && line.front() == '}' && depth_ > 0) --depth_;
  if (!margin && !line.empty()) text_.append(depth_, '\t');
  text_ += line;
  text_ += '\n';
  if (!line.empty() && line.back() == '{') ++depth_;
}

}  // namespace stp::emit_c
