#!/bin/sh
# perf counts beside us, each with events of its own: system calls and forks are the same; so are switches and
# faults, but for what a task does in the kernel before it begins to run a program, or ends.
#
# where: host
# timeout: 180
release=$("$(dirname "$STP")/vm/fetch-kernel" "$KERNEL")
programs=$(dirname "$STP")/build/testsuite/progs
# The guest has no libraries.
mkdir perf
cp -L "$(command -v perf)" perf/perf || exit 1
ldd perf/perf | grep -o '/[^ ]*' | xargs -I {} cp -L {} perf/
cat > counts.sh << END
stat() { $PWD/perf/ld-linux-x86-64.so.2 --library-path $PWD/perf $PWD/perf/perf stat -x , "\$@" 2>&1; }
mkdir -p /opt
cp $programs/getppid $programs/page_faults /opt/
stat -e page-faults,syscalls:sys_enter_getppid,sched:sched_process_fork /opt/getppid 2000 6
echo next
stat -e page-faults,minor-faults,syscalls:sys_enter_getppid /opt/page_faults 3000
echo next
stat --no-inherit -e context-switches,page-faults /opt/getppid 100 50
END
cat > counts.stp << 'END'
global calls, forks, faults, minor, switches, runs
probe syscall.getppid { calls[execname(), runs]++ }
probe kernel.trace("sched_process_exec") { if (execname() == "getppid") runs++ }
probe kernel.trace("sched_process_fork") { if (execname() == "getppid") { forks[runs]++; parent[runs] = pid() } } global parent
probe perf.sw.page_faults.process("/opt/getppid").sample(1) { faults[runs]++; of_task[pid()]++ } global of_task
probe perf.sw.page_faults.process("/opt/page_faults").sample(1) { faults[0]++ }
probe perf.sw.page_faults_min.process("/opt/page_faults").sample(1) { minor++ }
probe perf.sw.context_switches.process("/opt/getppid").sample(1) { switches[pid()]++ }
probe end {
  printf("ours %d %d %d %d %d %d %d %d\n", faults[1], calls["getppid", 1], forks[1], faults[0], minor,
         calls["page_faults", 1], switches[parent[2]], of_task[parent[2]])
}
END
"$STP" run --vm -r "$release" --share "$PWD" --share "$programs" -c "sh $PWD/counts.sh" counts.stp > out 2> err || { cat out err; exit 1; }
# perf's lines begin with the count; the order is that of `ours`.
sed -n 's/^\([0-9]*\),.*/\1/p' out | tr '\n' ' ' > theirs
awk '$1 == "ours" { for (i = 2; i <= NF; i++) printf "%d ", $i }' out > ours
# A child that begins writes its number for its parent, before it runs the program: a fault of each of the six. perf
# begins earlier in execve(), too, where a few pages may be touched.
paste -d ' ' ours theirs | awk -v n=8 '
	function check(i, least, slack) { bad = bad || $(n + i) < least || $i > $(n + i) || $(n + i) - $i > slack }
	{ check(1, 30, 10); check(2, 12000, 0); check(3, 6, 0); check(4, 3000, 4); check(5, 3000, 4); check(6, 2, 0)
	  check(7, 1, 1); check(8, 20, 4) }
	END { exit bad || NR != 1 }' || { cat out err ours theirs; exit 1; }
