// The syntax tree: what was written, with spelling and place, nothing resolved.
//
// Nodes are variants owned by the File's arena and point at each other by plain
// pointers. Whatever the language can say has a node here, so that printing a
// File and parsing the result gives the same File (syntax/printer.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "support/arena.h"
#include "support/source.h"

namespace stp::ast {

struct Expr;
struct Stmt;

// What a declaration says of a type, if anything: `f:string`, `a:long`.
enum class TypeName { none, number, string };

struct Name {
  std::string text;
  Span span;
};

// ------------------------------------------------------------- expressions

struct Number {
  int64_t value;
};
struct String {
  std::string value;  // escapes resolved, adjacent literals joined
};
struct Identifier {
  std::string name;
};
// a[k1, k2]; a null key is the wildcard `*` (slices of foreach and delete).
struct Index {
  Expr* base;  // an Identifier, or a histogram (Aggregate): @hist_log(s)[n]
  std::vector<Expr*> keys;
};
struct Call {
  Name function;
  std::vector<Expr*> args;
};

enum class UnaryOp { negate, plus, logical_not, bit_not };
struct Unary {
  UnaryOp op;
  Expr* operand;
};
struct Increment {  // ++ and --
  bool prefix;
  bool decrement;
  Expr* operand;
};

enum class BinaryOp {
  mul, div, mod, add, sub, concat, shl, shr, shr_unsigned,
  lt, le, gt, ge, eq, ne, bit_and, bit_xor, bit_or, logical_and, logical_or,
};
struct Binary {
  BinaryOp op;
  Expr* left;
  Expr* right;
};
// `op` is empty for `=`; the aggregate operator `<<<` is its own node.
struct Assign {
  std::optional<BinaryOp> op;
  Expr* target;
  Expr* value;
};
struct Accumulate {  // target <<< value
  Expr* target;
  Expr* value;
};
struct Ternary {
  Expr* condition;
  Expr* then;
  Expr* otherwise;
};
struct In {  // key in array, [k1, k2] in array
  std::vector<Expr*> keys;
  Expr* array;
};
struct RegexMatch {  // text =~ "pattern", text !~ "pattern"
  bool negated;
  Expr* text;
  Name pattern;  // the literal
};

// One step of a target expression: ->member, .member, ["member"?] or [index].
struct Access {
  enum class Kind { member, index } kind;
  std::string member;
  Expr* index = nullptr;
  Span span;
};
// $name, $$vars, @var("name@file", "module"): all with steps, an optional `&` in
// front, and 0, 1 or 2 `$` behind to pretty-print.
struct Target {
  enum class Kind { variable, at_var } kind;
  std::string name;    // without the `$`: "file", "$parms", "return"
  std::string module;  // @var's second argument
  std::vector<Access> accesses;
  bool address_of = false;
  int pretty = 0;
};
// @cast(operand, "type", "module"), with the same steps.
struct Cast {
  Expr* operand;
  std::string type;
  std::string module;
  std::vector<Access> accesses;
  bool address_of = false;
  int pretty = 0;
};
// An expression ->member[...] behind anything else (typed pointers: fn()->x).
struct Dereference {
  Expr* operand;
  std::vector<Access> accesses;
  bool address_of = false;
  int pretty = 0;
};

// @count(x) and its kin. `params` are the numbers behind the operand: the bit shift of
// @variance, low, high and step of @hist_linear.
enum class AggregateOp { count, sum, min, max, avg, variance, hist_linear, hist_log };
struct Aggregate {
  AggregateOp op;
  Expr* operand;
  std::vector<Expr*> params;
};

// @defined @entry @perf @const @enum @kregister @uregister @kderef @uderef
// @probewrite and whatever else takes arguments and is not a macro. `name` has no '@'.
struct AtOperator {
  std::string name;
  std::vector<Expr*> args;
};

// print println printd printdln printf and sprint*. `format` is the literal of
// printf and sprintf, or the delimiter of printd and printdln.
struct Print {
  enum class Kind { print, println, printd, printdln, printf } kind;
  bool to_string;  // sprint…: the text is the value
  std::optional<Name> literal;
  std::vector<Expr*> args;
};
struct EmbeddedExpr {  // %{ ... %} as a value
  std::string code;
};

struct Expr {
  Span span;
  std::variant<Number, String, Identifier, Index, Call, Unary, Increment, Binary, Assign,
               Accumulate, Ternary, In, RegexMatch, Target, Cast, Dereference, Aggregate,
               AtOperator, Print, EmbeddedExpr>
      node;
  // Written inside ( ); matters to the printer alone.
  bool parenthesised = false;
};

// -------------------------------------------------------------- statements

struct Block {
  std::vector<Stmt*> statements;
};
struct If {
  Expr* condition;
  Stmt* then;
  Stmt* otherwise;  // may be null
};
struct While {
  Expr* condition;
  Stmt* body;
};
struct For {  // each expression may be null
  Expr* init;
  Expr* condition;
  Expr* step;
  Stmt* body;
};
struct Foreach {
  std::optional<Name> value;  // foreach (v = [a, b] in arr)
  std::vector<Name> keys;
  Expr* array;                // an Identifier, or a histogram
  std::vector<Expr*> slice;   // arr[*, x]: null is `*`; empty when there is none
  int sort = 0;               // +1 ascending, -1 descending, 0 not sorted
  size_t sort_key = 0;        // 0 by value, n by the n-th key (1-based)
  std::optional<AggregateOp> sort_by;  // `arr- by @count`… of an aggregate
  Expr* limit = nullptr;
  Stmt* body = nullptr;
};
struct ExprStmt {
  Expr* value;
};
struct Return {
  Expr* value;  // may be null
};
struct Delete {
  Expr* target;  // Identifier (all of it) or Index, with wildcards
};
struct Next {};
struct Break {};
struct Continue {};
struct TryCatch {
  Stmt* body;
  std::optional<Name> message;
  Stmt* handler;
};
struct Empty {};
struct EmbeddedStmt {
  std::string code;
};

struct Stmt {
  Span span;
  std::variant<Block, If, While, For, Foreach, ExprStmt, Return, Delete, Next, Break, Continue,
               TryCatch, Empty, EmbeddedStmt>
      node;
};

// ------------------------------------------------------------ declarations

// function("name"), ms(10), call, syscall.*: one dotted part of a probe point.
struct Component {
  std::string name;  // may hold `*` and `?` wildcards
  std::variant<std::monostate, int64_t, std::string> arg;
  Span span;
  Span arg_span;
};
struct ProbePoint {
  std::vector<Component> components;
  bool optional = false;    // `?`
  bool sufficient = false;  // `!`
  Expr* condition = nullptr;  // `if (...)`: armed while it holds
  Span span;
};

struct Probe {
  std::vector<ProbePoint*> points;
  Stmt* body;
  Span span;
};
struct Alias {
  std::vector<ProbePoint*> names;  // a = b gives `a`; several may share one body
  bool epilogue;                   // += instead of =
  std::vector<ProbePoint*> points;
  Stmt* body;
  Span span;
  // probe a = b { body }, { second }: the part that runs behind the user's handler.
  Stmt* second = nullptr;
};
struct Global {
  Name name;
  bool is_private = false;
  bool wrap = false;           // d%: old entries make room
  std::optional<int64_t> size;  // c[100]
  Expr* init = nullptr;        // a Number or String literal
};
struct Parameter {
  Name name;
  TypeName type = TypeName::none;
};
struct Function {
  Name name;
  bool is_private = false;
  TypeName type = TypeName::none;
  std::vector<Parameter> params;
  std::optional<int64_t> priority;
  Stmt* body = nullptr;
  std::optional<std::string> embedded;  // the C between %{ and %}
  Span span;
  Span embedded_span;
};
struct EmbeddedTop {
  std::string code;
  Span span;
};

using Declaration = std::variant<Global*, Function*, Probe*, Alias*, EmbeddedTop*>;

// One parsed file. Owns its nodes; refers to its SourceFile.
struct File {
  const SourceFile* source = nullptr;
  Arena arena;
  std::vector<Declaration> declarations;  // in the order of the text
};

}  // namespace stp::ast
