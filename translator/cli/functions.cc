// The library as it is: rows of builtins.def and the functions of the tapsets, so that the list
// cannot be out of date. Names that begin with two underscores are the library's own.
#include "cli/functions.h"

#include <fmt/format.h>

#include <set>

#include "cli/compile.h"
#include "cli/options.h"
#include "sema/builtins.h"

namespace stp::cli {
namespace {

const char* word(prog::Type type) {
  return type == prog::Type::number ? "long" : type == prog::Type::string ? "string" : "void";
}

const char* word(ast::TypeName type) {
  return type == ast::TypeName::number ? "long" : type == ast::TypeName::string ? "string" : "any";
}

std::string row(const prog::Builtin& b) {
  std::string text = fmt::format("{}:{} (", b.name, word(b.result));
  for (size_t i = 0; i < b.args.size(); ++i)
    text += fmt::format("{}{}", i ? ", " : "", word(b.args[i]));
  return text + ")";
}

std::string row(const ast::Function& f) {
  std::string text = fmt::format("{}:{} (", f.name.text, word(f.type));
  for (size_t i = 0; i < f.params.size(); ++i)
    text += fmt::format("{}{}:{}", i ? ", " : "", f.params[i].name.text, word(f.params[i].type));
  return text + ")";
}

}  // namespace

int print_functions() {
  std::set<std::string> rows;
  // Names with two underscores are the translator's own.
  for (const prog::Builtin& b : sema::builtins())
    if (!b.name.starts_with("__")) rows.insert(row(b));
  SourceMap map;
  Diagnostics diagnostics;
  Target target;
  target.arch = "x86_64";
  Library library(target, {}, map, diagnostics);
  for (const ast::File* file : library.files())
    for (const auto& declaration : file->declarations)
      if (auto* f = std::get_if<ast::Function*>(&declaration))
        if (!(*f)->name.text.starts_with("__")) rows.insert(row(**f));
  Reporter().print(diagnostics);
  for (const std::string& text : rows) fmt::print("{}\n", text);
  return diagnostics.failed() ? status_failed : status_good;
}

}  // namespace stp::cli
