// Kinds of probe points: what can be written, and how it becomes points.
//
// Each kind is a file of this folder that fills one table of rows; kinds.cc puts the tables
// together. A row is a pattern of dotted parts and a function that resolves what matched it.
// The table is searched for what a script wrote (with its wildcards), for `stp list`, and for
// the names that an error suggests; a new kind is a new file and a line in kinds.cc.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "probes/point.h"
#include "support/diagnostics.h"
#include "syntax/ast.h"
#include "target/target.h"
#include "types/provider.h"
#include "types/sources.h"

namespace stp::probes {

enum class Arg { none, number, string };

struct Part {
  std::string name;  // "*": any
  Arg arg = Arg::none;
};

// A local variable that has a value when the handler begins, as those do that aliases set.
struct ScriptVariable {
  enum class From {
    builtin,    // the function of this name
    parameter,  // the $-variable of this name
    text,       // what the $-variable points to, of at most the number that `count` names, if any
    quoted,     // the same in quotes
  } from;
  std::string name, of, count = {};
};

// What a handler can ask about variables at a point.
struct Surroundings {
  enum class Kind {
    none,        // no target variables
    place,       // at an instruction: `place`
    at_return,   // $return, and parameters as they were at `place`, the entry
    tracepoint,  // arguments of `tracepoint`
    hook,        // `arguments`
    reader,      // $value is the text that the handler gives
    writer,      // $value is the text that it gets
  } kind = Kind::none;
  bool has_text() const { return kind == Kind::reader || kind == Kind::writer; }
  types::Place place;
  types::Tracepoint tracepoint;
  // What the kernel hands to a hook, 8 bytes each. The types are spelled, so that whoever does not ask
  // for the variable needs no types.
  struct Argument {
    std::string name, type;
    bool only_guru = false;  // and it may be written to
  };
  std::vector<Argument> arguments = {};
  // Of a system call: its parameters, and with at_return what it returns, as $-variables.
  std::optional<std::vector<types::Variable>> call_variables = {};
  std::vector<ScriptVariable> script_variables = {};
  // Who knows the place; null: the kernel's.
  const types::Provider* provider = nullptr;
};

struct Found {
  prog::Point point;
  Surroundings surroundings;
};

struct Request {
  // As written, but with the names of the row where the script had wildcards.
  std::vector<ast::Component> components;
  Span span;
  const Target& target;
  bool guru = false;
  // Null after an error was reported.
  std::function<const types::Provider*()> provider;
  Diagnostics& diagnostics;
  types::Sources* sources = nullptr;  // null: modules are not looked into

  // The argument of the component called `name`.
  const std::string* text(std::string_view name) const;
  std::optional<int64_t> number(std::string_view name) const;
  bool has(std::string_view name) const;
  const ast::Component& component(std::string_view name) const;
};

// Appends the points that the request means. Reports an error when there is none.
using Resolve = void (*)(const Request&, std::vector<Found>&);

struct Kind {
  std::vector<Part> parts;
  Resolve resolve;
};

std::span<const Kind> session_kinds();     // begin end error never
std::span<const Kind> timer_kinds();       // timer.s(n) and its kin
std::span<const Kind> profile_kinds();     // timer.profile
std::span<const Kind> function_kinds();    // kernel.function
std::span<const Kind> statement_kinds();   // kernel.statement
std::span<const Kind> tracepoint_kinds();  // kernel.trace
std::span<const Kind> symbol_kinds();      // kprobe.function
std::span<const Kind> process_kinds();     // process("path")
std::span<const Kind> perf_kinds();        // perf.type(t).config(c)
std::span<const Kind> watch_kinds();       // kernel.data
std::span<const Kind> netfilter_kinds();   // netfilter.hook("HOOK").pf("FAMILY")
std::span<const Kind> procfs_kinds();      // procfs("path").read
std::span<const Kind> stdin_kinds();       // stdin.char, stdin.line

// stdin.char, which procfs("__stdin").write is too, or stdin.line.
Found at_stdin(const Request&, bool lines);
std::span<const Kind> syscall_kinds();     // syscall.NAME

// Known to the language, and not run by this version.
bool is_unsupported(const std::vector<ast::Component>&);

// All of them, in the order above.
const std::vector<const Kind*>& kinds();

// A row that fits what was written, and the components with its names.
struct Match {
  const Kind* kind;
  std::vector<ast::Component> components;
};
std::vector<Match> match(const std::vector<ast::Component>&);

// Names that may stand at position `depth` behind the same beginning: for "did you mean".
std::vector<std::string> names_at(const std::vector<ast::Component>&, size_t depth);
// How many leading components some row matches.
size_t matching_prefix(const std::vector<ast::Component>&);

// `pattern` with * ? [ ] against the whole of `text`.
bool glob_match(const std::string& pattern, const std::string& text);
bool has_wildcard(const std::string&);

// False, and an error, when a text among the arguments cannot name anything.
bool are_well_formed(const std::vector<ast::Component>&, Diagnostics&);

// The text of a probe point from its components: kernel.function("vfs_read").call
std::string spell(const std::vector<ast::Component>&);

// Rows for kernel.* and module("m").* from their last parts.
std::vector<Kind> in_images(const std::vector<Kind>& rows);
// "the kernel" or "module 'ext4'".
std::string image_of(const types::Provider&);

// The name of the function that components ask for, when it has no wildcard; else empty.
std::string sought_function(const std::vector<ast::Component>&);

// The points of "function@file:line" and its kin; `span` is where errors point.
void resolve_statement_text(const Request&, const std::string& text, const Span& span,
                            std::vector<Found>&);
// The point of .statement(ADDRESS), in what messages call `image`; the request has a provider.
void resolve_statement_address(const Request&, const std::string& image, std::vector<Found>&);

// Addresses where the kernel lets nobody probe: init text that is gone after boot, text that runs
// while the machine's state is being put together, and what serves kprobes itself. The provider must
// outlive it.
class ForbiddenText {
 public:
  explicit ForbiddenText(const types::Provider&);
  // What lies at `address`; empty when it is free.
  std::string at(uint64_t address) const;

 private:
  struct Range {
    uint64_t begin, end;
    const char* what;
  };
  const types::Provider* provider_;
  std::vector<Range> ranges_;  // of the kernel
};

}  // namespace stp::probes
