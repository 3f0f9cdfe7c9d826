// The kinds of probe points as a user meets them: one row each, with a probe that can be tried. A test
// checks every one of them, so that the list cannot promise what there is not.
#include "cli/kinds_of_probes.h"

#include <fmt/format.h>

#include "cli/options.h"

namespace stp::cli {
namespace {

struct Row {
  const char* form;
  const char* when;
  const char* example;
};

constexpr Row rows[] = {
    {"begin  end  error", "the session starts, ends, ends by an error",
     "probe begin { println(\"hello\") }"},
    {"kernel.function(\"NAME@FILE\")  .call .inline .exported", "a function is entered",
     "probe kernel.function(\"vfs_read\").call { printf(\"%s %d\\n\", execname(), $count) }"},
    {"kernel.function(\"NAME\").return  .maxactive(N)", "it returns; @entry(...) is a value of its entry",
     "probe kernel.function(\"vfs_read\").return { if ($return > 0) sizes <<< $return } global sizes"},
    {"kernel.function(\"NAME\").callee(\"F\")  .callees(N) .label(\"L\")",
     "it calls F, or anything, N levels deep; it passes a label; wants DWARF",
     "probe kernel.function(\"ksys_write\").callee(\"vfs_write\") { sizes <<< $count } global sizes"},
    {"kernel.statement(\"NAME@FILE:LINE\")  .nearest  .statement(ADDRESS).absolute",
     "an instruction of a line is reached; wants DWARF but for addresses",
     "probe kernel.statement(\"vfs_read@fs/read_write.c:*\") { println(pp()) }"},
    {"module(\"NAME\").function(...) .statement(...) .trace(...)",
     "the same in a module, as soon as it is loaded",
     "probe module(\"nf_conntrack\").function(\"nf_conntrack_in\") { println(execname()) }"},
    {"kprobe.function(\"NAME\")  .return", "the same by symbols alone, without types",
     "probe kprobe.function(\"vfs_read\") { println(execname()) }"},
    {"kernel.trace(\"NAME\")  (\"SUBSYSTEM:NAME\")", "a tracepoint is passed; $$parms, $$name",
     "probe kernel.trace(\"sched:sched_switch\") { printf(\"%d to %d\\n\", $prev->pid, $next->pid) }"},
    {"syscall.NAME  .return  syscall_any", "a system call, of 64 and of 32 bits",
     "probe syscall.openat { println(name, \"(\", argstr, \")\") }"},
    {"timer.s(N) .ms .us .ns .hz .jiffies  .randomize(N)", "every so often, on one CPU",
     "probe timer.s(5) { exit() }"},
    {"timer.profile  timer.profile.freq.hz(N)", "so many times a second, on every CPU",
     "probe timer.profile.freq.hz(99) { hits[execname()]++ } global hits"},
    {"perf.hw.NAME  perf.sw.NAME  perf.type(T).config(C)  .sample(N) .hz(N)",
     "a counter of perf has counted so much, on every CPU",
     "probe perf.sw.page_faults.sample(100) { faults[execname()]++ } global faults"},
    {"perf.….process(\"PROGRAM\")  .process", "the same in the tasks of a program, or of -c and -x",
     "probe perf.sw.page_faults.process(\"/usr/bin/make\").sample(1) { faults[pid()]++ } global faults"},
    {"perf.….counter(\"NAME\")", "no handler: @perf(\"NAME\") reads it in others",
     "probe perf.sw.task_clock.counter(\"ns\") {} probe timer.s(1) { println(@perf(\"ns\")) }"},
    {"kernel.data(\"VARIABLE\")  kernel.data(ADDRESS)  .length(N)  .write .rw",
     "memory is written, or read; four places at a time",
     "probe kernel.data(\"panic_timeout\").write { println(execname()) }"},
    {"netfilter.hook(\"HOOK\").pf(\"FAMILY\")  .priority(\"N\")", "a packet passes",
     "probe netfilter.hook(\"NF_INET_LOCAL_IN\").pf(\"NFPROTO_IPV4\") { bytes <<< $skb->len } global bytes"},
    {"procfs(\"PATH\").umask(N).read .write  .read.maxsize(N)", "a file below /proc is read, written",
     "probe procfs(\"seen\").read { $value = sprintf(\"%d\\n\", jiffies()) }"},
    {"input.char  input.line", "the script's own standard input",
     "probe input.line { print(line) }"},
};

}  // namespace

int print_kinds_of_probes() {
  for (const Row& row : rows) fmt::print("{}\n  {}\n      {}\n\n", row.form, row.when, row.example);
  fmt::print(
      "Names may have wildcards. Behind any point: `?` if it need not be there, `if (condition)` on globals\n"
      "to arm it only while that holds. `stp list 'kernel.function(\"vfs_*\")'` says what there is.\n");
  return status_good;
}

}  // namespace stp::cli
