// The stages between lexer and parser, each from token list to token list:
//
//   arguments     $1 becomes the tokens of the argument, @1 a string
//   macros        @define blocks are taken out, uses are replaced (macros.cc)
//   conditionals  %( condition %? these %: or those %)
//   problems      what the lexer found wrong is reported, if it is still there
//
// One pass that pulls tokens through all stages on demand would need no lists, but
// then a macro could not open a conditional that the file closes, and the dead branch
// of a conditional would have to be skipped by three stages at once.
//
// Conditionals that stand around @define are decided first, and the texts of macros are passed
// over untouched; in a .stpm file that goes for all conditionals.
#include "syntax/preprocessor.h"

#include <fnmatch.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "syntax/lexer.h"
#include "syntax/macros.h"

namespace stp {
namespace {

using Kind = Token::Kind;

constexpr size_t kMaxNesting = 200;

// ------------------------------------------------------------------ arguments

// Puts the arguments of the command line into a token list.
class Arguments {
 public:
  Arguments(const PreprocessorContext& context, SourceMap& map) : context_(context), map_(map) {}

  Tokens run(const Tokens& in) {
    Tokens out;
    for (const Token& token : in) {
      if (token.is(Kind::identifier) && token.text.starts_with("$$") && token.text.size() > 2 &&
          std::isdigit(static_cast<unsigned char>(token.text[2])))
        used_ = context_.args.size();
      if (token.is(Kind::argument))
        replace(token, out);
      else
        out.push_back(token);
    }
    return out;
  }
  size_t used() const { return used_; }

 private:
  void replace(const Token& use, Tokens& out) {
    bool as_string = use.text[0] == '@';
    Token token = use;
    token.kind = as_string ? Kind::string : Kind::number;
    if (use.text[1] == '#') {
      used_ = context_.args.size();
      token.text = std::to_string(context_.args.size());
      token.value = static_cast<int64_t>(context_.args.size());
      out.push_back(std::move(token));
      return;
    }
    size_t number = use.text.size() < 8 ? std::stoul(use.text.substr(1)) : 10'000'000;
    if (number == 0 || number > context_.args.size()) {
      token.text = as_string ? "" : "0";
      token.problem = std::make_shared<Token::Problem>(Token::Problem{
          Code::missing_argument, "the script wants argument " + use.text.substr(1) + ", but " +
                                      std::to_string(context_.args.size()) + " were given"});
      out.push_back(std::move(token));
      return;
    }
    used_ = std::max(used_, number);
    const std::string& text = context_.args[number - 1];
    if (as_string) {
      token.text = text;
      out.push_back(std::move(token));
      return;
    }
    const SourceFile& file = map_.add("argument " + use.text, text, SourceFile::Role::argument);
    const Span* via = map_.keep(use.span);
    Tokens pasted = lex(file);
    pasted.pop_back();
    if (!pasted.empty()) pasted.front().starts_line = use.starts_line;
    for (Token& part : pasted) {
      part.span.via = via;
      // What an argument says of arguments is not replaced again.
      if (part.is(Kind::argument)) {
        part.kind = Kind::bad;
        part.problem = std::make_shared<Token::Problem>(
            Token::Problem{Code::bad_character, "'" + part.text + "' inside of an argument"});
      }
      out.push_back(std::move(part));
    }
  }

  const PreprocessorContext& context_;
  SourceMap& map_;
  size_t used_ = 0;
};

// --------------------------------------------------------------- conditionals

template <typename T>
bool compare(std::string_view op, const T& left, const T& right) {
  if (op == "==") return left == right;
  if (op == "!=") return left != right;
  if (op == "<") return left < right;
  if (op == "<=") return left <= right;
  if (op == ">") return left > right;
  return left >= right;
}

bool is_comparison(const Token& token) {
  for (auto op : {"==", "!=", "<", "<=", ">", ">="})
    if (token.is_op(op)) return true;
  return false;
}
bool is_equality(const Token& token) { return token.is_op("==") || token.is_op("!="); }

// What an identifier in a condition stands for, and how it is compared.
struct Fact {
  enum class Kind { version, text, number } kind;
  std::string text;
  int64_t number = 0;
};

std::optional<Fact> find_fact(const std::string& name, const PreprocessorContext& context) {
  using K = Fact::Kind;
  if (name == "kernel_v") return Fact{K::version, context.kernel_version};
  if (name == "kernel_vr") return Fact{K::version, context.kernel_release};
  if (name == "systemtap_v") return Fact{K::version, context.stap_version};
  if (name == "arch") return Fact{K::text, context.arch};
  if (name == "runtime") return Fact{K::text, "kernel"};
  if (name == "systemtap_privilege") return Fact{K::text, context.privilege};
  if (name == "guru_mode") return Fact{K::number, {}, context.guru};
  if (name.starts_with("CONFIG_")) {
    auto it = context.config.find(name);
    return Fact{K::text, it == context.config.end() ? "" : it->second};
  }
  return std::nullopt;
}

// A CONFIG_ option that is a number may be compared as one: CONFIG_NR_CPUS > 64.
void take_as_number(Fact& fact) {
  const char* text = fact.text.c_str();
  char* end = nullptr;
  errno = 0;
  int64_t value = std::strtoll(text, &end, 0);
  if (end != text && !*end && !errno) fact = {Fact::Kind::number, {}, value};
}

bool has_wildcard(const Token& token) {
  return token.text.find_first_of("*?[") != std::string::npos;
}

bool compare_fact(const Fact& fact, const std::string& op, const Token& right) {
  if (fact.kind == Fact::Kind::number) return compare(op, fact.number, right.value);
  bool wild = fact.kind == Fact::Kind::text || has_wildcard(right);
  if (wild && (op == "==" || op == "!="))
    return (fnmatch(right.text.c_str(), fact.text.c_str(), 0) == 0) == (op == "==");
  return compare(op, strverscmp(fact.text.c_str(), right.text.c_str()), 0);
}

class Conditionals {
 public:
  Conditionals(Tokens tokens, const PreprocessorContext& context, Diagnostics& diagnostics,
               bool keep_definitions)
      : tokens_(std::move(tokens)),
        context_(context),
        diagnostics_(diagnostics),
        keep_definitions_(keep_definitions) {}

  Tokens run() {
    for (;;) {
      branch(true, 0);
      if (at().is(Kind::end)) break;
      diagnostics_.error(Code::bad_preprocessor, at().span,
                         "'" + at().text + "' belongs to no '%('");
      ++pos_;
    }
    out_.push_back(at());
    return std::move(out_);
  }

  // Decides the conditionals that hold a @define, so that a dead branch defines nothing, and leaves
  // all others for when macros are expanded. One whose condition uses a macro has to wait, too.
  Tokens run_around_definitions() {
    const std::vector<size_t> ends = ends_of_conditionals();
    while (!at().is(Kind::end)) {
      if (at_definition()) {
        definition(true);
      } else if (size_t end = ends[pos_]; holds_definition(end)) {
        conditional(true, 1);
      } else {
        do out_.push_back(tokens_[pos_++]);
        while (pos_ < end);
      }
    }
    out_.push_back(at());
    return std::move(out_);
  }

 private:
  const Token& at() const { return tokens_[pos_]; }
  bool at_definition() const { return at().is(Kind::at_word) && at().text == "define"; }

  // For each `%(`, the place behind its `%)`; 0 for other tokens and where it is not closed.
  std::vector<size_t> ends_of_conditionals() const {
    std::vector<size_t> ends(tokens_.size()), open;
    for (size_t i = 0; i < tokens_.size(); ++i) {
      if (tokens_[i].is_op("%(")) open.push_back(i);
      if (!tokens_[i].is_op("%)") || open.empty()) continue;
      ends[open.back()] = i + 1;
      open.pop_back();
    }
    return ends;
  }

  bool holds_definition(size_t end) const {
    bool condition = true, holds = false;
    for (size_t i = pos_; i < end; ++i) {
      const Token& token = tokens_[i];
      if (token.is_op("%?")) condition = false;
      if (condition && token.is(Kind::at_word)) return false;
      holds |= token.is(Kind::at_word) && token.text == "define";
    }
    return holds;
  }

  // Copies (if `live`) up to what ends a branch: %? %: %) or the end.
  void branch(bool live, size_t depth) {
    while (!at().is(Kind::end) && !at().is_op("%?") && !at().is_op("%:") && !at().is_op("%)")) {
      if (at().is_op("%(")) {
        conditional(live, depth + 1);
      } else if (keep_definitions_ && at_definition()) {
        definition(live);
      } else {
        if (live) out_.push_back(at());
        ++pos_;
      }
    }
  }

  // %( condition %? live %: dead %). In a dead branch the condition is not judged.
  void conditional(bool live, size_t depth) {
    Span open = at().span;
    if (depth > kMaxNesting) {
      diagnostics_.error(Code::too_deep, open, "conditionals nest too deeply");
      ended_early_ = true;
      pos_ = tokens_.size() - 1;
      return;
    }
    ++pos_;
    bool good = true, value = false;
    if (live) {
      value = alternatives(good);
      if (good && !at().is_op("%?")) {
        fail(at(), "'%?', '&&' or '||' was expected after a condition, not " + describe(at()));
        good = false;
      }
    }
    if (!live || !good) skip_condition();
    if (at().is_op("%?")) ++pos_;
    branch(live && good && value, depth);
    if (at().is_op("%:")) {
      ++pos_;
      branch(live && good && !value, depth);
    }
    while (at().is_op("%?") || at().is_op("%:")) {
      fail(at(), "this conditional has a second '" + at().text + "'");
      ++pos_;
      branch(false, depth);
    }
    if (at().is_op("%)")) {
      ++pos_;
    } else if (!std::exchange(ended_early_, true)) {
      // Those around it are not closed either; the innermost tells enough.
      diagnostics_.error(Code::unterminated, open,
                         "this conditional is not closed: '%)' is missing");
    }
  }

  void skip_condition() {
    while (!at().is(Kind::end) && !at().is_op("%?") && !at().is_op("%:") && !at().is_op("%)") &&
           !at().is_op("%("))
      ++pos_;
  }

  // Copies @define name(params) %( text %) as it is.
  void definition(bool live) {
    size_t depth = 0;
    do {
      if (at().is_op("%(")) ++depth;
      if (at().is_op("%)")) --depth;
      if (live) out_.push_back(at());
      ++pos_;
      // The header of a definition is an at_word, a name, and parameters.
      bool header =
          at().is(Kind::identifier) || at().is_op("(") || at().is_op(")") || at().is_op(",");
      if (depth == 0 && !header && !at().is_op("%(")) return;
    } while (!at().is(Kind::end) && !(depth == 0 && tokens_[pos_ - 1].is_op("%)")));
  }

  bool alternatives(bool& good) {
    bool value = conjunction(good);
    while (good && at().is_op("||")) {
      ++pos_;
      value = conjunction(good) || value;
    }
    return value;
  }

  bool conjunction(bool& good) {
    bool value = comparison(good);
    while (good && at().is_op("&&")) {
      ++pos_;
      value = comparison(good) && value;
    }
    return value;
  }

  // One comparison. What it looks at is judged here, so problems of the lexer and
  // missing arguments count.
  bool comparison(bool& good) {
    const Token left = at();
    auto wrong = [&](const Token& token, const std::string& text) {
      good = false;
      if (token.problem)
        diagnostics_.error(token.problem->code, token.span, token.problem->text);
      else
        fail(token, text + ", not " + describe(token));
      return false;
    };
    std::optional<Fact> fact;
    if (left.is(Kind::identifier)) fact = find_fact(left.text, context_);
    if (left.problem || (!fact && !left.is(Kind::number) && !left.is(Kind::string)))
      return wrong(left,
                   "kernel_v, kernel_vr, arch, systemtap_v, systemtap_privilege, guru_mode, "
                   "runtime, CONFIG_..., a string or a number was expected");
    ++pos_;
    const Token op = at();
    bool config = fact && left.text.starts_with("CONFIG_");
    if (config && tokens_[std::min(pos_ + 1, tokens_.size() - 1)].is(Kind::number)) take_as_number(*fact);
    config = config && fact->kind == Fact::Kind::number;
    bool only_equality = fact && fact->kind != Fact::Kind::version && !config;
    if (only_equality ? !is_equality(op) : !is_comparison(op))
      return wrong(op, only_equality ? "'==' or '!=' was expected" : "a comparison was expected");
    ++pos_;
    const Token right = at();
    bool number = fact ? fact->kind == Fact::Kind::number : left.is(Kind::number);
    if (right.problem || !right.is(number ? Kind::number : Kind::string))
      return wrong(right, number ? "a number was expected" : "a string was expected");
    if (fact && has_wildcard(right) && !is_equality(op))
      return wrong(op, "'==' or '!=' was expected before a version with a wildcard");
    ++pos_;
    if (fact) return compare_fact(*fact, op.text, right);
    return number ? compare(op.text, left.value, right.value)
                  : compare(op.text, left.text, right.text);
  }

  void fail(const Token& token, const std::string& text) {
    diagnostics_.error(Code::bad_preprocessor, token.span, text);
  }

  Tokens tokens_;
  const PreprocessorContext& context_;
  Diagnostics& diagnostics_;
  bool keep_definitions_;
  bool ended_early_ = false;
  size_t pos_ = 0;
  Tokens out_;
};

// ------------------------------------------------------------------- problems

// What is left can be parsed: a bad number or string stands for some number or
// string, so that its error is the only one.
Tokens report_problems(Tokens in, Diagnostics& diagnostics) {
  Tokens out;
  bool line = false;
  for (Token& token : in) {
    if (token.problem) {
      diagnostics.error(token.problem->code, token.span, token.problem->text);
      token.open = token.problem->code == Code::unterminated;
      token.problem.reset();
    }
    line |= token.starts_line;
    if (token.is(Kind::bad)) continue;
    token.starts_line = line;
    line = false;
    out.push_back(std::move(token));
  }
  return out;
}

std::vector<std::string> names_of(const MacroMap& local, const MacroLibrary& library) {
  std::vector<std::string> names = library.names();
  for (const auto& [name, macro] : local) names.push_back(name);
  return names;
}

}  // namespace

Preprocessed preprocess(const SourceFile& file, const PreprocessorContext& context,
                        const MacroLibrary& library, SourceMap& map, Diagnostics& diagnostics) {
  Preprocessed result;
  Arguments arguments(context, map);
  MacroMap local;
  Tokens tokens =
      Conditionals(arguments.run(lex(file)), context, diagnostics, true).run_around_definitions();
  tokens = take_definitions(std::move(tokens), local, diagnostics);
  tokens = expand_macros(std::move(tokens), local, library, map, diagnostics);
  // Only a library's macro can still hold arguments.
  tokens = arguments.run(tokens);
  tokens = Conditionals(std::move(tokens), context, diagnostics, false).run();
  result.tokens = report_problems(std::move(tokens), diagnostics);
  result.macros = names_of(local, library);
  result.used_args = arguments.used();
  return result;
}

MacroLibrary::MacroLibrary() = default;
MacroLibrary::~MacroLibrary() = default;

void MacroLibrary::add(const SourceFile& file, const PreprocessorContext& context,
                       Diagnostics& diagnostics) {
  Tokens tokens = Conditionals(lex(file), context, diagnostics, true).run();
  tokens = take_definitions(std::move(tokens), macros_, diagnostics);
  tokens = report_problems(std::move(tokens), diagnostics);
  if (!tokens.front().is(Kind::end))
    diagnostics.error(Code::bad_macro, tokens.front().span,
                      "a macro file holds @define alone, not " + describe(tokens.front()));
}

const Macro* MacroLibrary::find(const std::string& name) const {
  auto it = macros_.find(name);
  return it == macros_.end() ? nullptr : it->second.get();
}

std::vector<std::string> MacroLibrary::names() const {
  std::vector<std::string> names;
  for (const auto& [name, macro] : macros_) names.push_back(name);
  return names;
}

}  // namespace stp
