# The tracer of the kernel counts beside us, with a buffer of its own: entries of functions, returns, tracepoints, a
# kprobe that it has of its own, system calls. Of none do we have more or fewer, though both share the sites.
# script: global entries, returns, forks, switches, calls
# script: probe kernel.function("vfs_write").call { if (execname() == "write_sizes") entries++ }
# script: probe kernel.function("vfs_write").return { if (execname() == "write_sizes") returns++ }
# script: probe kernel.trace("sched_process_fork") { if (execname() == "getppid") forks++ }
# script: probe kernel.trace("sched_switch") { if (execname() == "getppid") switches++ }
# script: probe syscall.getppid { if (execname() == "getppid") calls++ }
# script: probe end { printf("%d %d %d %d %d\n", entries, returns, forks, switches, calls) }
cd /sys/kernel/tracing
traced() { grep -c "$1" trace; }
off() {
	echo 0 > tracing_on
	echo 0 > events/enable
	echo nop > current_tracer
	echo > set_ftrace_filter
	echo > kprobe_events
}
echo 8192 > buffer_size_kb
echo 'r:returned vfs_write' > kprobe_events
echo vfs_write > set_ftrace_filter
echo function > current_tracer
for event in sched/sched_process_fork sched/sched_switch raw_syscalls/sys_enter kprobes/returned; do
	echo 1 > events/$event/enable
done
echo 1 > tracing_on
stp-load -c 'echo > /sys/kernel/tracing/trace; $PROGS/write_sizes 500; $PROGS/getppid 700 5; sleep 0.2; echo 0 > /sys/kernel/tracing/tracing_on' "$MODULE" > /tmp/ours 2> /tmp/err
status=$?
printf '%d %d %d %d %d\n' "$(traced 'write_sizes-.*: vfs_write <-')" "$(traced 'write_sizes-.*: returned: ')" \
	"$(traced 'getppid-.*: sched_process_fork: ')" "$(traced 'getppid-.*: sched_switch: ')" \
	"$(traced 'getppid-.*: sys_enter: NR 110 ')" > /tmp/theirs
off
echo > trace
echo 1 > tracing_on
cat /tmp/err
[ $status = 0 ] && [ ! -s /tmp/err ] && cmp /tmp/ours /tmp/theirs && grep -q '^5[0-9][0-9] 5[0-9][0-9] 5 [1-9][0-9]* 3500$' /tmp/ours || {
	cat /tmp/ours /tmp/theirs
	exit 1
}
