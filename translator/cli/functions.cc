// The library as it is: rows of builtins.def and the functions of the tapsets, so that the list
// cannot be out of date. Names that begin with two underscores are the library's own.
#include "cli/functions.h"

#include <fmt/format.h>

#include "cli/compile.h"
#include "cli/options.h"
#include "sema/builtins.h"

namespace stp::cli {
namespace {

const char* word(prog::Type type, const char* other) {
  return type == prog::Type::number ? "long" : type == prog::Type::string ? "string" : other;
}

const char* word(ast::TypeName type, const char* other) {
  return type == ast::TypeName::number ? "long" : type == ast::TypeName::string ? "string" : other;
}

std::string row(const prog::Builtin& b, const char* no_value) {
  std::string text = fmt::format("{}:{} (", b.name, word(b.result, no_value));
  for (size_t i = 0; i < b.args.size(); ++i)
    text += fmt::format("{}{}", i ? ", " : "", word(b.args[i], "any"));
  return text + ")";
}

std::string row(const ast::Function& f, const char* unsaid) {
  std::string text = fmt::format("{}:{} (", f.name.text, word(f.type, unsaid));
  for (size_t i = 0; i < f.params.size(); ++i)
    text += fmt::format("{}{}:{}", i ? ", " : "", f.params[i].name.text,
                        word(f.params[i].type, unsaid));
  return text + ")";
}

}  // namespace

std::set<std::string> function_rows(const Library& library, const char* unknown) {
  std::set<std::string> rows;
  // Names with two underscores are the translator's own.
  for (const prog::Builtin& b : sema::builtins())
    if (!b.name.starts_with("__")) rows.insert(row(b, unknown ? unknown : "void"));
  for (const ast::File* file : library.files())
    for (const auto& declaration : file->declarations)
      if (auto* f = std::get_if<ast::Function*>(&declaration))
        if (!(*f)->is_private && !(*f)->name.text.starts_with("__"))
          rows.insert(row(**f, unknown ? unknown : "any"));
  return rows;
}

int print_functions() {
  SourceMap map;
  Diagnostics diagnostics;
  Target target;
  target.arch = "x86_64";
  Library library(target, {}, map, diagnostics);
  Reporter().print(diagnostics);
  for (const std::string& text : function_rows(library)) fmt::print("{}\n", text);
  return diagnostics.failed() ? status_failed : status_good;
}

}  // namespace stp::cli
