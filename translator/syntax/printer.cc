// The printer: a tree as script text, for `stp -p1`, for messages, and for tests that
// print, parse again and compare.
//
// Parentheses come from two sources: those that were written (Expr::parenthesised), and
// those that the tree needs, which is only so for trees that passes have built. The table
// of operators that the parser uses decides the latter.
//
// Statements are closed with `;`, since two expressions in a row could read as one
// (`a` and `-1`). Adjacent literals are joined by then, and constants lose their base.
//
// SystemTap's -p1 writes each operand in parentheses and sorts the declarations by what they are;
// who reads that form finds it here as well, but for what SystemTap's leaves out (types, priorities,
// `private`) or changes (escapes, `while`), which would parse to another tree.
#include "syntax/printer.h"

#include <fmt/format.h>

#include "syntax/operators.h"

namespace stp {
namespace {

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

std::string quoted(const std::string& text) {
  static constexpr std::string_view special = "\a\b\f\n\r\t\v\\\"", letters = "abfnrtv\\\"";
  std::string out = "\"";
  for (char c : text) {
    size_t i = special.find(c);
    if (i != special.npos)
      out += {'\\', letters[i]};
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      out += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + "\"";
}

const char* type_suffix(ast::TypeName type) {
  constexpr const char* suffixes[] = {"", ":long", ":string"};
  return suffixes[static_cast<int>(type)];
}

class Printer {
 public:
  // all_operands: in parentheses, needed or not.
  explicit Printer(bool all_operands = false) : all_operands_(all_operands) {}
  std::string take() { return std::move(out_); }

  // `least`: what binds looser than this gets parentheses.
  void expr(const ast::Expr* e, int least = kBindAny) {
    // Parentheses say of an assignment that it is meant; see sema/suspicious.h.
    const bool said = e->parenthesised && std::holds_alternative<ast::Assign>(e->node);
    const bool wrap = binding(*e) < least || (in_all_operands() ? said : e->parenthesised);
    if (wrap) out_ += '(';
    std::visit([this](const auto& node) { write(node); }, e->node);
    if (wrap) out_ += ')';
  }

  void point(const ast::ProbePoint& p) {
    const char* dot = "";
    for (const ast::Component& component : p.components) {
      out_ += dot + component.name;
      dot = ".";
      if (auto* number = std::get_if<int64_t>(&component.arg)) out_ += fmt::format("({})", *number);
      if (auto* text = std::get_if<std::string>(&component.arg)) out_ += "(" + quoted(*text) + ")";
    }
    if (p.optional) out_ += " ?";
    if (p.sufficient && !p.optional) out_ += " !";
    if (!p.condition) return;
    out_ += " if (";
    expr(p.condition);
    out_ += ')';
  }

  // An operand; `least` as above.
  void operand(const ast::Expr* e, int least) {
    if (!in_all_operands()) return expr(e, least);
    ++depth_;
    out_ += '(';
    std::visit([this](const auto& node) { write(node); }, e->node);
    out_ += ')';
    --depth_;
  }

  void file(const ast::File& f) {
    for (const ast::Declaration& declaration : f.declarations) {
      std::visit([this](const auto* d) { declare(*d); }, declaration);
      out_ += '\n';
    }
  }
  // What C comes with the script, globals, aliases, probes, functions.
  void sorted_file(const ast::File& f) {
    all_of<ast::EmbeddedTop>(f);
    all_of<ast::Global>(f);
    all_of<ast::Alias>(f);
    all_of<ast::Probe>(f);
    all_of<ast::Function>(f);
  }

 private:
  // A sum of a thousand terms would nest deeper than the parser follows.
  static constexpr int kMaxOperandDepth = 100;
  bool in_all_operands() const { return all_operands_ && depth_ < kMaxOperandDepth; }

  template <typename T>
  void all_of(const ast::File& f) {
    for (const ast::Declaration& declaration : f.declarations) {
      if (auto* const* d = std::get_if<T*>(&declaration)) {
        declare(**d);
        out_ += '\n';
      }
    }
  }

  static int binding(const ast::Expr& e) {
    return std::visit(
        Overloaded{
            [](const ast::Binary& n) { return row_of(n.op).binding; },
            [](const ast::Assign&) -> int { return kBindAssign; },
            [](const ast::Accumulate&) -> int { return kBindAssign; },
            [](const ast::Ternary&) -> int { return kBindTernary; },
            [](const ast::In&) -> int { return kBindIn; },
            [](const ast::RegexMatch&) -> int { return kBindCompare; },
            [](const ast::Unary&) -> int { return kBindUnary; },
            [](const ast::Increment&) -> int { return kBindUnary; },
            [](const ast::Target& n) -> int { return n.address_of ? kBindUnary : kBindPostfix; },
            [](const ast::Cast& n) -> int { return n.address_of ? kBindUnary : kBindPostfix; },
            [](const ast::Dereference& n) -> int {
              return n.address_of ? kBindUnary : kBindPostfix;
            },
            [](const auto&) -> int { return kBindPrimary; },
        },
        e.node);
  }

  // ---- lists

  void list(const std::vector<ast::Expr*>& items) {
    const char* comma = "";
    for (const ast::Expr* item : items) {
      out_ += comma;
      comma = ", ";
      if (item)
        expr(item);
      else
        out_ += '*';
    }
  }

  void accesses(const std::vector<ast::Access>& steps, int pretty) {
    for (const ast::Access& step : steps) {
      if (step.kind == ast::Access::Kind::member) {
        out_ += "->" + step.member;
      } else {
        out_ += '[';
        expr(step.index);
        out_ += ']';
      }
    }
    out_.append(pretty, '$');
  }

  // ---- expressions

  // Negative literals exist where the grammar wants a plain number; elsewhere a minus
  // would be an operator, so the upper half of 64 bits is written unsigned.
  void write(const ast::Number& n) { out_ += fmt::format("{}", static_cast<uint64_t>(n.value)); }
  void write(const ast::String& n) { out_ += quoted(n.value); }
  void write(const ast::Identifier& n) { out_ += n.name; }
  void write(const ast::Index& n) {
    expr(n.base, kBindPostfix);
    out_ += '[';
    list(n.keys);
    out_ += ']';
  }
  void write(const ast::Call& n) {
    out_ += n.function.text + "(";
    list(n.args);
    out_ += ')';
  }
  void write(const ast::Unary& n) {
    out_ += spelling_of(n.op);
    // "- -a" and "+ ++a" must not melt into other operators, nor "!~a".
    size_t place = out_.size();
    operand(n.operand, kBindUnary);
    if (std::string_view("-+~&").find(out_[place]) != std::string_view::npos)
      out_.insert(place, " ");
  }
  void write(const ast::Increment& n) {
    const char* op = n.decrement ? "--" : "++";
    if (n.prefix) out_ += op;
    operand(n.operand, kBindPostfix);
    if (!n.prefix) out_ += op;
  }
  void write(const ast::Binary& n) {
    const BinaryOperator& row = row_of(n.op);
    // A match or `in` does not group with what is written behind it.
    int left = row.binding;
    if (row.binding == kBindCompare && std::holds_alternative<ast::RegexMatch>(n.left->node))
      ++left;
    operand(n.left, left);
    out_ += fmt::format(" {} ", row.spelling);
    operand(n.right, row.binding + 1);
  }
  void write(const ast::Assign& n) {
    operand(n.target, kBindTernary);
    out_ += n.op ? fmt::format(" {} ", row_of(*n.op).assignment) : " = ";
    operand(n.value, kBindAssign);
  }
  void write(const ast::Accumulate& n) {
    operand(n.target, kBindTernary);
    out_ += " <<< ";
    operand(n.value, kBindAssign);
  }
  void write(const ast::Ternary& n) {
    operand(n.condition, kBindOr);
    out_ += " ? ";
    operand(n.then, kBindAssign);
    out_ += " : ";
    operand(n.otherwise, kBindTernary);
  }
  void write(const ast::In& n) {
    if (n.keys.size() == 1 && n.keys[0] && !in_all_operands()) {
      expr(n.keys[0], kBindIn + 1);
    } else {
      out_ += '[';
      list(n.keys);
      out_ += ']';
    }
    out_ += " in ";
    expr(n.array, kBindPrimary);
  }
  void write(const ast::RegexMatch& n) {
    operand(n.text, kBindCompare + 1);
    out_ += (n.negated ? " !~ " : " =~ ") + quoted(n.pattern.text);
  }
  void write(const ast::Target& n) {
    if (n.address_of) out_ += '&';
    if (n.kind == ast::Target::Kind::variable) {
      out_ += "$" + n.name;
    } else {
      out_ += "@var(" + quoted(n.name);
      if (!n.module.empty()) out_ += ", " + quoted(n.module);
      out_ += ')';
    }
    accesses(n.accesses, n.pretty);
  }
  void write(const ast::Cast& n) {
    if (n.address_of) out_ += '&';
    out_ += "@cast(";
    expr(n.operand);
    out_ += ", " + quoted(n.type);
    if (!n.module.empty()) out_ += ", " + quoted(n.module);
    out_ += ')';
    accesses(n.accesses, n.pretty);
  }
  void write(const ast::Dereference& n) {
    if (n.address_of) out_ += '&';
    // What would take the accesses, or the `&`, for its own, needs parentheses.
    const auto& inner = n.operand->node;
    bool own = std::holds_alternative<ast::Target>(inner) ||
               std::holds_alternative<ast::Cast>(inner) ||
               std::holds_alternative<ast::Dereference>(inner);
    bool first_index = !n.accesses.empty() && n.accesses[0].kind == ast::Access::Kind::index;
    own |= first_index && std::holds_alternative<ast::Identifier>(inner);
    operand(n.operand, own ? kBindPrimary + 1 : kBindPrimary);
    accesses(n.accesses, n.pretty);
  }
  void write(const ast::Aggregate& n) {
    out_ += fmt::format("@{}(", spelling_of(n.op));
    expr(n.operand);
    for (const ast::Expr* param : n.params) {
      out_ += ", ";
      literal(param);
    }
    out_ += ')';
  }
  void write(const ast::AtOperator& n) {
    out_ += "@" + n.name + "(";
    list(n.args);
    out_ += ')';
  }
  void write(const ast::Print& n) {
    constexpr const char* names[] = {"print", "println", "printd", "printdln", "printf"};
    out_ += fmt::format("{}{}(", n.to_string ? "s" : "", names[static_cast<int>(n.kind)]);
    if (n.literal) out_ += quoted(n.literal->text);
    if (n.literal && !n.args.empty()) out_ += ", ";
    list(n.args);
    out_ += ')';
  }
  void write(const ast::EmbeddedExpr& n) { out_ += "%{" + n.code + "%}"; }

  // Where the grammar has a literal: a number may be negative.
  void literal(const ast::Expr* e) {
    if (auto* number = std::get_if<ast::Number>(&e->node))
      out_ += fmt::format("{}", number->value);
    else
      expr(e);
  }

  // ---- statements

  void line(std::string_view text) { out_.append(indent_ * 2, ' ').append(text); }

  void stmt(const ast::Stmt* s) {
    std::visit([this](const auto& node) { write(node); }, s->node);
  }
  // The statement under an `if` or a loop.
  void body(const ast::Stmt* s) {
    out_ += '\n';
    indent_ += !std::holds_alternative<ast::Block>(s->node);
    stmt(s);
    indent_ -= !std::holds_alternative<ast::Block>(s->node);
  }
  void simple(std::string_view text) {
    line(text);
    out_ += ";\n";
  }

  void write(const ast::Block& n) {
    line("{\n");
    ++indent_;
    for (const ast::Stmt* s : n.statements) stmt(s);
    --indent_;
    line("}\n");
  }
  void write(const ast::If& n) {
    line("if (");
    expr(n.condition);
    out_ += ')';
    body(n.then);
    if (!n.otherwise) return;
    line("else");
    body(n.otherwise);
  }
  void write(const ast::While& n) {
    line("while (");
    expr(n.condition);
    out_ += ')';
    body(n.body);
  }
  void write(const ast::For& n) {
    line("for (");
    if (n.init) expr(n.init);
    out_ += "; ";
    if (n.condition) expr(n.condition);
    out_ += "; ";
    if (n.step) expr(n.step);
    out_ += ')';
    body(n.body);
  }
  void write(const ast::Foreach& n) {
    const char* sign = n.sort > 0 ? "+" : "-";
    line("foreach (");
    if (n.value) out_ += n.value->text + " = ";
    out_ += '[';
    for (size_t i = 0; i < n.keys.size(); ++i) {
      if (i) out_ += ", ";
      out_ += n.keys[i].text;
      if (n.sort && n.sort_key == i + 1) out_ += sign;
    }
    out_ += "] in ";
    expr(n.array);
    if (!n.slice.empty()) {
      out_ += '[';
      list(n.slice);
      out_ += ']';
    }
    if (n.sort_by) out_ += fmt::format(" @{}", spelling_of(*n.sort_by));
    if (n.sort && n.sort_key == 0) out_ += sign;
    if (n.limit) {
      out_ += " limit ";
      expr(n.limit);
    }
    out_ += ')';
    body(n.body);
  }
  void write(const ast::ExprStmt& n) {
    line("");
    expr(n.value);
    out_ += ";\n";
  }
  void write(const ast::Return& n) {
    line("return");
    if (n.value) {
      out_ += ' ';
      expr(n.value);
    }
    out_ += ";\n";
  }
  void write(const ast::Delete& n) {
    line("delete ");
    expr(n.target);
    out_ += ";\n";
  }
  void write(const ast::Next&) { simple("next"); }
  void write(const ast::Break&) { simple("break"); }
  void write(const ast::Continue&) { simple("continue"); }
  void write(const ast::TryCatch& n) {
    line("try\n");
    stmt(n.body);
    line("catch");
    if (n.message) out_ += " (" + n.message->text + ")";
    out_ += '\n';
    stmt(n.handler);
  }
  void write(const ast::Empty&) { line(";\n"); }
  void write(const ast::EmbeddedStmt& n) {
    line("%{" + n.code + "%}");
    out_ += ";\n";
  }

  // ---- declarations

  void points(const std::vector<ast::ProbePoint*>& all, std::string_view separator) {
    for (size_t i = 0; i < all.size(); ++i) {
      if (i) out_ += separator;
      point(*all[i]);
    }
    out_ += '\n';
  }
  void declare(const ast::Global& g) {
    out_ += (g.is_private ? "private global " : "global ") + g.name.text;
    if (g.wrap) out_ += '%';
    if (g.size) out_ += fmt::format("[{}]", *g.size);
    if (g.init) {
      out_ += " = ";
      literal(g.init);
    }
    out_ += '\n';
  }
  void declare(const ast::Function& f) {
    out_ += (f.is_private ? "private function " : "function ") + f.name.text + type_suffix(f.type) +
            "(";
    for (size_t i = 0; i < f.params.size(); ++i)
      out_ += (i ? ", " : "") + f.params[i].name.text + type_suffix(f.params[i].type);
    out_ += ')';
    if (f.priority) out_ += fmt::format(" : {}", *f.priority);
    out_ += '\n';
    if (f.embedded)
      out_ += "%{" + *f.embedded + "%}\n";
    else
      stmt(f.body);
  }
  void declare(const ast::Probe& p) {
    out_ += "probe ";
    points(p.points, ", ");
    stmt(p.body);
  }
  void declare(const ast::Alias& a) {
    out_ += "probe ";
    for (size_t i = 0; i < a.names.size(); ++i) {
      point(*a.names[i]);
      out_ += a.epilogue && i + 1 == a.names.size() ? " += " : " = ";
    }
    points(a.points, ", ");
    stmt(a.body);
    if (!a.second) return;
    out_ += ",\n";
    stmt(a.second);
  }
  void declare(const ast::EmbeddedTop& e) { out_ += "%{" + e.code + "%}\n"; }

  std::string out_;
  size_t indent_ = 0;
  const bool all_operands_;
  int depth_ = 0;  // of operands in operands, as far as they get parentheses
};

}  // namespace

std::string print(const ast::File& file) {
  Printer printer;
  printer.file(file);
  return printer.take();
}

std::string print_sorted(const ast::File& file) {
  Printer printer(true);
  printer.sorted_file(file);
  return printer.take();
}

std::string print(const ast::Expr& expr) {
  Printer printer;
  printer.expr(&expr);
  return printer.take();
}

std::string print(const ast::ProbePoint& point) {
  Printer printer;
  printer.point(point);
  return printer.take();
}

}  // namespace stp
