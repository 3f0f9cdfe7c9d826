// Macros rewrite token lists, before conditionals are looked at (all but those around definitions):
// a macro may hold half of a conditional, and a conditional's dead branch is expanded as well.
//
// Arguments are expanded in the place of the use, before they are put into the body,
// and what they expand to is not looked at again: parameters are hygienic, and the
// text of an argument cannot capture a parameter of the macro it goes to.
//
// A macro may be used above its definition, unlike in SystemTap, where whether a use
// means the local or the library's macro depends on its place in the file.
//
// Two guards make every input end. A macro that is being expanded is not expanded
// inside itself (an error, since the language has no way to stop such a recursion),
// and the tokens made out of one file are counted, because a chain of macros that
// each use the next one twice doubles with every link. Uses count as tokens, since the
// last link may be empty; and they nest so deep only, in texts as in arguments.
#include "syntax/macros.h"

#include <algorithm>
#include <set>

namespace stp {
namespace {

using Kind = Token::Kind;

constexpr size_t kMaxExpandedTokens = 250'000;
constexpr size_t kMaxExpansionDepth = 200;

std::string counted(size_t n, const char* noun) {
  return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}

// ---------------------------------------------------------------- definitions

class Definitions {
 public:
  Definitions(Tokens tokens, MacroMap& macros, Diagnostics& diagnostics)
      : tokens_(std::move(tokens)), macros_(macros), diagnostics_(diagnostics) {}

  Tokens run() {
    Tokens rest;
    while (!at().is(Kind::end)) {
      if (at().is(Kind::at_word) && at().text == "define")
        define();
      else
        rest.push_back(tokens_[pos_++]);
    }
    rest.push_back(at());
    return rest;
  }

 private:
  const Token& at() const { return tokens_[pos_]; }

  void define() {
    ++pos_;
    auto macro = std::make_unique<Macro>();
    if (!at().is(Kind::identifier) || at().is_target())
      return fail("a macro's name was expected, not " + describe(at()));
    macro->name = at().text;
    macro->span = at().span;
    ++pos_;
    if (at().is_op("(") && !parameters(*macro)) return keep_broken(std::move(macro));
    if (!at().is_op("%(")) {
      fail("'%(' was expected before the text of macro '@" + macro->name + "', not " +
           describe(at()));
      return keep_broken(std::move(macro));
    }
    Span open = at().span;
    if (!body(*macro)) {
      diagnostics_.error(Code::unterminated, open,
                         "the text of macro '@" + macro->name + "' is not closed: '%)' is missing");
      return keep_broken(std::move(macro));
    }
    auto [place, fresh] = macros_.try_emplace(macro->name, nullptr);
    if (fresh) {
      place->second = std::move(macro);
      return;
    }
    diagnostics_
        .error(Code::bad_macro, macro->span, "macro '@" + macro->name + "' is defined twice")
        .note("first defined here", place->second->span);
  }

  void keep_broken(std::unique_ptr<Macro> macro) {
    macro->broken = true;
    std::string name = macro->name;
    macros_.try_emplace(name, std::move(macro));
  }

  bool parameters(Macro& macro) {
    do {
      ++pos_;
      if (!at().is(Kind::identifier) || at().is_target()) {
        fail("a parameter's name was expected, not " + describe(at()));
        return false;
      }
      if (std::count(macro.params.begin(), macro.params.end(), at().text)) {
        fail("macro '@" + macro.name + "' has two parameters '" + at().text + "'");
        return false;
      }
      macro.params.push_back(at().text);
      ++pos_;
    } while (at().is_op(","));
    if (!at().is_op(")")) {
      fail("',' or ')' was expected after a macro's parameter, not " + describe(at()));
      return false;
    }
    ++pos_;
    return true;
  }

  // From the `%(` to behind its `%)`. False at the end of the file.
  bool body(Macro& macro) {
    size_t depth = 0;
    for (;; ++pos_) {
      if (at().is(Kind::end)) return false;
      if (at().is_op("%(")) ++depth;
      if (at().is_op("%)") && --depth == 0) break;
      if (depth > 1 || !at().is_op("%(")) macro.body.push_back(at());
    }
    ++pos_;
    return true;
  }

  // Reports, and leaves the definition out: up to the `%)` of its text when that
  // starts on the same line, so that the text is not parsed as script.
  void fail(const std::string& text) {
    diagnostics_.error(Code::bad_macro, at().span, text);
    while (!at().is(Kind::end) && !at().starts_line && !at().is_op("%(")) ++pos_;
    if (!at().is_op("%(")) return;
    Macro dropped;
    body(dropped);
  }

  Tokens tokens_;
  MacroMap& macros_;
  Diagnostics& diagnostics_;
  size_t pos_ = 0;
};

// ------------------------------------------------------------------ expansion

class Expander {
 public:
  Expander(const MacroMap& local, const MacroLibrary& library, SourceMap& map,
           Diagnostics& diagnostics)
      : local_(local), library_(library), map_(map), diagnostics_(diagnostics) {}

  using Arguments = std::map<std::string, Tokens>;

  // Appends the expansion of `in` to `out`. `arguments` holds what the parameters of
  // the macro stand for whose body `in` is.
  void run(const Tokens& in, const Arguments& arguments, Tokens& out) {
    for (size_t i = 0; i < in.size() && !exhausted_;) {
      const Token& token = in[i];
      if (!token.is(Kind::at_word)) {
        put(token, out);
        ++i;
      } else if (auto argument = arguments.find(token.text); argument != arguments.end()) {
        for (const Token& part : argument->second) put(part, out);
        ++i;
      } else if (const Macro* macro = find(token.text)) {
        use(*macro, in, i, arguments, out);
      } else {
        put(token, out);
        ++i;
      }
    }
  }

 private:
  const Macro* find(const std::string& name) const {
    if (auto it = local_.find(name); it != local_.end()) return it->second.get();
    return library_.find(name);
  }

  void put(const Token& token, Tokens& out) {
    if (!exhausted_) out.push_back(token);
    if (depth_ > 0) count(token);  // the script's own text is as long as it is
  }

  void count(const Token& token) {
    if (exhausted_ || ++made_ <= kMaxExpandedTokens) return;
    exhausted_ = true;
    diagnostics_.error(
        Code::bad_macro, token.span,
        "macros expand to more than " + std::to_string(kMaxExpandedTokens) + " tokens");
  }

  // Something must stand where an expansion failed, or the parser would complain of the gap.
  static Token stand_in(const Token& name) {
    Token token = name;
    token.kind = Kind::number;
    token.text = "0";
    return token;
  }

  static void skip_arguments(const Tokens& in, size_t& i) {
    size_t depth = 0;
    do {
      if (in[i].is_op("(")) ++depth;
      if (in[i].is_op(")")) --depth;
      ++i;
    } while (depth > 0 && i < in.size() && !in[i].is(Kind::end));
  }

  // One use inside another's text or arguments, as long as it lives.
  struct Level {
    explicit Level(size_t& depth) : depth(depth) { ++depth; }
    ~Level() { --depth; }
    Level(const Level&) = delete;
    size_t& depth;
  };

  // The place of a script's argument in a macro's text, itself used at `via`.
  const Span* behind(Span argument, const Span* via) {
    argument.via = via;
    return map_.keep(argument);
  }

  // in[i] is the macro's name; leaves i behind its arguments.
  void use(const Macro& macro, const Tokens& in, size_t& i, const Arguments& outer, Tokens& out) {
    const Token& name = in[i++];
    Arguments arguments;
    count(name);
    if (depth_ >= kMaxExpansionDepth) {
      diagnostics_.error(Code::bad_macro, name.span, "macros use each other too deeply");
      if (!macro.params.empty() && i < in.size() && in[i].is_op("(")) skip_arguments(in, i);
      return put(stand_in(name), out);
    }
    Level level(depth_);
    if (macro.broken) {
      if (i < in.size() && in[i].is_op("(") && in[i].span.begin == name.span.end)
        skip_arguments(in, i);
      return put(stand_in(name), out);
    }
    if (!macro.params.empty() && !read_arguments(macro, name, in, i, outer, arguments))
      return put(stand_in(name), out);
    if (active_.count(&macro)) {
      diagnostics_.error(Code::bad_macro, name.span, "macro '@" + macro.name + "' uses itself");
      return put(stand_in(name), out);
    }
    Tokens body = macro.body;
    const Span* via = map_.keep(name.span);
    for (Token& token : body) token.span.via = token.span.via ? behind(*token.span.via, via) : via;
    active_.insert(&macro);
    run(body, arguments, out);
    active_.erase(&macro);
  }

  // Splits `( a , f(b, c) )` at the commas of the outermost parentheses.
  bool read_arguments(const Macro& macro, const Token& name, const Tokens& in, size_t& i,
                      const Arguments& outer, Arguments& arguments) {
    if (i >= in.size() || !in[i].is_op("(")) {
      diagnostics_.error(Code::bad_macro, name.span,
                         "macro '@" + macro.name + "' wants " +
                             counted(macro.params.size(), "argument") + " in parentheses");
      return false;
    }
    std::vector<Tokens> values(1);
    size_t depth = 0;
    for (;; ++i) {
      if (i >= in.size() || in[i].is(Kind::end)) {
        diagnostics_.error(
            Code::bad_macro, name.span,
            "the arguments of macro '@" + macro.name + "' are not closed: ')' is missing");
        return false;
      }
      const Token& token = in[i];
      if (token.is_op(")") && depth == 1) break;
      bool outermost = depth == 1 && token.is_op(",");
      if (token.is_op("(") || token.is_op("[") || token.is_op("{")) {
        if (++depth == 1) continue;
      } else if (depth > 1 && (token.is_op(")") || token.is_op("]") || token.is_op("}"))) {
        --depth;
      }
      if (outermost)
        values.emplace_back();
      else
        values.back().push_back(token);
      // Each level of nested arguments holds a copy of those inside.
      count(token);
      if (exhausted_) return false;
    }
    ++i;
    if (values.size() != macro.params.size()) {
      diagnostics_
          .error(Code::bad_macro, name.span,
                 "macro '@" + macro.name + "' wants " + counted(macro.params.size(), "argument") +
                     ", here it gets " + std::to_string(values.size()))
          .note("defined here", macro.span);
      return false;
    }
    for (size_t n = 0; n < values.size(); ++n) run(values[n], outer, arguments[macro.params[n]]);
    return true;
  }

  const MacroMap& local_;
  const MacroLibrary& library_;
  SourceMap& map_;
  Diagnostics& diagnostics_;
  std::set<const Macro*> active_;
  size_t depth_ = 0;
  size_t made_ = 0;
  bool exhausted_ = false;
};

}  // namespace

Tokens take_definitions(Tokens tokens, MacroMap& macros, Diagnostics& diagnostics) {
  return Definitions(std::move(tokens), macros, diagnostics).run();
}

Tokens expand_macros(Tokens tokens, const MacroMap& local, const MacroLibrary& library,
                     SourceMap& map, Diagnostics& diagnostics) {
  Tokens out;
  Expander(local, library, map, diagnostics).run(tokens, {}, out);
  if (out.empty() || !out.back().is(Kind::end)) out.push_back(tokens.back());
  return out;
}

}  // namespace stp
