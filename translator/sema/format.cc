// The conversions of stap(1), PRINTF.
#include "sema/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace stp::sema {
namespace {

using prog::Type;

struct Row {
  char letter;
  Type wanted;
};
constexpr Row rows[] = {
    {'d', Type::number}, {'i', Type::number}, {'u', Type::number}, {'x', Type::number},
    {'X', Type::number}, {'o', Type::number}, {'c', Type::number}, {'p', Type::number},
    {'b', Type::number}, {'s', Type::string}, {'m', Type::number}, {'M', Type::number},
};

const Row* row_of(char letter) {
  for (const Row& row : rows)
    if (row.letter == letter) return &row;
  return nullptr;
}

// strchr() finds the NUL behind the text as well, and a script's string may hold one.
bool one_of(const char* set, char c) { return c && std::strchr(set, c); }

// A width or a precision; false when the digits are too many to make sense.
bool read_size(const std::string& f, size_t& at, std::vector<Conversion>& conversions) {
  if (at < f.size() && f[at] == '*') {
    ++at;
    conversions.push_back({Type::number, '*'});
    return true;
  }
  size_t start = at;
  while (at < f.size() && f[at] >= '0' && f[at] <= '9') ++at;
  return at - start <= 5;
}

}  // namespace

ParsedFormat parse_format(const std::string& f) {
  ParsedFormat parsed;
  for (size_t at = 0; at < f.size();) {
    size_t begin = at;
    if (f[at++] != '%') continue;
    if (at < f.size() && f[at] == '%') {
      ++at;
      continue;
    }
    while (at < f.size() && one_of("-+ #0", f[at])) ++at;
    bool user = f.substr(begin, at - begin).find('#') != f.npos;
    size_t first = parsed.conversions.size();
    bool good = read_size(f, at, parsed.conversions);
    size_t precision = at;
    if (at < f.size() && f[at] == '.') good &= read_size(f, ++at, parsed.conversions);
    std::string digits = f.substr(precision, at - precision);
    std::string error;
    // All numbers have 64 bits. One 'l' says so, as SystemTap allows.
    std::optional<size_t> modifier;
    if (at < f.size() && f[at] == 'l') modifier = at++;
    if (at < f.size() && one_of("lhL", f[at]))
      error = fmt::format("'{}' says nothing here: all numbers have 64 bits", f[at]);
    const bool lengthy = !error.empty();
    while (at < f.size() && one_of("lhL", f[at])) ++at;
    const Row* row = at < f.size() ? row_of(f[at]) : nullptr;
    if (!good) error = "a width or precision is too large";
    if (!row)
      error = at < f.size() ? fmt::format("'%{}' is no conversion", f[at])
                            : "the format ends in the middle of a conversion";
    else if (good && lengthy)
      error += fmt::format(", and '%{}' is enough", f[at]);
    size_t end = std::min(at + 1, f.size());
    if (!error.empty() && parsed.error.empty()) {
      parsed.error = std::move(error);
      parsed.begin = begin;
      parsed.end = end;
    }
    if (!row) return parsed;
    for (size_t i = first; i < parsed.conversions.size(); ++i) {
      parsed.conversions[i].begin = begin;
      parsed.conversions[i].end = end;
    }
    Conversion conversion{row->wanted, row->letter};
    conversion.begin = begin;
    conversion.end = ++at;
    conversion.width = f.substr(begin + 1, precision - begin - 1);
    std::erase(conversion.width, '#');
    conversion.user = user;
    conversion.modifier = modifier;
    if (good && digits != ".*") conversion.bytes = digits.size() > 1 ? std::stoi(digits.substr(1)) : 1;
    parsed.conversions.push_back(std::move(conversion));
  }
  return parsed;
}

Span place_in_format(const Span& literal, const std::string& format, size_t begin, size_t end) {
  // The percent signs are counted: what stands between them may be escapes, the ends and beginnings of
  // adjacent literals, comments.
  std::string_view written = literal.file->text().substr(literal.begin, literal.end - literal.begin);
  auto signs = std::count(format.begin(), format.begin() + static_cast<ptrdiff_t>(begin), '%');
  size_t at = written.find('%');
  while (at != written.npos && signs-- > 0) at = written.find('%', at + 1);
  std::string conversion = format.substr(begin, end - begin);
  if (at == written.npos || written.substr(at, conversion.size()) != conversion) return literal;
  auto first = literal.begin + static_cast<uint32_t>(at);
  return {literal.file, first, first + static_cast<uint32_t>(conversion.size()), literal.via};
}

std::vector<Type> argument_types(const ast::Print& p) {
  std::vector<Type> types;
  if (p.kind == ast::Print::Kind::printf && p.literal)
    for (const Conversion& c : parse_format(p.literal->text).conversions) types.push_back(c.wanted);
  return types;
}

std::string escape_format(const std::string& text) {
  std::string escaped;
  for (char c : text) escaped.append(c == '%' ? 2 : 1, c);
  return escaped;
}

}  // namespace stp::sema
