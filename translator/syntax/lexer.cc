// The lexer: one pass over the bytes, no state between tokens.
//
// The language has few surprises here. Three that cost care: `#` starts a comment,
// but `$#` and `@#` are tokens; `%{` swallows everything up to `%}`, so embedded C is
// never lexed as script; and `%(`, `%)`, `%?`, `%:` are always the preprocessor's, even
// where `a %(b)` could have meant a remainder.
//
// Numbers and strings are converted here and not in the parser, because the
// preprocessor compares them too. Operators are found by longest match in a table.
#include "syntax/lexer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace stp {
namespace {

using Kind = Token::Kind;

// Longest first.
constexpr std::string_view kOperators[] = {
    "<<<", ">>>", "<<=", ">>=", "->", "++", "--", "&&", "||", "==", "!=", "<=", ">=", "=~",
    "!~",  "<<",  ">>",  "+=",  "-=", "*=", "/=", "%=", "&=", "^=", "|=", ".=", "%(", "%)",
    "%?",  "%:",  "+",   "-",   "*",  "/",  "%",  "&",  "|",  "^",  "~",  "!",  "<",  ">",
    "=",   ".",   ",",   ";",   ":",  "?",  "(",  ")",  "[",  "]",  "{",  "}",
};

constexpr std::string_view kKeywords[] = {
    "probe",  "global",  "private", "function", "if",     "else",     "for",
    "while",  "foreach", "in",      "limit",    "break",  "continue", "next",
    "return", "delete",  "try",     "catch",    "string", "long",
};

bool is_name_start(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_part(char c) { return is_name_start(c) || is_digit(c) || c == '$'; }

int digit_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

// C's notation; anything that fits 64 bits, with the upper half wrapping to negative
// values as the language wants it.
std::optional<int64_t> number_value(std::string_view text) {
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    bool hex = text[1] == 'x' || text[1] == 'X';
    base = hex ? 16 : 8;
    text.remove_prefix(hex ? 2 : 1);
  }
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (char c : text) {
    int digit = digit_value(c);
    if (digit >= base) return std::nullopt;
    if (__builtin_mul_overflow(value, static_cast<uint64_t>(base), &value) ||
        __builtin_add_overflow(value, static_cast<uint64_t>(digit), &value))
      return std::nullopt;
  }
  return static_cast<int64_t>(value);
}

class Lexer {
 public:
  explicit Lexer(const SourceFile& file) : file_(file), text_(file.text()) {}

  Tokens run() {
    for (;;) {
      skip_blank();
      begin_ = pos_;
      if (pos_ >= text_.size()) break;
      lex_one();
    }
    // What is missing at the end belongs behind the last token, not behind blank lines and comments.
    if (!tokens_.empty()) begin_ = pos_ = tokens_.back().span.end;
    emit(Kind::end);
    return std::move(tokens_);
  }

 private:
  char peek(size_t ahead = 0) const {
    return pos_ + ahead < text_.size() ? text_[pos_ + ahead] : '\0';
  }
  bool starts_with(std::string_view prefix) const { return text_.substr(pos_).starts_with(prefix); }
  Span span() const { return {&file_, static_cast<uint32_t>(begin_), static_cast<uint32_t>(pos_)}; }

  Token& emit(Kind kind, std::string text = {}) {
    Token token;
    token.kind = kind;
    token.text = std::move(text);
    token.span = span();
    token.starts_line = line_start_;
    line_start_ = false;
    tokens_.push_back(std::move(token));
    return tokens_.back();
  }
  void blame(Code code, std::string text) {
    tokens_.back().problem = std::make_shared<Token::Problem>(Token::Problem{code, text});
  }

  // Spaces and comments; leaves an open comment to lex_one().
  void skip_blank() {
    while (pos_ < text_.size()) {
      char c = text_[pos_];
      if (c == '\n') {
        line_start_ = true;
        ++pos_;
      } else if (std::isspace(static_cast<unsigned char>(c))) {
        ++pos_;
      } else if (c == '#' || starts_with("//")) {
        pos_ = std::min(text_.find('\n', pos_), text_.size());
      } else if (starts_with("/*")) {
        size_t end = text_.find("*/", pos_ + 2);
        if (end == text_.npos) return;
        pos_ = end + 2;
      } else {
        return;
      }
    }
  }

  void lex_one() {
    char c = peek();
    if (c == '"') return lex_string();
    if (is_digit(c)) return lex_number();
    if (is_name_start(c)) return lex_name();
    if (c == '$' || c == '@') return lex_sigil();
    if (starts_with("%{")) return lex_embedded();
    if (starts_with("/*")) {
      pos_ = begin_ + 2;
      emit(Kind::bad, "/*");
      blame(Code::unterminated, "this comment is not closed: '*/' is missing");
      pos_ = text_.size();
      return;
    }
    for (std::string_view op : kOperators) {
      if (!starts_with(op)) continue;
      pos_ += op.size();
      emit(Kind::op, std::string(op));
      return;
    }
    if (!lex_single_quotes() && !lex_typographic_quotes() && !lex_invisible()) lex_bad();
  }

  // A character of C, or a string as other languages have it.
  bool lex_single_quotes() {
    size_t end = text_.find_first_of("'\n", begin_ + 1);
    if (peek() != '\'' || end == text_.npos || text_[end] != '\'') return false;
    pos_ = end + 1;
    emit(Kind::string, std::string(text_.substr(begin_ + 1, end - begin_ - 1)));
    blame(Code::bad_character, "text stands in double quotes, and characters are numbers");
    return true;
  }

  // What word processors make of quotation marks.
  bool lex_typographic_quotes() {
    static constexpr std::string_view marks[] = {"\u201c", "\u201d", "\u201e", "\u2018", "\u2019"};
    auto mark_at = [&](size_t at) {
      return std::find(std::begin(marks), std::end(marks), text_.substr(at, 3)) != std::end(marks);
    };
    if (!mark_at(begin_)) return false;
    pos_ = begin_ + 3;
    size_t line_end = std::min(text_.find('\n', begin_), text_.size());
    size_t close = pos_;
    while (close < line_end && !mark_at(close)) ++close;
    if (close < line_end) pos_ = close + 3;
    emit(Kind::string, std::string(text_.substr(begin_, pos_ - begin_)));
    blame(Code::bad_character, "these are no quotation marks: text stands between straight ones, \"");
    return true;
  }

  // What no editor shows, and what comes with text copied from elsewhere.
  bool lex_invisible() {
    struct Invisible {
      std::string_view bytes, problem;
    };
    static constexpr Invisible all[] = {
        {"\ufeff", "a byte order mark (U+FEFF) starts no token: save the script without it"},
        {"\u00a0", "a no-break space (U+00A0) starts no token: a plain blank is meant"},
        {"\u200b", "a space without width (U+200B) starts no token"},
        {"\u2028", "a line separator (U+2028) starts no token: a line feed is meant"},
    };
    for (const Invisible& one : all) {
      if (!starts_with(one.bytes)) continue;
      pos_ += one.bytes.size();
      emit(Kind::bad, std::string(one.bytes));
      blame(Code::bad_character, std::string(one.problem));
      return true;
    }
    return false;
  }

  // One diagnostic for a whole run of bytes that mean nothing (a UTF-8 word, say).
  void lex_bad() {
    auto strange = [&](char c) {
      return static_cast<unsigned char>(c) >= 0x80 || c == '`' || c == '\'' || c == '\\' ||
             std::iscntrl(static_cast<unsigned char>(c));
    };
    do ++pos_;
    while (pos_ < text_.size() && strange(peek()) &&
           !std::isspace(static_cast<unsigned char>(peek())));
    std::string spelling(text_.substr(begin_, pos_ - begin_));
    bool printable = std::all_of(spelling.begin(), spelling.end(), [](char c) {
      return std::isprint(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80;
    });
    emit(Kind::bad, spelling);
    blame(Code::bad_character,
          printable ? "'" + spelling + "' starts no token" : "this byte starts no token");
  }

  void lex_name() {
    while (is_name_part(peek())) ++pos_;
    std::string text(text_.substr(begin_, pos_ - begin_));
    bool keyword =
        std::find(std::begin(kKeywords), std::end(kKeywords), text) != std::end(kKeywords);
    emit(keyword ? Kind::keyword : Kind::identifier, std::move(text));
  }

  // $1 @1 $# @# are arguments; $name and lone $ and $$ identifiers; @name at_words.
  void lex_sigil() {
    char sigil = peek();
    ++pos_;
    if (peek() == '#' || is_digit(peek())) {
      if (peek() == '#')
        ++pos_;
      else
        while (is_digit(peek())) ++pos_;
      emit(Kind::argument, std::string(text_.substr(begin_, pos_ - begin_)));
      return;
    }
    while (is_name_part(peek())) ++pos_;
    std::string text(text_.substr(begin_, pos_ - begin_));
    if (sigil == '$') {
      emit(Kind::identifier, std::move(text));
    } else if (text.size() > 1) {
      emit(Kind::at_word, text.substr(1));
    } else {
      emit(Kind::bad, "@");
      blame(Code::bad_character, "a name must follow '@'");
    }
  }

  void lex_number() {
    while (is_name_start(peek()) || is_digit(peek())) ++pos_;
    std::string text(text_.substr(begin_, pos_ - begin_));
    auto value = number_value(text);
    emit(Kind::number, text).value = value.value_or(0);
    if (value) return;
    bool digits = std::all_of(text.begin(), text.end(), is_digit);
    bool octal = digits && text.size() > 1 && text[0] == '0';
    std::string wrong = "'" + text + "' is not a number";
    if (octal && text.find_first_of("89") != text.npos)
      wrong += ": with a zero before it, it would be octal";
    else if (digits)
      wrong = "'" + text + "' does not fit 64 bits";
    blame(Code::bad_number, wrong);
  }

  void lex_string() {
    ++pos_;
    std::string value;
    while (pos_ < text_.size() && peek() != '"' && peek() != '\n') {
      if (peek() == '\\' && pos_ + 1 < text_.size())
        value += lex_escape();
      else
        value += text_[pos_++];
    }
    bool closed = peek() == '"' && pos_ < text_.size();
    if (closed) ++pos_;
    emit(Kind::string, std::move(value));
    if (!closed)
      blame(Code::unterminated, "this string is not closed on its line: '\"' is missing");
  }

  // A backslash before a character of no special meaning stands for that character.
  // Hex escapes take two digits at most, so that no escape can exceed a byte.
  char lex_escape() {
    static constexpr std::string_view letters = "abfnrtv", values = "\a\b\f\n\r\t\v";
    char c = text_[++pos_];
    if (size_t i = letters.find(c); i != letters.npos) return ++pos_, values[i];
    int limit = 0, base = 8;
    if (c >= '0' && c <= '7') {
      limit = 3;
    } else if (c == 'x' && digit_value(peek(1)) < 16) {
      limit = 2, base = 16;
      ++pos_;
    } else {
      return ++pos_, c;
    }
    int value = 0;
    for (; limit > 0 && digit_value(peek()) < base; --limit)
      value = value * base + digit_value(text_[pos_++]);
    return static_cast<char>(value);
  }

  void lex_embedded() {
    size_t end = text_.find("%}", pos_ + 2);
    if (end == text_.npos) {
      std::string code(text_.substr(pos_ + 2));
      pos_ += 2;
      emit(Kind::embedded, std::move(code));
      blame(Code::unterminated, "this embedded C is not closed: '%}' is missing");
      pos_ = text_.size();
      return;
    }
    pos_ = end + 2;
    emit(Kind::embedded, std::string(text_.substr(begin_ + 2, end - begin_ - 2)));
  }

  const SourceFile& file_;
  std::string_view text_;
  size_t pos_ = 0;
  size_t begin_ = 0;
  bool line_start_ = true;
  Tokens tokens_;
};

}  // namespace

Tokens lex(const SourceFile& file) { return Lexer(file).run(); }

std::string describe(const Token& token) {
  switch (token.kind) {
    case Kind::end:
      return "the end of the file";
    case Kind::identifier:
      return "'" + token.text + "'";
    case Kind::keyword:
      return "the keyword '" + token.text + "'";
    case Kind::number:
      return "the number " + token.text;
    case Kind::string:
      return "a string";
    case Kind::at_word:
      return "'@" + token.text + "'";
    case Kind::embedded:
      return "embedded C";
    case Kind::argument:
    case Kind::op:
    case Kind::bad:
      return "'" + token.text + "'";
  }
  return token.text;
}

}  // namespace stp
