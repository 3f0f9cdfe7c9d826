#include "support/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace stp {
namespace {

struct CodeRow {
  std::string name;
  std::string_view summary;
};

std::string with_dashes(std::string_view identifier) {
  std::string name(identifier);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

const std::vector<CodeRow>& code_rows() {
  static const std::vector<CodeRow> rows = {
#define STP_ERROR(name, summary) {with_dashes(#name), summary},
#include "support/errors.def"
#undef STP_ERROR
  };
  return rows;
}

struct Palette {
  std::string_view bold, red, magenta, green, reset;
};
constexpr Palette plain{"", "", "", "", ""};
constexpr Palette ansi{"\033[1m", "\033[1;31m", "\033[1;35m", "\033[1;32m", "\033[0m"};

std::string place(const Span& span) {
  auto at = span.file->position(span.begin);
  return fmt::format("{}:{}:{}", span.file->name(), at.line, at.column);
}

// Of a line that is longer than any screen, a piece around the place is shown: a script of one
// line with a thousand errors would be printed a thousand times.
constexpr size_t most_columns = 240;

struct Character {
  size_t bytes = 1;
  size_t columns = 1;  // on a terminal
  bool shown = false;  // not what steers a terminal, hides, or is no UTF-8
};

// Of UTF-8 text that is not empty, the first character.
Character first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {1, 1, lead == '\t' || (lead >= 0x20 && lead != 0x7f)};
  const size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (bytes == 0 || bytes > text.size()) return {};
  uint32_t value = lead & (0xffu >> (bytes + 1));
  for (char c : text.substr(1, bytes - 1)) {
    if ((c & 0xc0) != 0x80) return {};
    value = value << 6 | (c & 0x3f);
  }
  const auto in = [value](uint32_t low, uint32_t high) { return value >= low && value <= high; };
  // The second row of controls, marks of writing direction, characters without width.
  if (in(0x80, 0x9f) || in(0x200b, 0x200f) || in(0x2028, 0x202e) || in(0x2060, 0x206f) ||
      value == 0xfeff)
    return {bytes, 1, false};
  const bool wide = in(0x1100, 0x115f) || in(0x2e80, 0xa4cf) || in(0xac00, 0xd7a3) ||
                    in(0xf900, 0xfaff) || in(0xfe30, 0xfe6f) || in(0xff00, 0xff60) ||
                    in(0x1f300, 0x1faff) || in(0x20000, 0x3fffd);
  return {bytes, wide ? 2u : 1u, true};
}

// Text of a script, safe for a terminal.
std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character c = first_character(text);
    const bool line_end = text[0] == '\n';
    out += c.shown || line_end ? text.substr(0, c.bytes) : "?";
    text.remove_prefix(c.bytes);
  }
  return out;
}

// A message repeats what the script has, which may be a name of a million letters.
constexpr size_t most_text = 2000;

std::string message(std::string_view text) {
  if (text.size() <= most_text) return printable(text);
  return printable(text.substr(0, most_text / 4)) + " ... " +
         printable(text.substr(text.size() - most_text / 4));
}

// The line that holds the span's start, and a caret line under it. Tabs are kept
// in the caret line so that both stay aligned on any terminal.
std::string excerpt(const Span& span, const Palette& paint) {
  auto at = span.file->position(span.begin);
  auto text = span.file->line(at.line);
  if (text.ends_with('\r')) text.remove_suffix(1);
  std::string gutter = fmt::format("{:>5} | ", at.line);
  std::string under(gutter.size() - 2, ' ');
  under += "| ";
  size_t start = std::min<size_t>(at.column - 1, text.size());
  if (text.size() > most_columns) {
    size_t skipped = start - std::min(start, most_columns / 3);
    text = text.substr(skipped, most_columns);
    start -= skipped;
  }
  const size_t end = start + std::min<size_t>(span.end - span.begin, text.size() - start);
  size_t width = 0;
  for (size_t i = 0; i < end;) {
    const Character c = first_character(text.substr(i));
    if (i >= start)
      width += c.columns;
    else
      under += text[i] == '\t' ? "\t" : std::string(c.columns, ' ');
    i += c.bytes;
  }
  return fmt::format("{}{}\n{}{}^{}{}\n", gutter, printable(text), under, paint.green,
                     std::string(std::max<size_t>(width, 1) - 1, '~'), paint.reset);
}

// Two letters the wrong way round are one mistake.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before, above(b.size() + 1), row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    before = above;
    above = row;
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t substitute = above[j - 1] + (a[i - 1] != b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, substitute});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

bool same_but_for_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

}  // namespace

std::string_view name_of(Code code) { return code_rows()[static_cast<size_t>(code)].name; }
std::string_view summary_of(Code code) { return code_rows()[static_cast<size_t>(code)].summary; }

Diagnostic& Diagnostic::note(std::string note_text, Span note_span) {
  notes.push_back({note_span, std::move(note_text)});
  return *this;
}

Diagnostic& Diagnostics::error(Code code, const Span& span, std::string text) {
  dropped_last_ = span.via && !said_.emplace(span.file, span.begin, text).second;
  if (dropped_last_) return dropped_ = {};
  ++errors_;
  all_.push_back({Diagnostic::Severity::error, code, span, std::move(text), {}});
  return all_.back();
}

Diagnostic& Diagnostics::warning(Code code, const Span& span, std::string text) {
  dropped_last_ = false;
  all_.push_back({Diagnostic::Severity::warning, code, span, std::move(text), {}});
  return all_.back();
}

void Diagnostics::note_since(size_t mark, const std::string& text, const Span& span) {
  for (size_t i = mark; i < all_.size(); ++i) all_[i].note(text, span);
}

void Diagnostics::put_last(Code code) {
  std::stable_partition(all_.begin(), all_.end(),
                        [&](const Diagnostic& d) { return d.code != code; });
}

std::vector<Diagnostic> Diagnostics::rewind(size_t mark) {
  std::vector<Diagnostic> removed(all_.begin() + static_cast<ptrdiff_t>(mark), all_.end());
  all_.resize(mark, all_.empty() ? Diagnostic{} : all_.front());
  for (const auto& d : removed) {
    if (d.severity == Diagnostic::Severity::error) --errors_;
    said_.erase({d.span.file, d.span.begin, d.text});
  }
  return removed;
}

std::string render(const Diagnostic& d, bool color) {
  const Palette& paint = color ? ansi : plain;
  bool is_error = d.severity == Diagnostic::Severity::error;
  // What is wrong in an argument of the command line is told at the line that names the argument.
  bool in_argument = d.span && d.span.via && d.span.file->role() == SourceFile::Role::argument;
  const Span& span = in_argument ? *d.span.via : d.span;
  std::string where = span ? place(span) + ": " : std::string("stp: ");
  std::string out = fmt::format("{}{}{}{}{}:{} {} [{}]\n", paint.bold, where,
                                is_error ? paint.red : paint.magenta,
                                is_error ? "error" : "warning", "", paint.reset, message(d.text),
                                name_of(d.code));
  if (span) out += excerpt(span, paint);
  if (in_argument) out += fmt::format("{}: note: in this\n{}", place(d.span), excerpt(d.span, paint));
  for (const Span* via = span.via; via && *via; via = via->via)
    out += fmt::format("{}: note: from here\n{}", place(*via), excerpt(*via, paint));
  for (const auto& note : d.notes) {
    out += fmt::format("{}note: {}\n", note.span ? place(note.span) + ": " : "  ",
                       message(note.text));
    if (note.span) out += excerpt(note.span, paint);
  }
  return out;
}

std::vector<std::string> nearest(std::string_view name, const std::vector<std::string>& candidates) {
  struct Scored {
    size_t distance;
    const std::string* text;
  };
  // The distance takes time with the square of the length; nobody mistypes such a name.
  constexpr size_t longest = 100;
  if (name.size() > longest) return {};
  size_t limit = std::max<size_t>(1, name.size() / 3);
  std::vector<Scored> scored;
  for (const auto& candidate : candidates) {
    size_t gap = candidate.size() > name.size() ? candidate.size() - name.size()
                                                : name.size() - candidate.size();
    if (gap > limit || candidate == name) continue;
    size_t distance = same_but_for_case(name, candidate) ? 0 : edit_distance(name, candidate);
    if (distance <= limit) scored.push_back({distance, &candidate});
  }
  std::stable_sort(scored.begin(), scored.end(),
                   [](const Scored& a, const Scored& b) { return a.distance < b.distance; });
  std::vector<std::string> names;
  for (const auto& s : scored)
    if (names.size() < 3 && std::find(names.begin(), names.end(), *s.text) == names.end())
      names.push_back(*s.text);
  return names;
}

}  // namespace stp
