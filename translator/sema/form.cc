// A second home for some errors of analyze(), which knows the place of each in its own work: there,
// what else is wrong is found with them, as nothing of it depends on them. `-p1` has no analysis,
// and those who ask it whether a text is a script expect these to be told.
#include "sema/form.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "sema/format.h"
#include "sema/visit.h"

namespace stp::sema {
namespace {

class Form {
 public:
  explicit Form(Diagnostics& d) : diagnostics_(d) {}

  void check(const ast::Global& global) {
    auto [first, fresh] = globals_.emplace(global.name.text, global.name.span);
    if (fresh) return;
    diagnostics_
        .error(Code::duplicate, global.name.span,
               fmt::format("'{}' is declared twice", global.name.text))
        .note("the first declaration is here", first->second);
  }
  void check(const ast::Function& function) {
    std::set<std::string> names;
    for (const ast::Parameter& param : function.params)
      if (!names.insert(param.name.text).second)
        diagnostics_.error(Code::duplicate, param.name.span,
                           fmt::format("parameter '{}' is declared twice", param.name.text));
    body(function.body, true);
  }
  void check(const ast::Probe& probe) { body(probe.body, false); }
  void check(const ast::Alias& alias) {
    body(alias.body, false);
    body(alias.second, false);
  }
  void check(const ast::EmbeddedTop&) {}

 private:
  void body(const ast::Stmt* s, bool of_function) {
    if (!s) return;
    walk(
        *s, [&](const ast::Expr& e) { expression(e); },
        [&](const ast::Stmt& inner) {
          if (!of_function && std::holds_alternative<ast::Return>(inner.node))
            diagnostics_.error(Code::not_allowed_here, inner.span,
                               "'return' stands only in functions; 'next' ends a handler");
        });
  }
  void expression(const ast::Expr& e) {
    auto* print = std::get_if<ast::Print>(&e.node);
    if (!print || print->kind != ast::Print::Kind::printf || !print->literal) return;
    const ast::Name& literal = *print->literal;
    ParsedFormat parsed = parse_format(literal.text);
    if (!parsed.error.empty())
      diagnostics_.error(Code::bad_format,
                         place_in_format(literal.span, literal.text, parsed.begin, parsed.end),
                         parsed.error);
  }

  Diagnostics& diagnostics_;
  std::map<std::string, Span> globals_;
};

}  // namespace

void check_form(const std::vector<std::unique_ptr<ast::File>>& files, Diagnostics& d) {
  Form form(d);
  for (const auto& file : files) {
    if (file->declarations.empty())
      d.error(Code::no_probes, {file->source, 0, 0, nullptr}, "there is nothing in this script");
    for (const auto& declaration : file->declarations)
      std::visit([&](const auto* one) { form.check(*one); }, declaration);
  }
}

}  // namespace stp::sema
