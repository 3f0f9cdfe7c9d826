// A place to attach to, once everything about it is known.
//
// It stands apart from sema/program.h, which lists points in its probes, because the
// kinds of probe make points and know nothing of programs.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stp::prog {

enum class PointKind {
  begin,
  end,
  error,
  never,
  timer,          // number: ns; number2: randomize, ns
  timer_jiffies,  // number: jiffies; number2: randomize
  profile,        // number: Hz or 0
  entry,
  function_return,  // number: maxactive or 0
  statement,
  tracepoint,
  perf,   // offset: type; number: config; number2: period, or -Hz
  perf_tasks,  // the same; symbol: the program, or empty for what the session is started with
  watch,  // number: address, without symbol; number2: width, negative for reads as well
  netfilter,  // offset: family; number: hook; number2: priority
  procfs,     // symbol: path; offset: mode; number: 1 for writes; number2: most bytes of a read, or 0
  standard_input,  // number: 1 for lines, 0 for characters
};

// Point::section of an address of the running kernel, which nothing moves: script.h has the same.
constexpr uint32_t absolute_section = 0xffff;

// By number: the names of all calls, of 64 and of 32 bits.
using CallNames = std::array<std::vector<std::string>, 2>;

// The system call that a point is of.
struct PointCall {
  bool ia32 = false;  // only 32-bit callers, or only others, count, and only those
  uint32_t number = 0;  // who came by this number
  std::string name;
  std::string arguments;  // how argstr shows them, and `result` retstr: the letters of struct stp_call
  char result = 'l';
  std::shared_ptr<const CallNames> names;  // of a point of all calls, which has nothing of the above
};

struct Point {
  PointKind kind;
  uint64_t address = 0;  // link-time; 0: by symbol
  uint32_t section = 0;  // of a module: 1 + index into Program::sections, or absolute_section
  uint32_t gate = 0;     // 1 + index into Program::gates; 0: armed all the time
  std::string symbol;    // or the tracepoint's name, or a path
  uint32_t offset = 0;   // from the symbol
  std::string name;      // pp()
  std::string function;  // ppfunc()
  int64_t number = 0, number2 = 0;
  int64_t priority = 0;
  // Shown by `stp list -v` and -v; not needed to run.
  std::string file;
  uint32_t line = 0;
  // Of a callee: where its callers, innermost first, go on; a hit that comes from elsewhere is none.
  std::vector<std::vector<uint64_t>> callers;
  std::optional<PointCall> call = {};
  bool is_wild = false;  // a function that a wildcard matched
  std::string counter = {};  // of perf: it is read by this name, with @perf(), and runs no handler
  std::string program;  // the program or library that the address is in; empty: the kernel
};

}  // namespace stp::prog
