// Which locks a handler takes.
//
// A handler sees no other handler's half-done update, so it locks every global that it touches and
// that anything changes while probes run. Left without a lock are globals that nothing changes, and
// scalar statistics that handlers only add to: each CPU has its own part. Once a running handler
// reads or clears such a statistic, it locks for writing, and those that add share the lock among
// themselves. Ascending order by global keeps two handlers from waiting for each other.
//
// A probe whose points have an arming condition reads what that reads.
//
// A number that running handlers do nothing with but add to it is a counter: each CPU has a part of its
// own, which the runtime adds up before end and error probes look. It needs no lock either.
//
// Only what begin probes write before any other probe is armed counts as constant as well:
// nothing runs beside them. End and error probes run after the others were disarmed.
#include "optimize/optimize.h"

#include <algorithm>
#include <optional>

#include "optimize/uses.h"
#include "optimize/weight.h"

namespace stp {
namespace {

using namespace prog;

// begin, end and error probes: nothing else runs while they do.
bool runs_alone(const Probe& probe) {
  return std::all_of(probe.points.begin(), probe.points.end(), [](const Point& p) {
    return p.kind == PointKind::begin || p.kind == PointKind::end || p.kind == PointKind::error ||
           p.kind == PointKind::never;
  });
}

// Beyond those that a function's entry keeps. At a return all are there: there, what is kept at the entry counts.
bool needs_all_registers(const Probe& probe, const Uses& uses, const std::vector<Uses>& functions) {
  return entry_uses(probe, functions).all_registers ||
         std::any_of(probe.points.begin(), probe.points.end(), [&](const Point& p) {
           return p.kind == PointKind::statement ||
                  (p.kind != PointKind::function_return && uses.all_registers);
         });
}

// The lock that a handler with these uses takes on a global; none when it needs none.
std::optional<LockUse> lock_for(const Global& global, size_t index, const Uses& uses,
                                const Uses& concurrent) {
  bool read = uses.read.count(index), written = uses.written.count(index);
  if (global.value == Type::stat && !global.array) {
    // Reading merges the parts of all CPUs in place.
    if (read || written) return LockUse{index, true};
    bool looked_at = concurrent.read.count(index) || concurrent.written.count(index);
    if (uses.accumulated.count(index) && looked_at) return LockUse{index, false};
    return std::nullopt;
  }
  if (written) return LockUse{index, true};
  if (read && concurrent.written.count(index)) return LockUse{index, false};
  return std::nullopt;
}

// Numbers that handlers add to, as long as none that runs beside them does anything else with it.
void find_counters(Program& program, const std::vector<Uses>& functions, std::vector<Uses>& probes) {
  std::set<size_t> added, otherwise;
  for (size_t i = 0; i < probes.size(); ++i) {
    const Uses& uses = probes[i];
    if (program.probes[i].alone) continue;
    added.insert(uses.added.begin(), uses.added.end());
    otherwise.insert(uses.read.begin(), uses.read.end());
    otherwise.insert(uses.written.begin(), uses.written.end());
  }
  for (const Uses& uses : functions) {
    otherwise.insert(uses.read.begin(), uses.read.end());
    otherwise.insert(uses.written.begin(), uses.written.end());
  }
  for (size_t i = 0; i < program.globals.size(); ++i)
    program.globals[i].counter = added.count(i) && !otherwise.count(i);
  for (Uses& uses : probes)
    for (size_t index : uses.added)
      if (!program.globals[index].counter) {
        uses.read.insert(index);
        uses.written.insert(index);
      }
}

// What is kept of each statistic.
void shape_statistics(Program& program, const std::vector<Uses>& probes) {
  for (Global& global : program.globals)
    if (global.value == Type::stat) global.shape.sum = global.shape.extremes = false;
  for (const Uses& uses : probes)
    for (const auto& [index, op] : uses.asked) {
      using Op = ast::AggregateOp;
      StatShape& shape = program.globals[index].shape;
      shape.sum |= op == Op::sum || op == Op::avg || op == Op::variance;
      shape.extremes |= op == Op::min || op == Op::max;
    }
  constexpr uint32_t most_buckets = 2000;  // per-CPU data comes in pieces of at most 32 KB
  for (Global& global : program.globals)
    global.shape.counted = global.value == Type::stat && !global.array && !global.shape.extremes &&
                           !global.shape.variance && global.shape.buckets() <= most_buckets;
}

// A handler that writes what an arming condition reads evaluates it when it ends, under its locks.
// `read`: what each condition reads.
void add_gates(const std::vector<std::set<size_t>>& read, Probe& probe, Uses& uses) {
  probe.gates.clear();
  if (probe.alone) return;
  for (size_t i = 0; i < read.size(); ++i) {
    if (std::none_of(read[i].begin(), read[i].end(), [&](size_t global) {
          return uses.written.count(global) || uses.accumulated.count(global) || uses.added.count(global);
        }))
      continue;
    probe.gates.push_back(i);
    uses.read.insert(read[i].begin(), read[i].end());
  }
}

}  // namespace

void optimize(Program& program) {
  std::vector<Uses> functions = function_uses(program);
  std::vector<std::set<size_t>> gate_reads;
  for (const Gate& gate : program.gates) gate_reads.push_back(value_uses(gate.condition).read);
  std::vector<Uses> probes;
  Uses concurrent;
  for (Probe& probe : program.probes) {
    probe.alone = runs_alone(probe);
    probes.push_back(probe_uses(probe, functions));
    add_gates(gate_reads, probe, probes.back());
  }
  find_counters(program, functions, probes);
  shape_statistics(program, probes);
  for (size_t i = 0; i < probes.size(); ++i) {
    if (program.probes[i].alone) continue;
    concurrent.read.insert(probes[i].read.begin(), probes[i].read.end());
    concurrent.written.insert(probes[i].written.begin(), probes[i].written.end());
  }
  for (size_t i = 0; i < probes.size(); ++i) {
    Probe& probe = program.probes[i];
    probe.locks.clear();
    probe.all_registers = needs_all_registers(probe, probes[i], functions);
    if (!probe.alone)
      for (size_t g = 0; g < program.globals.size(); ++g)
        if (auto lock = lock_for(program.globals[g], g, probes[i], concurrent))
          probe.locks.push_back(*lock);
    probe.weight = weight_of(probe, program);
    probe.bare = probe.weight != Weight::full && !probes[i].target;
  }
}

}  // namespace stp
