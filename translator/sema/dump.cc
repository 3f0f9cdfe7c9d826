// The program as indented text: for tests, for -v, and to see that two handlers are one.
#include "sema/dump.h"

#include <fmt/format.h>

#include <iterator>

#include "support/overloaded.h"

namespace stp {
namespace {

using namespace prog;

const char* type_name(Type type) {
  switch (type) {
    case Type::number:
      return "long";
    case Type::string:
      return "string";
    case Type::stat:
      return "stats";
    default:
      return "void";
  }
}

constexpr const char* binary_names[] = {"*",  "/", "%",  "+",  "-",  ".", "<<", ">>", ">>>", "<",
                                        "<=", ">", ">=", "==", "!=", "&", "^",  "|",  "&&",  "||"};
constexpr const char* unary_names[] = {"-", "+", "!", "~"};
constexpr const char* aggregate_names[] = {"count", "sum",      "min",         "max",
                                           "avg",   "variance", "hist_linear", "hist_log"};
constexpr const char* loc_names[] = {
    "constant", "address", "reg",  "argument", "deref", "add",  "sub", "mul", "div", "mod", "and",
    "or",       "xor",     "shl",  "shr",      "sar",   "eq",   "ne",  "lt",  "le",  "gt",  "ge",
    "udiv",     "umod",    "ult",  "ule",      "ugt",   "uge",  "neg", "not", "abs", "select",
    "thread",   "by_caller"};
static_assert(std::size(loc_names) == static_cast<size_t>(types::LocOp::by_caller) + 1);

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '\n')
      out += "\\n";
    else if (c == '"' || c == '\\')
      (out += '\\') += c;
    else
      out += c;
  }
  return out + "\"";
}

std::string location(const types::LocPtr& loc) {
  if (!loc) return "nothing";
  std::string text = fmt::format("{}:{}", loc_names[static_cast<size_t>(loc->op)], loc->value);
  if (loc->op == types::LocOp::deref) text = fmt::format("deref{}", loc->size);
  if (loc->section) text += fmt::format("@{}", loc->section);
  if (loc->args.empty()) return text;
  text += "(";
  for (const auto& arg : loc->args) text += (arg == loc->args.front() ? "" : ", ") + location(arg);
  return text + ")";
}

std::string register_bits(const RegisterBitsExpr& x) {
  return fmt::format("bits{}{}:{}({})", x.is_signed ? "s" : "u", x.bits, x.first,
                     location(types::loc_reg(static_cast<int>(x.dwarf_register))));
}

class Dump {
 public:
  Dump(const Program& program, const std::vector<Local>& locals)
      : program_(program), locals_(locals) {}

  std::string expression(const Expr* e) const {
    if (!e) return "*";
    return std::visit(
        Overloaded{
            [](const NumberConst& x) { return fmt::format("{}", x.value); },
            [](const StringConst& x) { return quoted(x.value); },
            [&](const LocalRef& x) { return locals_[x.index].name; },
            [&](const GlobalRef& x) { return "@" + program_.globals[x.index].name; },
            [&](const ElementRef& x) { return element(x.global, x.keys); },
            [](const WalkValueRef& x) { return fmt::format("walk{}", x.foreach_id); },
            [&](const CallExpr& x) {
              return fmt::format("{}({})", program_.functions[x.function].name, list(x.args));
            },
            [&](const BuiltinCall& x) {
              return fmt::format("{}({})", x.builtin->name, list(x.args));
            },
            [&](const UnaryExpr& x) {
              return fmt::format("{}{}", unary_names[static_cast<size_t>(x.op)],
                                 expression(x.operand));
            },
            [&](const BinaryExpr& x) {
              return fmt::format("({} {} {})", expression(x.left),
                                 binary_names[static_cast<size_t>(x.op)], expression(x.right));
            },
            [&](const TernaryExpr& x) {
              return fmt::format("({} ? {} : {})", expression(x.condition), expression(x.then),
                                 expression(x.otherwise));
            },
            [&](const InExpr& x) {
              return fmt::format("([{}] in @{})", list(x.keys), program_.globals[x.global].name);
            },
            [&](const RegexExpr& x) {
              return fmt::format("({} {} {})", expression(x.text), x.negated ? "!~" : "=~",
                                 quoted(program_.regexes[x.regex].text));
            },
            [&](const AssignExpr& x) {
              return fmt::format("{} {}= {}", expression(x.target),
                                 x.op ? binary_names[static_cast<size_t>(*x.op)] : "",
                                 expression(x.value));
            },
            [&](const IncrementExpr& x) {
              const char* op = x.decrement ? "--" : "++";
              return x.prefix ? op + expression(x.target) : expression(x.target) + op;
            },
            [&](const AccumulateExpr& x) {
              return fmt::format("{} <<< {}", expression(x.target), expression(x.value));
            },
            [&](const AggregateExpr& x) {
              return fmt::format("@{}({})", aggregate_names[static_cast<size_t>(x.op)],
                                 expression(x.operand));
            },
            [&](const HistogramExpr& x) { return fmt::format("@hist({})", expression(x.operand)); },
            [&](const BucketExpr& x) {
              return fmt::format("@hist({})[{}]", expression(x.operand), expression(x.index));
            },
            [&](const PrintExpr& x) {
              if (!x.description.empty())
                return fmt::format("pretty({}, {})", quoted(x.description), list(x.args));
              return fmt::format("{}({}{}{})", x.to_string ? "sprint" : "print",
                                 quoted(program_.formats[x.format].text),
                                 x.args.empty() ? "" : ", ", list(x.args));
            },
            [](const LocExpr& x) { return location(x.loc); },
            [&](const LoadExpr& x) {
              std::string bits = x.bit_size ? fmt::format(":{}+{}", x.bit_offset, x.bit_size) : "";
              return fmt::format("load{}{}{}({})", x.is_signed ? "s" : "u", x.size * 8, bits,
                                 expression(x.address));
            },
            [&](const NarrowExpr& x) {
              return fmt::format("narrow{}{}({})", x.is_signed ? "s" : "u", x.bits,
                                 expression(x.operand));
            },
            [](const RegisterBitsExpr& x) { return register_bits(x); },
            [](const EntryExpr& x) { return fmt::format("entry{}", x.slot); },
            [](const EmbeddedCExpr& x) { return "%{" + x.c.code + "%}"; },
            [](const TextRef&) { return std::string("$value"); },
        },
        e->node);
  }

  std::string statement(const Stmt* s, int depth) const {
    if (!s) return "";
    std::string pad(static_cast<size_t>(depth) * 2, ' ');
    return std::visit(
        Overloaded{
            [&](const BlockStmt& x) {
              std::string text;
              for (const Stmt* each : x.statements) text += statement(each, depth);
              return text;
            },
            [&](const IfStmt& x) {
              std::string text = fmt::format("{}if {}\n{}", pad, expression(x.condition),
                                             statement(x.then, depth + 1));
              if (x.otherwise) text += pad + "else\n" + statement(x.otherwise, depth + 1);
              return text;
            },
            [&](const LoopStmt& x) {
              return fmt::format("{}loop {}; {}; {}\n{}", pad, expression(x.init),
                                 expression(x.condition), expression(x.step),
                                 statement(x.body, depth + 1));
            },
            [&](const ForeachStmt& x) {
              std::string keys;
              for (size_t key : x.keys) keys += (keys.empty() ? "" : ", ") + locals_[key].name;
              std::string head = fmt::format("{}foreach{} {}[{}] in @{}", pad, x.id,
                                             x.value ? locals_[*x.value].name + " = " : "", keys,
                                             program_.globals[x.global].name);
              if (!x.slice.empty()) head += fmt::format("[{}]", list(x.slice));
              if (x.sort) head += fmt::format(" sort {} by {}", x.sort, x.sort_key);
              if (x.sort_by)
                head += fmt::format(" @{}", aggregate_names[static_cast<size_t>(*x.sort_by)]);
              if (x.limit) head += fmt::format(" limit {}", expression(x.limit));
              return head + "\n" + statement(x.body, depth + 1);
            },
            [&](const ExprStmt& x) { return fmt::format("{}{}\n", pad, expression(x.value)); },
            [&](const ReturnStmt& x) {
              return x.value ? fmt::format("{}return {}\n", pad, expression(x.value))
                             : pad + "return\n";
            },
            [&](const DeleteStmt& x) {
              return fmt::format("{}delete {}\n", pad, expression(x.target));
            },
            [&](const DeleteSliceStmt& x) {
              return fmt::format("{}delete {}\n", pad, element(x.global, x.slice));
            },
            [&](const NextStmt&) { return pad + "next\n"; },
            [&](const OverloadStmt& x) {
              return pad + fmt::format("overloads {}\n", list(x.calls));
            },
            [&](const EmbeddedStmt& x) { return pad + "%{" + x.c.code + "%}\n"; },
            [&](const BreakStmt&) { return pad + "break\n"; },
            [&](const ContinueStmt&) { return pad + "continue\n"; },
            [&](const TryStmt& x) {
              return fmt::format("{}try\n{}{}catch {}\n{}", pad, statement(x.body, depth + 1), pad,
                                 x.message ? locals_[*x.message].name : "",
                                 statement(x.handler, depth + 1));
            },
        },
        s->node);
  }

 private:
  std::string list(const std::vector<Expr*>& expressions) const {
    std::string text;
    for (const Expr* e : expressions) text += (text.empty() ? "" : ", ") + (e ? expression(e) : "*");
    return text;
  }
  std::string element(size_t global, const std::vector<Expr*>& keys) const {
    return fmt::format("@{}[{}]", program_.globals[global].name, list(keys));
  }

  const Program& program_;
  const std::vector<Local>& locals_;
};

std::string dump_global(const Global& g) {
  std::string text = fmt::format("global {}: {}", g.name, type_name(g.value));
  if (g.array) {
    text += " [";
    for (size_t i = 0; i < g.keys.size(); ++i)
      text += fmt::format("{}{}", i ? ", " : "", type_name(g.keys[i]));
    text += "]";
  }
  if (g.max_entries) text += fmt::format(" size {}", *g.max_entries);
  if (g.wrap) text += " wrap";
  if (auto* n = std::get_if<int64_t>(&g.init)) text += fmt::format(" = {}", *n);
  if (auto* s = std::get_if<std::string>(&g.init)) text += " = " + quoted(*s);
  return text + "\n";
}

}  // namespace

std::string sema::dump_handler(const Program& program, const Probe& probe) {
  Dump dump(program, probe.locals);
  std::string text;
  for (size_t i = 0; i < probe.entry_values.size(); ++i)
    text += fmt::format("  entry{} = {}\n", i, dump.expression(probe.entry_values[i]));
  return text + dump.statement(probe.body, 1);
}

std::string sema::dump_function(const Program& program, const Function& f) {
  std::string text = fmt::format("function {}: {} (", f.name, type_name(f.result));
  for (size_t i = 0; i < f.params; ++i)
    text += fmt::format("{}{}: {}", i ? ", " : "", f.locals[i].name, type_name(f.locals[i].type));
  text += f.recursive ? ") recursive\n" : ")\n";
  return text + Dump(program, f.locals).statement(f.body, 1);
}

std::string prog::dump(const Program& program) {
  std::string text;
  for (const Global& g : program.globals) text += dump_global(g);
  for (const Function& f : program.functions) text += sema::dump_function(program, f);
  for (const Probe& p : program.probes) {
    for (const Point& point : p.points) text += fmt::format("probe {}\n", point.name);
    text += sema::dump_handler(program, p);
  }
  return text;
}

}  // namespace stp
