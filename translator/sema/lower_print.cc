// print and its kin become formats: what is known now (text, delimiters, newlines) goes into the
// format, and only values are recorded when the probe is hit.
#include <fmt/format.h>

#include <map>

#include "sema/builtins.h"
#include "sema/format.h"
#include "sema/lower.h"

namespace stp::sema {

using prog::Expr;
using prog::Type;

// The runtime formats on its stack: runtime/string.c, MOST_ARGS.
constexpr size_t most_arguments = 32;

size_t Lowering::format(std::string text, std::string letters) {
  auto& formats = program().formats;
  for (size_t i = 0; i < formats.size(); ++i)
    if (formats[i].text == text && formats[i].letters == letters) return i;
  formats.push_back({std::move(text), std::move(letters)});
  return formats.size() - 1;
}

Expr* Lowering::print_argument(const ast::Expr& e, Type wanted, std::string& letters,
                               const Reason& needs) {
  auto* a = std::get_if<ast::Aggregate>(&e.node);
  bool is_histogram =
      a && (a->op == ast::AggregateOp::hist_log || a->op == ast::AggregateOp::hist_linear);
  if (is_histogram && wanted == Type::none) {
    Expr* h = histogram(*a, e.span);
    letters += h->type == Type::none ? 'h' : 'l';
    return h;
  }
  Expr* v = value(e, wanted, needs);
  if (v->type == Type::stat)
    v = error(Code::type_mismatch, e.span,
              "a statistic cannot be printed whole; use @count(), @avg(), @hist_log() or another");
  letters += v->type == Type::string ? 's' : 'l';
  return v;
}

// `bytes` of memory as they are, or as hexadecimal digits.
Expr* Lowering::memory(Expr* address, Expr* bytes, bool user, bool digits) {
  const prog::Builtin* builtin = find_builtin(digits ? "__stp_memory_digits" : "__stp_memory");
  return program().expr(
      Type::string, address->span,
      prog::BuiltinCall{builtin, {address, bytes, constant(user, address->span)}});
}

// `e` when it is a sprintf (or $$parms and its kin) of nothing but numbers, and fits a string whatever they are:
// what is too long is a script error, which must stay one.
const prog::PrintExpr* Lowering::text_of_numbers(const Expr* e) {
  constexpr size_t longest_number = 24;  // %#o of 64 bits has 23 digits
  auto* print = std::get_if<prog::PrintExpr>(&e->node);
  if (!print || !print->to_string || !print->description.empty()) return nullptr;
  const prog::Format& format = program().formats[print->format];
  if (format.letters.find_first_not_of('l') != std::string::npos ||
      format.text.size() + print->args.size() * longest_number >= program().limits.string_size)
    return nullptr;
  for (const Conversion& c : parse_format(format.text).conversions)
    if (format.text.substr(c.begin, c.end - c.begin).find_first_of("*.123456789") != std::string::npos)
      return nullptr;
  return print;
}

// Text of numbers that is only printed is not made when the probe is hit: its format becomes a part of this one.
void Lowering::take_in(std::string& text, std::string& letters, std::vector<Expr*>& args) {
  auto conversions = parse_format(text).conversions;
  if (conversions.size() != args.size()) return;
  for (size_t i = args.size(); i-- > 0;) {  // the last first: the places of the others stay
    const Conversion& c = conversions[i];
    const prog::PrintExpr* inner = text_of_numbers(args[i]);
    if (!inner || text.substr(c.begin, c.end - c.begin) != "%s" ||
        args.size() - 1 + inner->args.size() > most_arguments)
      continue;
    auto at = args.erase(args.begin() + static_cast<ptrdiff_t>(i));
    args.insert(at, inner->args.begin(), inner->args.end());
    text.replace(c.begin, c.end - c.begin, program().formats[inner->format].text);
    letters.replace(i, 1, inner->args.size(), 'l');
  }
}

// Too many arguments, or too few: the first that is left over, or the first conversion without one,
// when it stands on the line where the statement begins. That is the line of the error.
Expr* Lowering::wrong_count(const ast::Print& p, const std::vector<Conversion>& conversions,
                            const Span& span) {
  size_t count = p.args.size(), wanted = conversions.size();
  Span at = span;
  if (count > wanted)
    at = p.args[wanted]->span;
  else if (p.literal)
    at = place_in_format(p.literal->span, p.literal->text, conversions[count].begin,
                         conversions[count].end);
  auto line = [](const Span& s) { return s.file->position(s.begin).line; };
  if (at.file != span.file || line(at) != line(span)) at = span;
  return error(Code::bad_format, at,
               fmt::format("the format takes {} argument{}, and there {} {}", wanted,
                           wanted == 1 ? "" : "s", count == 1 ? "is" : "are", count),
               Type::string);
}

Expr* Lowering::printf(const ast::Print& p, const Span& span) {
  ParsedFormat parsed = parse_format(p.literal ? p.literal->text : "");
  Type result = p.to_string ? Type::string : Type::number;
  const Span& at = p.literal ? p.literal->span : span;
  auto place = [&](size_t begin, size_t end) {
    return place_in_format(at, p.literal ? p.literal->text : "", begin, end);
  };
  if (!parsed.error.empty())
    return error(Code::bad_format, place(parsed.begin, parsed.end), parsed.error, Type::string);
  if (parsed.conversions.size() != p.args.size())
    return wrong_count(p, parsed.conversions, span);
  if (p.args.size() > most_arguments)
    return error(Code::bad_format, span,
                 fmt::format("a format takes at most {} arguments", most_arguments), Type::string);
  std::string letters, text, written = p.literal ? p.literal->text : "";
  size_t copied = 0;
  prog::PrintExpr lowered{0, {}, p.to_string};
  for (size_t i = 0; i < p.args.size(); ++i) {
    const Conversion& c = parsed.conversions[i];
    Reason why{fmt::format("'{}' takes a {}", written.substr(c.begin, c.end - c.begin),
                           name_of(c.wanted)),
               place(c.begin, c.end)};
    Expr* argument = print_argument(*p.args[i], c.wanted, letters, why);
    if (c.letter == 'm' || c.letter == 'M') {
      // Memory is read when the probe is hit: what the record has is a string.
      Expr* bytes = c.bytes ? constant(*c.bytes, p.args[i]->span) : lowered.args.back();
      if (!c.bytes) {
        lowered.args.pop_back();
        letters.erase(letters.size() - 2, 1);
      }
      argument = memory(argument, bytes, c.user, c.letter == 'M');
      letters.back() = 's';
      text += written.substr(copied, c.begin - copied) + "%" + c.width + "s";
      copied = c.end;
    } else if (c.modifier) {
      text += written.substr(copied, *c.modifier - copied);
      copied = *c.modifier + 1;
    }
    lowered.args.push_back(argument);
  }
  text += written.substr(copied);
  take_in(text, letters, lowered.args);
  lowered.format = format(std::move(text), std::move(letters));
  return program().expr(result, span, std::move(lowered));
}

Expr* Lowering::print(const ast::Print& p, const Span& span) {
  using Kind = ast::Print::Kind;
  if (p.kind == Kind::printf) return printf(p, span);
  bool line = p.kind == Kind::println || p.kind == Kind::printdln;
  std::string delimiter = p.literal ? escape_format(p.literal->text) : "";
  std::string text, letters;
  prog::PrintExpr lowered{0, {}, p.to_string};
  bool first = true;
  for (const ast::Expr* arg : p.args) {
    if (!first) text += delimiter;
    first = false;
    if (auto* s = std::get_if<ast::String>(&arg->node)) {
      text += escape_format(s->value);
      continue;
    }
    std::string letter;
    Expr* v = print_argument(*arg, Type::none, letter);
    if (letter == "h" && p.to_string)
      v = error(Code::not_allowed_here, arg->span, "a histogram can be printed, not made a string");
    text += letter == "l" ? "%d" : "%s";
    letters += letter;
    lowered.args.push_back(v);
  }
  if (line) text += "\n";
  if (lowered.args.size() > most_arguments)
    return error(Code::bad_format, span,
                 fmt::format("at most {} values can be printed at once", most_arguments),
                 Type::string);
  take_in(text, letters, lowered.args);
  lowered.format = format(std::move(text), std::move(letters));
  return program().expr(p.to_string ? Type::string : Type::number, span, std::move(lowered));
}

}  // namespace stp::sema
