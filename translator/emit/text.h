// C as text: literals, identifiers, indentation.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace stp::emit_c {

// `text` as a C string literal with its quotes. Any bytes.
std::string c_string(std::string_view text);
// `value` as an s64 constant.
std::string c_number(int64_t value);
// An address or a mask: hexadecimal, unsigned.
std::string c_hex(uint64_t value);
// `name` with what C does not allow in identifiers replaced by '_'.
std::string c_identifier(std::string_view name);

// Hands out names that are like the ones asked for, each once.
class UniqueNames {
 public:
  std::string unique(const std::string& wanted);

 private:
  std::set<std::string> taken_;
};

// Lines of C, indented by one tab per open brace. Lines that end in `{` open, lines that
// begin with `}` close; labels and preprocessor lines stand at the margin.
class Writer {
 public:
  explicit Writer(size_t depth = 0) : depth_(depth) {}
  template <typename... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    put(fmt::format(format, std::forward<Args>(args)...));
  }
  void put(std::string_view line);
  // Several lines that are indented already.
  void raw(std::string_view lines) { text_ += lines; }

  const std::string& text() const { return text_; }
  std::string take() { return std::move(text_); }
  size_t depth() const { return depth_; }

 private:
  std::string text_;
  size_t depth_;
};

}  // namespace stp::emit_c
