// What debug information can be asked, whoever answers: DWARF, BTF or symbols alone.
//
// All addresses are link-time addresses of the image (vmlinux before KASLR). Lists
// come sorted by name, then address. A question that a source cannot answer at all
// (a local variable, from BTF) is refused with Lack::dwarf, so that the error can
// say what would help.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "types/location.h"
#include "types/type.h"

namespace stp::types {

// Why there is no answer.
struct Lack {
  enum class Kind {
    not_found,  // no such thing; `near` may hold names that are alike
    dwarf,      // this source cannot know; DWARF could
    debuginfo,  // this source cannot know; any debug information, of BTF too, could
    no_value,   // it exists, but has no value here (optimised out)
    unusable,   // it exists, in a form that cannot be read (a float in a register)
  } kind;
  std::string detail;  // a phrase for the error text; may be empty
  // Candidates for "did you mean". Sought when they are asked for: many an answer is only tried.
  std::function<std::vector<std::string>()> near = nullptr;

  std::vector<std::string> alike() const { return near ? near() : std::vector<std::string>{}; }
};

// What `near` of a lack is when all names are known already.
std::function<std::vector<std::string>()> near_among(std::string_view name, std::vector<std::string> names);

template <typename T>
using Answer = std::variant<T, Lack>;
template <typename T>
const T* get(const Answer<T>& a) { return std::get_if<T>(&a); }
template <typename T>
const Lack& lack(const Answer<T>& a) { return std::get<Lack>(a); }

// One place where a function's code is: its own body, or one inlined copy.
struct Function {
  std::string name;       // as in the source
  std::string symbol;     // linkage name; empty for an inlined copy
  std::string file;       // as debug information names it, "fs/read_write.c"; may be empty
  uint32_t line = 0;      // of the declaration; 0 when unknown
  uint64_t address = 0;   // of the entry; 0: known by name only, resolved at load
  uint64_t size = 0;      // 0 when unknown
  bool inlined = false;
  bool is_global = false;
  uint64_t handle = 0;    // the provider's own
};

struct FunctionQuery {
  std::string name;  // glob of * ? [ ]
  std::string file;  // glob; matches the whole path or a tail of it behind '/'; empty: any
  bool inlined_too = false;
};

// A place inside a function: a line of it.
struct Statement {
  Function function;  // the function (or inlined copy) that holds it
  uint64_t address = 0;
  std::string file;
  uint32_t line = 0;
  std::string label = {};  // of labels()
};

// A function that another one calls by its name, or that has a copy in it.
struct Call {
  Function callee;
  // What lies on the stack while the callee runs. Empty for copies, and when the caller's frame is
  // gone by then (a jump instead of a call and a return).
  std::vector<uint64_t> returns;
};

// One of the functions that an instruction belongs to: copies of inlined functions, and around
// them the function itself.
struct SourceFrame {
  std::string function;
  std::string file;   // where it is at that moment; empty when unknown
  uint32_t line = 0;  // 0 when unknown
  bool inlined = false;
};

struct SymbolAt {
  std::string name;
  uint64_t offset, size;  // size: up to the next symbol; 0 when unknown
};

struct Variable {
  std::string name;
  const Type* type;  // null: void
  Location location;
  bool parameter = false;
};

struct Param {
  std::string name;  // may be empty
  const Type* type;
};

struct Tracepoint {
  std::string name;    // "sched_switch"
  std::string system;  // "sched"; empty when unknown
  std::vector<Param> params;
};

// Where a probe stands, for questions about variables.
struct Place {
  Function function;
  uint64_t address = 0;  // pc
  bool at_entry = true;  // the first instruction: arguments are where the ABI puts them
};

class Provider {
 public:
  virtual ~Provider() = default;

  // "dwarf", "btf", "symbols"
  virtual std::string_view source() const = 0;

  // All functions that match; empty when none does.
  virtual std::vector<Function> functions(const FunctionQuery&) const = 0;
  // Names to choose from for "did you mean"; may be large.
  virtual std::vector<std::string> function_names() const = 0;
  // FUNC@FILE:LINE, FUNC@FILE+OFFSET (relative) and FUNC@FILE:* (line 0): places of
  // lines, the nearest following line with code when `nearest`.
  virtual Answer<std::vector<Statement>> statements(const FunctionQuery&, uint32_t line,
                                                    bool relative, bool nearest) const = 0;
  // Labels of a function, for goto, that have code; and the functions that it is known to call,
  // copies inside of it included, but not what those call. Empty for sources that do not know.
  virtual std::vector<Statement> labels(const Function&) const { return {}; }
  virtual std::vector<Call> calls(const Function&) const { return {}; }
  // What an address is: its functions, innermost first, and its symbol.
  virtual std::vector<SourceFrame> source_frames(uint64_t) const { return {}; }
  virtual std::optional<SymbolAt> symbol_at(uint64_t) const { return std::nullopt; }
  // The file with the table of all that; empty when nothing tells.
  virtual std::filesystem::path places(PlaceKind) const { return {}; }
  // The function that holds an address.
  virtual std::optional<Function> function_at(uint64_t address) const = 0;

  // Whether a row of the line table begins at an address; true of a source without lines.
  virtual bool begins_line(uint64_t) const { return true; }

  // Where code behind the prologue starts; the entry itself when that is unknown.
  virtual uint64_t after_prologue(const Function&) const = 0;

  // Parameters, then locals in scope at `place`; those without a value included,
  // with location.value null.
  virtual Answer<std::vector<Variable>> variables(const Place&) const = 0;
  virtual Answer<Variable> variable(const Place&, std::string_view name) const = 0;
  // `$return`: its type and where it is when the function returns. Lack when void.
  virtual Answer<Variable> return_value(const Function&) const = 0;
  // @var: a global or file-static variable; `file` is a glob or empty.
  virtual Answer<Variable> global(std::string_view name, std::string_view file) const = 0;

  virtual std::vector<Tracepoint> tracepoints(std::string_view glob) const = 0;

  // "struct file", "task_struct", "unsigned int", with any number of " *" behind.
  virtual Answer<const Type*> type(std::string_view spelling) const = 0;
  virtual std::vector<Member> members(const Type&) const = 0;
  virtual std::vector<Enumerator> enumerators(const Type&) const = 0;
  // The value of an enumerator of any enumeration: @enum-like names, "TASK_RUNNING".
  virtual std::optional<int64_t> enumerator(std::string_view name) const = 0;

  // Symbol table: link address of a symbol, and its reverse. What has no symbols
  // answers nothing.
  virtual std::optional<uint64_t> symbol(std::string_view name) const = 0;
  // Names of data to choose from for "did you mean"; may be large.
  virtual std::vector<std::string> data_names() const { return {}; }

  // Entries of the functions that the kernel says to have no breakpoint in (NOKPROBE_SYMBOL),
  // ascending; empty when nothing tells.
  virtual std::span<const uint64_t> kprobe_blacklist() const { return {}; }

  // The module that this is the debug information of; empty: vmlinux.
  virtual std::string_view module() const { return {}; }
  // What an address of the module moves with; nothing for vmlinux, which moves as a whole.
  virtual std::optional<Section> section_at(uint64_t) const { return std::nullopt; }
  // Those of a module that hold code.
  virtual std::vector<Section> code_sections() const { return {}; }
};

// A member of `type` by name, anonymous structures searched too; the offset is from
// the start of `type`. Lack::not_found lists the nearest names.
Answer<Member> find_member(const Provider&, const Type& type, std::string_view name);

}  // namespace stp::types
