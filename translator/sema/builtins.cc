// Rows of builtins.def, with their letters read.
#include "sema/builtins.h"

#include <string_view>

namespace stp::sema {
namespace {

using prog::Builtin;
using prog::Type;

Type type_of(char letter) {
  return letter == 'n' ? Type::number : letter == 's' ? Type::string : Type::none;
}

Builtin row(const char* name, char result, std::string_view args, std::string_view effects) {
  auto has = [&](char effect) { return effects.find(effect) != std::string_view::npos; };
  Builtin b{name, type_of(result), {}, has('f'), has('c'), has('r'), has('w'), has('b'),
            has('h') || has('l'), has('l'), has('p'), has('i'), has('t')};
  for (char letter : args) b.args.push_back(type_of(letter));
  return b;
}

}  // namespace

const std::vector<Builtin>& builtins() {
  static const std::vector<Builtin> table = {
#define BUILTIN(name, result, args, effects) row(#name, #result[0], args, effects),
#include "sema/builtins.def"
#undef BUILTIN
  };
  return table;
}

const Builtin* find_builtin(const std::string& name) {
  for (const Builtin& b : builtins())
    if (b.name == name) return &b;
  return nullptr;
}

}  // namespace stp::sema
