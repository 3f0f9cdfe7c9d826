// The resolved program: the output of sema/, the input of optimize/ and emit/.
//
// Nothing here is unresolved: each expression has a type, each name is an index, each
// probe point an address or a symbol, each target variable a way to compute it. emit/
// needs nothing else, so a Program made by hand tests it.
//
// Types are numbers (64 bit), strings and statistics. Expressions and statements live in
// the Program's arena.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "probes/point.h"
#include "regex/ere.h"
#include "support/arena.h"
#include "support/source.h"
#include "syntax/ast.h"
#include "types/location.h"

namespace stp::prog {

enum class Type { none, number, string, stat };

struct Expr;
struct Stmt;

// A row of builtins.def (sema/builtins.h holds the table).
struct Builtin {
  std::string name;
  Type result;  // none: no value
  std::vector<Type> args;
  bool can_fail, constant, needs_registers, side_effect;
  bool borrows;       // its text needs no room
  bool of_hit, leaf;  // wants no context but what tells the hit; and calls nothing of the kernel
  bool lines = false, inlined = false;  // tells lines of the source; and functions that were inlined
  bool task_name = false;  // its text has at most 15 bytes
};

// C of the script, and the globals that its pragmas name.
struct GlobalUse {
  size_t global;
  bool read, write;
};
struct EmbeddedC {
  std::string code;
  Span span;
  std::vector<GlobalUse> globals = {};
};

// ------------------------------------------------------------- expressions

struct NumberConst {
  int64_t value;
};
struct StringConst {
  std::string value;
};
struct LocalRef {
  size_t index;  // into the locals of the function or probe
};
struct GlobalRef {  // a scalar, or a whole statistic
  size_t index;
};
struct ElementRef {
  size_t global;
  std::vector<Expr*> keys;
};
// The statistic of the element that the innermost foreach with this value variable is at.
struct WalkValueRef {
  size_t foreach_id;
};

struct CallExpr {
  size_t function;
  std::vector<Expr*> args;
};
struct BuiltinCall {
  const Builtin* builtin;
  std::vector<Expr*> args;
};

struct UnaryExpr {
  ast::UnaryOp op;
  Expr* operand;
};
// Arithmetic and bits on numbers, comparison of two numbers or two strings, concat of strings,
// && and || (which evaluate the right side only when needed).
struct BinaryExpr {
  ast::BinaryOp op;
  Expr* left;
  Expr* right;
};
struct TernaryExpr {
  Expr* condition;
  Expr* then;
  Expr* otherwise;
};
struct InExpr {
  size_t global;
  std::vector<Expr*> keys;
};
struct RegexExpr {
  bool negated;
  Expr* text;
  size_t regex;  // into Program::regexes
};

// Where an assignment goes: LocalRef, GlobalRef, ElementRef, or memory of the probed code
// (a Load, in guru mode).
struct AssignExpr {  // op empty: `=`
  std::optional<ast::BinaryOp> op;
  Expr* target;
  Expr* value;
};
struct IncrementExpr {
  bool prefix, decrement;
  Expr* target;
};
struct AccumulateExpr {  // target is a GlobalRef or ElementRef of type stat; its value is what is added
  Expr* target;
  Expr* value;
};

struct AggregateExpr {  // not the histograms
  ast::AggregateOp op;
  Expr* operand;  // GlobalRef, ElementRef or WalkValueRef
  int shift = 0;  // @variance
};
struct HistogramExpr {  // only as a printed argument, or inside BucketExpr
  Expr* operand;        // as above; its shape is the global's
};
struct BucketExpr {  // @hist_log(x)[n]
  Expr* operand;
  Expr* index;
};

// print and its kin, brought to one form: a format and its arguments. A `*` width or precision
// is an argument before its value. Its value is 0; with to_string, the text (type string).
struct PrintExpr {
  size_t format;  // into Program::formats
  std::vector<Expr*> args;
  bool to_string;
  // Instead of a format: what stp_pretty() is to write (runtime/script.h). Arguments are numbers.
  std::string description = {};
};

// The value of a location tree at the probe (unsigned 64 bit).
struct LocExpr {
  types::LocPtr loc;
};
// `size` bytes at an address, then the bit-field, then sign extension.
struct LoadExpr {
  Expr* address;
  uint8_t size;  // 1, 2, 4, 8
  bool is_signed;
  uint8_t bit_offset = 0, bit_size = 0;  // 0: all of it
  bool user = false;
};
// The low `bits` of a number, sign-extended or not: a value in a register has its type's width.
struct NarrowExpr {
  Expr* operand;
  uint8_t bits;
  bool is_signed;
};
// `bits` bits of a register from bit `first` on: a member of a structure that lies there. Written to, it
// leaves the other bits.
struct RegisterBitsExpr {
  int64_t dwarf_register;
  uint8_t first, bits;
  bool is_signed;
};
// @entry(x), and a parameter used in a return probe: the probe's entry_values[slot].
struct EntryExpr {
  size_t slot;
};
struct EmbeddedCExpr {
  EmbeddedC c;
};
// $value of a file in /proc: the text that a reader will get, or that a writer gave.
struct TextRef {};

struct Expr {
  Type type = Type::none;
  Span span;
  std::variant<NumberConst, StringConst, LocalRef, GlobalRef, ElementRef, WalkValueRef, CallExpr,
               BuiltinCall, UnaryExpr, BinaryExpr, TernaryExpr, InExpr, RegexExpr, AssignExpr,
               IncrementExpr, AccumulateExpr, AggregateExpr, HistogramExpr, BucketExpr, PrintExpr,
               LocExpr, LoadExpr, NarrowExpr, RegisterBitsExpr, EntryExpr, EmbeddedCExpr,
               TextRef>
      node;
};

// -------------------------------------------------------------- statements

struct BlockStmt {
  std::vector<Stmt*> statements;
};
struct IfStmt {
  Expr* condition;  // a number
  Stmt* then;
  Stmt* otherwise;  // may be null
};
struct LoopStmt {  // for and while; each expression may be null
  Expr* init;
  Expr* condition;
  Expr* step;
  Stmt* body;
};
struct ForeachStmt {
  size_t id;  // unique in its function or probe
  size_t global;
  std::vector<size_t> keys;     // locals, one per key
  std::optional<size_t> value;  // local; none for statistics (WalkValueRef) and when not asked
  std::vector<Expr*> slice;     // null: any; empty: no slice
  int sort = 0;                 // as in ast::Foreach
  size_t sort_key = 0;
  std::optional<ast::AggregateOp> sort_by;
  Expr* limit = nullptr;
  Stmt* body = nullptr;
};
struct ExprStmt {
  Expr* value;
};
struct ReturnStmt {
  Expr* value;  // may be null
};
struct DeleteStmt {
  Expr* target;  // GlobalRef: all, or back to nothing; ElementRef; LocalRef
};
// delete a[*, x]: every element whose keys agree; null is `*`.
struct DeleteSliceStmt {
  size_t global;
  std::vector<Expr*> slice;
};
struct NextStmt {};  // ends the handler; in a function, hands the call on to the next overload
struct EmbeddedStmt {
  EmbeddedC c;
};
// The body of a function that stands for several: the calls in their order, until one keeps the
// call. Their results are the function's.
struct OverloadStmt {
  std::vector<Expr*> calls;
};
struct BreakStmt {};
struct ContinueStmt {};
struct TryStmt {
  Stmt* body;
  std::optional<size_t> message;  // local
  Stmt* handler;
};

struct Stmt {
  Span span;
  std::variant<BlockStmt, IfStmt, LoopStmt, ForeachStmt, ExprStmt, ReturnStmt, DeleteStmt,
               DeleteSliceStmt, NextStmt, BreakStmt, ContinueStmt, TryStmt, OverloadStmt, EmbeddedStmt>
      node;
};

// --------------------------------------------------------------- the parts

struct Local {
  std::string name;  // from the script; may repeat
  Type type;
};

// What is kept of a statistic. At most one histogram.
struct StatShape {
  enum class Histogram { none, linear, log } histogram = Histogram::none;
  int64_t low = 0, high = 0, step = 0;
  bool variance = false;
  int shift = 0;
  // Set by optimize/: whether anything asks for them. The count is always kept.
  bool sum = true, extremes = true;
  // All that is kept are sums: one instruction each adds to them, which nothing can interrupt.
  bool counted = false;

  // Of the histogram, with those below and above its range; 0 without one.
  uint32_t buckets() const;
};

struct Global {
  std::string name;
  Span span;
  Type value = Type::none;
  bool array = false;
  std::vector<Type> keys;
  std::optional<uint32_t> max_entries;
  bool wrap = false;
  std::variant<std::monostate, int64_t, std::string> init;
  StatShape shape;
  // Set by optimize/: a number that probes which run beside each other only add to. Each CPU has its own part.
  bool counter = false;
};

struct Function {
  std::string name;
  Span span;
  Type result = Type::none;
  size_t params = 0;  // the first so many locals
  std::vector<Local> locals;
  Stmt* body = nullptr;
  std::optional<EmbeddedC> embedded;  // instead of a body
  bool recursive = false;
  std::optional<size_t> of_probe = {};  // whose entry values it reads
};

// A printed format. Letters as in include/stp/abi.h.
struct Format {
  std::string text;
  std::string letters;
};

// A regular expression of the script.
struct Regex {
  Span span;  // of its first use
  std::string text;
  regex::Pattern pattern;
};

struct LockUse {
  size_t global;
  bool write;
};

// What a handler wants of the runtime when its probe is hit.
enum class Weight {
  full,     // a context of its own: it can fail, has strings, prints, or takes locks
  guarded,  // that nothing else of the session runs on this CPU meanwhile
  light,    // nothing: it counts
};

// A probe's handler and the points that share it. Where the same text reads variables from
// different places, there is a Probe for each.
struct Probe {
  Span span;
  std::string name;  // the probe point as written
  std::vector<Point> points;
  std::vector<Local> locals;
  Stmt* body = nullptr;
  // For returns: evaluated when the function is entered; read by EntryExpr.
  std::vector<Expr*> entry_values;
  // Set by optimize/.
  std::vector<LockUse> locks;
  std::vector<size_t> gates;  // whose conditions may change by what the handler writes
  bool all_registers = false;
  Weight weight = Weight::full;
  bool bare = false;  // lighter than full, and reads nothing of the probed code
  bool alone = false;  // begin, end and error probes: nothing else runs while they do
};

// An arming condition of probe points: `if (...)` on globals alone.
struct Gate {
  Span span;
  Expr* condition;
};

// What the module carries of debug information, for the addresses of one section of code.
struct PlaceTable {
  types::PlaceKind kind;
  std::filesystem::path file;
  uint64_t begin, end;   // link-time addresses; all of vmlinux: 0 and UINT64_MAX
  uint32_t section = 0;  // as Point::section; 0: vmlinux
};

struct Limits {
  uint32_t actions = 1000;
  std::optional<uint32_t> actions_interruptible;  // 10 * actions
  std::optional<uint32_t> nesting;                // deepest static call chain, + 10 when recursive
  uint32_t string_size = 512;
  std::optional<uint32_t> map_entries;    // 2048 at first, and arrays grow
  std::optional<uint32_t> map_megabytes;  // an eighth of the machine's
  uint32_t trylock = 1000;
  uint32_t trylock_delay_us = 10;
  uint32_t max_errors = 0;
  uint32_t max_skipped = 100;
  uint32_t buffer_bytes = 0;
  uint32_t return_slots = 0;
  std::optional<uint32_t> procfs_size;  // string_size - 1
};

struct Program {
  std::string name;  // of the script
  Arena arena;
  std::vector<Global> globals;
  std::vector<Function> functions;
  std::vector<Probe> probes;
  std::vector<Gate> gates;
  std::vector<Format> formats;
  std::vector<Regex> regexes;
  bool keeps_match = false;  // matched() or ngroups() is called
  std::vector<EmbeddedC> embedded_top;  // %{ %} at file level, in order
  // Every other piece of embedded C; they live in functions, expressions and statements.
  std::vector<const EmbeddedC*> embedded;
  Limits limits;
  bool tells_lines = false, tells_inlined = false;  // something that does is called
  std::vector<PlaceTable> places;
  uint64_t anchor = 0;  // link address of _printk; 0 when no point has an address
  uint64_t clock = 0;   // that of _vdso_data, when it is known
  // Of modules: Point::section and Loc::section count them from 1.
  std::vector<types::Section> sections;
  bool suppress_handler_errors = false;
  bool timing = false;  // handlers measure their time

  bool has_embedded_c() const { return !embedded_top.empty() || !embedded.empty(); }

  template <typename Node>
  Expr* expr(Type type, Span span, Node node) {
    return arena.make<Expr>(type, span, std::move(node));
  }
  template <typename Node>
  Stmt* stmt(Span span, Node node) {
    return arena.make<Stmt>(span, std::move(node));
  }
};

// A listing for people and for tests: one line per global, function and probe point, then
// bodies as indented text.
std::string dump(const Program&);

}  // namespace stp::prog
