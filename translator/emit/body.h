// One C function while it is being written: its lines, its temporaries, its frame of strings, and
// where to go when something fails.
//
// Values. C does not say in which order operands are evaluated, and a script's operations can
// fail; so whatever has an effect or can fail is a statement of its own, and what remains of an
// expression (Value) is C text without effects. A value is `stable` when it means the same
// wherever it is used later: constants and temporaries. Others name variables, and are pinned to a
// temporary before something runs that may change them.
//
// Strings are borrowed (struct stp_str). Owned ones lie in the function's frame, which comes from
// the context's stack: the script's string locals, and scratch for what concatenation and
// built-in functions make. A scratch belongs to the statement that is being run.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "emit/names.h"
#include "emit/text.h"
#include "optimize/uses.h"
#include "sema/program.h"

namespace stp::emit_c {

using prog::EmbeddedC;

struct Value {
  std::string text;
  bool stable = false;
  // The scratch whose text this is, from its first byte on; others may append to it.
  std::string scratch = {};
};

// What all bodies share.
struct Module {
  explicit Module(const prog::Program&);
  const prog::Program& program;
  Names names;
  std::vector<Uses> function_uses;

  // True when evaluating may change a variable of the script.
  bool has_effects(const prog::Expr*) const;
  // True when a string parameter can stay where its caller has it.
  bool borrows_param(size_t function, size_t param) const;
};

class Body {
 public:
  Body(Module& module, const std::vector<prog::Local>& locals, const std::string& entry_struct);

  Module& module;

  // ---- lines
  template <typename... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    lines_.line(format, std::forward<Args>(args)...);
  }
  void raw(const std::string& lines) { lines_.raw(lines); }
  // `lines` as they were captured, one level deeper.
  void indented(const std::string& lines);
  // What `write` writes, taken out.
  template <typename F>
  std::string capture(F write) {
    Writer outer(lines_.depth());
    std::swap(outer, lines_);
    write();
    std::swap(outer, lines_);
    return outer.take();
  }
  void line_directive(const Span&);

  // ---- temporaries, declared at the head of the function
  std::string temp(const std::string& type);  // "s64 ", "struct stp_entry *"
  Value number(const std::string& text);      // a new temporary that holds it
  Value string(const std::string& text, bool stable);
  // A value that later effects cannot change.
  Value pin(Value, prog::Type, const Span&);
  // Room for an owned string, as `struct stp_text *`.
  std::string scratch();
  size_t scratch_mark() const { return scratch_used_; }
  void scratch_reset(size_t mark) { scratch_used_ = mark; }

  // ---- failures
  struct Label {
    std::string name;
    bool used = false;
  };
  // `goto` the innermost handler when the last operation failed.
  void check();
  std::string fail_label();
  void push_failure(const std::string& label) { failures_.push_back({label}); }
  bool pop_failure();  // true when somebody goes there
  // The function's end, where its frame is left.
  std::string out_label() { return failures_.front().used = true, failures_.front().name; }
  bool leaves_early() const { return failures_.front().used; }
  std::string label(const std::string& base) { return fmt::format("{}_{}", base, ++labels_); }

  // ---- variables
  const std::string& local(size_t index) const { return locals_[index].text; }
  const prog::Local& local_of(size_t index) const { return (*declared_)[index]; }
  // Params that stay borrowed; before anything is written.
  void borrow_local(size_t index) {
    locals_[index] = {locals_[index].field, locals_[index].field, true};
  }
  bool is_borrowed(size_t index) const { return locals_[index].borrowed; }
  const std::string& entry_struct() const { return entry_struct_; }

  // ---- loops and walks
  struct Walk {
    size_t id, global;
    std::string walk, entry;
  };
  std::vector<Walk> walks;  // open ones, outermost first
  struct Loop {
    std::string continue_label;  // empty: C's `continue` does
    bool used = false;
  };
  std::vector<Loop> loops;

  // ---- the whole
  bool is_function = false;
  std::string function_name;
  size_t param_count = 0;   // of a function: the first locals
  bool has_result = false;  // its value goes into `result`
  bool result_is_string = false;
  bool calls = false;  // calls functions of the script
  bool pays = true;    // for its statements, from the context's budget
  bool alone = false;  // nothing else runs: counters are plain variables

  // Owned strings in the frame.
  std::vector<std::string> frame_fields() const;
  std::string declarations() const;    // of temporaries and number locals
  std::string initial_values() const;  // of string locals
  const std::string& text() const { return lines_.text(); }

 private:
  struct Variable {
    std::string text;  // number: the variable; string: `struct stp_text *` or, borrowed, stp_str
    std::string field;
    bool borrowed = false;
  };
  const std::vector<prog::Local>* declared_;
  std::vector<Variable> locals_;
  std::string entry_struct_;
  Writer lines_{1};
  std::map<std::string, std::vector<std::string>> temps_;  // by type
  std::map<std::string, int> temp_numbers_;                // by first letter
  std::vector<Label> failures_;
  size_t scratch_used_ = 0, scratch_most_ = 0;
  int labels_ = 0;
};

// ---- expr.cc
// Writes the effects of `e`, in order, and returns its value. `wanted` false: only the effects
// matter.
Value value(Body&, const prog::Expr* e, bool wanted = true);
// Several values, left to right; `then`, when there is one, is evaluated after them by the caller.
std::vector<Value> values(Body&, const std::vector<prog::Expr*>&, const prog::Expr* then = nullptr);
// `{ .number = 1 }, { .string = s }`: initialisers of union stp_key or stp_arg.
std::string union_list(const std::vector<prog::Expr*>&, const std::vector<Value>&);

// ---- variable.cc
Value read_element(Body&, const prog::ElementRef&, const prog::Expr*);
Value assign(Body&, const prog::AssignExpr&, const prog::Expr*, bool wanted);
Value increment(Body&, const prog::IncrementExpr&, const prog::Expr*, bool wanted);
Value binary(Body&, ast::BinaryOp, prog::Type operands, Value left, Value right, const Span&);
void remove(Body&, const prog::DeleteStmt&);
// Some of an array's keys fixed: evaluated once, before the walk.
struct Slice {
  uint32_t mask = 0;
  std::string keys = "NULL";  // an array of union stp_key
};
Slice write_slice(Body&, const std::vector<prog::Expr*>& slice);
void remove_slice(Body&, const prog::DeleteSliceStmt&, const Span&);

// ---- stat.cc
Value accumulate(Body&, const prog::AccumulateExpr&, const prog::Expr*, bool wanted);
Value aggregate(Body&, const prog::AggregateExpr&, const prog::Expr*);
Value bucket(Body&, const prog::BucketExpr&, const prog::Expr*);
// A statistic to be looked at: `struct stp_stat *`, and the name of its shape.
struct Statistic {
  Value pointer;
  std::string shape;
};
Statistic statistic(Body&, const prog::Expr*);
std::string shape_name(const Module&, size_t global);
// The variable that holds a counter's parts.
std::string counter_name(const Module&, size_t global);
const char* stat_op_name(ast::AggregateOp);

// ---- print.cc
Value print(Body&, const prog::PrintExpr&, const prog::Expr*);

// ---- target.cc
Value location(Body&, const types::Loc&, const Span&);
Value load(Body&, const prog::LoadExpr&, const prog::Expr*);
Value narrow(Body&, const prog::NarrowExpr&);
Value register_bits(const prog::RegisterBitsExpr&);
// Memory of the probed code, assigned to: bits of `size` bytes at `address`.
Value load_at(Body&, const prog::LoadExpr&, const std::string& address, const Span&);
// Of a register that a variable lives in (a LocExpr, or a NarrowExpr of one), its low part; or some bits of one.
bool is_register(const prog::Expr&);
void store_register(Body&, const prog::Expr& target, const std::string& value);
void store_at(Body&, const prog::LoadExpr&, const std::string& address, const std::string& bits,
              const Span&);

// ---- embedded.cc
// Of the whole file: what stands at the top, and functions for the arrays that embedded C names.
std::string embedded_top(const Module&);
std::string embedded_access(const Module&);
void embedded_statement(Body&, const EmbeddedC&, const Span&);
Value embedded_value(Body&, const EmbeddedC&, prog::Type, const Span&);
// The inside of a function in C, up to and with its label `out`. `args`: C expressions.
std::string embedded_body(Module&, const prog::Function&, const std::vector<std::string>& args);

// ---- stmt.cc
void statement(Body&, const prog::Stmt*);

// ---- function.cc
// A function or a handler, whole: its frame's struct and its definition.
struct Written {
  std::string prototype, definition;
  size_t frame_bytes = 0;
  bool enters = false;  // takes one of the context's nesting levels
};
Written write_function(Module&, size_t index);
Written write_handler(Module&, size_t probe);
Written write_entry_handler(Module&, size_t probe);
std::string entry_struct_name(size_t probe);
Written write_gate(Module&, size_t gate);
std::string gate_name(size_t gate);
// Bytes of an owned string in a frame.
size_t owned_bytes(const prog::Program&);

// ---- analysis.cc
// How deep frames and walks can nest, over calls.
struct Depths {
  size_t nesting;             // calls of functions that may be active at once
  size_t frame_stack;         // bytes
  std::vector<size_t> walks;  // by global
};

// Of each array's keys, the bytes that a string can have with its end; 0: MAXSTRINGLEN.
std::vector<std::vector<size_t>> key_rooms(const prog::Program&);
Depths depths(const Module&, const std::vector<Written>& functions,
              const std::vector<Written>& handlers);

// ---- tables.cc
std::string globals_text(const Module&);
std::string tables_text(Module&, const Depths&);
std::string sections_text(const prog::Program&, const std::string& release,
                          const std::string& build_id);

}  // namespace stp::emit_c
