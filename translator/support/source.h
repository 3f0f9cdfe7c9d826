// Source text and places in it.
//
// A SourceFile is immutable and outlives every Span into it: the SourceMap that
// read it owns it until the program ends. A Span is three words and is copied
// freely; lines and columns are computed only when a diagnostic is printed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stp {

class SourceFile;

// A half-open range of bytes [begin, end) of one file. `via` leads to the place
// this text came through (the use of a macro, an alias, a tapset), or is null.
struct Span {
  const SourceFile* file = nullptr;
  uint32_t begin = 0;
  uint32_t end = 0;
  const Span* via = nullptr;

  explicit operator bool() const { return file != nullptr; }
};

// From the start of `a` to the end of `b`; both in one file, else `a`.
Span join(const Span& a, const Span& b);

// 1-based; columns count bytes.
struct LineColumn {
  uint32_t line = 0;
  uint32_t column = 0;
};

class SourceFile {
 public:
  // standard: a tapset that is stp's own; argument: a word of the command line.
  enum class Role { user, tapset, standard, argument };

  SourceFile(std::string name, std::string text, Role role = Role::user);

  const std::string& name() const { return name_; }
  std::string_view text() const { return text_; }
  Role role() const { return role_; }
  bool in_library() const { return role_ == Role::tapset || role_ == Role::standard; }
  LineColumn position(uint32_t offset) const;
  std::string_view line(uint32_t number) const;  // without its newline

 private:
  std::string name_;
  std::string text_;
  Role role_;
  std::vector<uint32_t> line_starts_;
};

// Owns source files, and the spans that `via` chains lead to.
class SourceMap {
 public:
  const SourceFile& add(std::string name, std::string text,
                        SourceFile::Role role = SourceFile::Role::user);
  // Throws std::system_error when the file cannot be read.
  const SourceFile& read(const std::string& path,
                         SourceFile::Role role = SourceFile::Role::user);
  // Keeps a copy of `span` for as long as the map lives.
  const Span* keep(const Span& span);

 private:
  std::vector<std::unique_ptr<SourceFile>> files_;
  std::vector<std::unique_ptr<Span>> spans_;
};

}  // namespace stp
