# What the kernel preempts a task with is no place for a breakpoint where it preempts at any time: the breakpoint's own end
# preempts, which leads there again until the stack is full. It is refused, and the rest goes on.
# On later kernels it has no code of its own.
# kernel: 6.1
# script: global n
# script: probe kernel.function("preempt_schedule_common").call, kernel.function("preempt_schedule_common").return { n++ }
# script: probe kernel.function("__x64_sys_getppid").return { if (execname() == "getppid") n++ }
# script: probe end { println(n) }
mode=/sys/kernel/debug/sched/preempt
before=$(sed 's/.*(\(.*\)).*/\1/' $mode)
echo full > $mode
# The optimizer of breakpoints, which makes jumps of them, comes a little later.
stp-load -c 'sleep 2; $PROGS/getppid 20000 4' "$MODULE" > out 2> err
status=$?
echo "$before" > $mode
cat out err
[ $status = 0 ] && [ "$(cat out)" = 80000 ] && [ "$(grep -c 'preempt_schedule_common.* was not armed' err)" = 2 ]
