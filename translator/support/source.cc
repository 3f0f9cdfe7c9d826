#include "support/source.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

namespace stp {

Span join(const Span& a, const Span& b) {
  if (!a) return b;
  if (a.file != b.file) return a;
  return Span{a.file, std::min(a.begin, b.begin), std::max(a.end, b.end), a.via};
}

SourceFile::SourceFile(std::string name, std::string text, Role role)
    : name_(std::move(name)), text_(std::move(text)), role_(role), line_starts_{0} {
  for (uint32_t i = 0; i < text_.size(); ++i)
    if (text_[i] == '\n') line_starts_.push_back(i + 1);
}

LineColumn SourceFile::position(uint32_t offset) const {
  auto next = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  auto line = static_cast<uint32_t>(next - line_starts_.begin());
  return {line, offset - line_starts_[line - 1] + 1};
}

std::string_view SourceFile::line(uint32_t number) const {
  if (number == 0 || number > line_starts_.size()) return {};
  std::string_view rest = text();
  rest.remove_prefix(line_starts_[number - 1]);
  return rest.substr(0, rest.find('\n'));
}

const SourceFile& SourceMap::add(std::string name, std::string text, SourceFile::Role role) {
  files_.push_back(std::make_unique<SourceFile>(std::move(name), std::move(text), role));
  return *files_.back();
}

const SourceFile& SourceMap::read(const std::string& path, SourceFile::Role role) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf() || in.peek() == EOF))
    throw std::system_error(errno ? errno : EIO, std::generic_category(), path);
  return add(path, std::move(text).str(), role);
}

const Span* SourceMap::keep(const Span& span) {
  spans_.push_back(std::make_unique<Span>(span));
  return spans_.back().get();
}

}  // namespace stp
