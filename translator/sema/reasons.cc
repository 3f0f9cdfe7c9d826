// Of two uses that do not agree about a type, the error is at one; the other, which came first, is shown
// in a note. types.cc keeps it where it keeps the type.
#include <fmt/format.h>

#include "sema/lower.h"

namespace stp::sema {
namespace {

using prog::Type;

std::string because(const std::string& what, Type type) {
  return fmt::format("{} is a {} because of this", what, name_of(type));
}

}  // namespace

Lowering::Reason Lowering::reason(const ast::Expr& e) {
  if (auto* id = std::get_if<ast::Identifier>(&e.node)) {
    std::string what = fmt::format("'{}'", id->name);
    if (auto local = scope_.names.find(id->name); local != scope_.names.end())
      return {because(what, scope_.locals[local->second].type), scope_.told[local->second]};
    GlobalInfo* info = unit_.find_global(id->name, e.span);
    if (info) return {because(what, unit_.global(*info).value), info->told};
  }
  if (auto* index = std::get_if<ast::Index>(&e.node)) {
    auto* id = std::get_if<ast::Identifier>(&index->base->node);
    GlobalInfo* info = id ? unit_.find_global(id->name, index->base->span) : nullptr;
    if (info)
      return {because(fmt::format("what '{}' holds", id->name), unit_.global(*info).value),
              info->told};
  }
  if (auto* call = std::get_if<ast::Call>(&e.node)) {
    const ast::Name& name = call->function;
    const FunctionGroup* f = unit_.find_function(name.text, call->args.size(), name.span);
    if (f) return {because(fmt::format("the result of {}()", f->name), f->result), f->result_told};
  }
  return {};
}

// What makes the one of the other.
void Lowering::note_conversion(Diagnostic& error, const ast::Expr& e, Type is, Type wanted) {
  bool probed = std::holds_alternative<ast::Target>(e.node) ||
                std::holds_alternative<ast::Cast>(e.node) ||
                std::holds_alternative<ast::Dereference>(e.node);
  if (wanted == Type::string && probed)
    error.note("kernel_string() and user_string() read the text at an address");
  else if (wanted == Type::string && is == Type::number)
    error.note("sprint() makes a string of a number");
  else if (wanted == Type::number && is == Type::string && !std::holds_alternative<ast::String>(e.node))
    error.note("strtol() reads the number in a string");
}

Lowering::Reason Lowering::reason_of_key(const GlobalInfo& info, size_t key) {
  const prog::Global& g = program().globals[info.index];
  if (key >= info.keys_told.size()) return {};
  std::string which = g.keys.size() == 1 ? "the key" : fmt::format("key {}", key + 1);
  return {because(fmt::format("{} of '{}'", which, g.name), g.keys[key]), info.keys_told[key]};
}

Lowering::Reason Lowering::reason_of_parameter(const FunctionGroup& f, size_t i) {
  const auto& params = f.overloads.front()->declaration->params;
  if (i >= params.size()) return {};
  std::string what = fmt::format("parameter '{}' of {}()", params[i].name.text, f.name);
  return {because(what, f.params[i]), f.params_told[i]};
}

Lowering::Reason Lowering::reason_of_result() {
  if (!scope_.result) return {};
  return {because("the result of this function", *scope_.result), *scope_.result_told};
}

}  // namespace stp::sema
