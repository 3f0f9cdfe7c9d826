// Variables that a probe is handed by the runtime, instead of finding them in the probed code: the
// arguments of a hook, and the text of a file.
#include <fmt/format.h>

#include "sema/lower.h"
#include "sema/place.h"

namespace stp::sema {

using prog::Expr;
using prog::Type;

namespace {

// Stands for every type where there is no debug information.
const types::Type word{types::Kind::integer, "unsigned long", 8};

types::Variable variable_of(const probes::Surroundings::Argument& argument, size_t index,
                            const types::Provider* provider) {
  auto answer = provider ? provider->type(argument.type) : types::Lack{};
  auto* type = types::get(answer);
  return {argument.name,
          type ? *type : &word,
          {types::Location::Kind::value, types::loc_argument(static_cast<int>(index)), {}},
          true};
}

}  // namespace

bool Lowering::is_handed(const ast::Target& t) const {
  return t.kind == ast::Target::Kind::variable && surroundings_ &&
         (surroundings_->kind == probes::Surroundings::Kind::hook || surroundings_->has_text());
}

std::optional<Lowering::Place> Lowering::hook_argument(const ast::Target& t, const Span& span) {
  const auto& arguments = surroundings_->arguments;
  std::vector<std::string> names;
  for (size_t i = 0; i < arguments.size(); ++i) {
    names.push_back("$" + arguments[i].name);
    if (arguments[i].name != t.name) continue;
    types::Variable variable = variable_of(arguments[i], i, provider_);
    if (variable.type == &word && !t.accesses.empty()) {
      diagnostics().error(Code::no_debuginfo, span,
                          fmt::format("what '${}' points at needs debug information, DWARF or BTF", t.name));
      return std::nullopt;
    }
    if (!arguments[i].only_guru || guru_) return place_of(variable, span);
    diagnostics().error(Code::needs_guru, span, fmt::format("'${}' needs guru mode (-g)", t.name));
    return std::nullopt;
  }
  auto& error =
      diagnostics().error(Code::no_variable, span, fmt::format("this probe has no variable '${}'", t.name));
  if (!names.empty()) error.note(fmt::format("there are {}", fmt::join(names, ", ")));
  return std::nullopt;
}

// What a reader is given is put together, by = and .=; what a writer gave is read (stapprobes(3stap),
// PROCFS).
Expr* Lowering::text_value(const ast::Target& t, const Span& span, bool assigned) {
  bool reader = surroundings_->kind == probes::Surroundings::Kind::reader;
  if (t.name != "value")
    return error(Code::no_variable, span, fmt::format("this probe has no variable '${}', only $value", t.name),
                 Type::string);
  if (!t.accesses.empty() || t.address_of || t.pretty)
    return error(Code::bad_access, span, "'$value' is text: it has no parts and no address", Type::string);
  if (assigned != reader)
    return error(Code::not_allowed_here, span,
                 reader ? "'$value' is what the reader will get: it is assigned to, and not read"
                        : "'$value' is what was written: it cannot be changed",
                 Type::string);
  return program().expr(Type::string, span, prog::TextRef{});
}

// Those that every script may read.
std::vector<types::Variable> Lowering::hook_arguments() {
  std::vector<types::Variable> variables;
  for (size_t i = 0; i < surroundings_->arguments.size(); ++i)
    if (const auto& argument = surroundings_->arguments[i]; !argument.only_guru)
      variables.push_back(variable_of(argument, i, provider_));
  return variables;
}

Expr* Lowering::assignable_argument(Expr* to, const Span& span) {
  auto* narrow = std::get_if<prog::NarrowExpr>(&to->node);
  const auto& location = std::get<prog::LocExpr>((narrow ? narrow->operand : to)->node).loc;
  if (location->op == types::LocOp::argument &&
      surroundings_->arguments[static_cast<size_t>(location->value)].only_guru)
    return to;
  return error(Code::bad_operand, span, "this is what the probe was handed: it cannot be changed");
}

}  // namespace stp::sema
