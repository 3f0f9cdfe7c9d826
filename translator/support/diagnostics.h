// Errors and warnings about the user's input.
//
// Passes report and go on as far as they can; the driver asks `failed()` after
// each pass. Every diagnostic has a code from errors.def, so that a test can name
// the reason it expects and docs/errors.md can explain it.
#pragma once

#include <cstdio>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "support/source.h"

namespace stp {

enum class Code {
#define STP_ERROR(name, summary) name,
#include "support/errors.def"
#undef STP_ERROR
};

std::string_view name_of(Code);     // "unknown-function"
std::string_view summary_of(Code);  // one line, for docs/errors.md

struct Note {
  Span span;  // may be empty
  std::string text;
};

struct Diagnostic {
  enum class Severity { error, warning };
  Severity severity;
  Code code;
  Span span;  // may be empty: an error of the command line, say
  std::string text;
  std::vector<Note> notes;

  Diagnostic& note(std::string text, Span span = {});
};

class Diagnostics {
 public:
  // The reference is valid until the next report: use it to add notes at once. What is wrong in a
  // macro's text is kept for the macro's first use: others would tell the same again, up to as often
  // as macros are expanded.
  Diagnostic& error(Code, const Span&, std::string text);
  Diagnostic& warning(Code, const Span&, std::string text);

  bool failed() const { return errors_ > 0; }
  size_t errors() const { return errors_; }
  const std::vector<Diagnostic>& all() const { return all_; }
  // Whether "did you mean" is worth its time: nobody reads a hundred of them, and a script of ten
  // thousand unknown names would compare each with ten thousand known ones. Nor is it worth it for
  // an error that was told before.
  bool suggests() const { return all_.size() <= 100 && !dropped_last_; }

  // Adds a note to everything reported since `mark`.
  void note_since(size_t mark, const std::string& text, const Span&);

  // Puts those of a code behind all others: they may come from an error that was found later.
  void put_last(Code);

  // Tentative work (an optional probe point): what was reported since `mark` is
  // taken back. Returns what was removed.
  size_t mark() const { return all_.size(); }
  std::vector<Diagnostic> rewind(size_t mark);

 private:
  std::vector<Diagnostic> all_;
  size_t errors_ = 0;
  std::set<std::tuple<const SourceFile*, uint32_t, std::string>> said_;  // of macros' texts
  Diagnostic dropped_;
  bool dropped_last_ = false;
};

// "file:line:col: error: text [code]" with the source line, a caret under the
// span, the chain of `via`, and the notes. `color` adds ANSI escapes.
std::string render(const Diagnostic&, bool color = false);

// Of `candidates`, the up to three nearest to `name` by edit distance, best
// first; only those near enough to be a typing mistake.
std::vector<std::string> nearest(std::string_view name,
                                 const std::vector<std::string>& candidates);

}  // namespace stp
