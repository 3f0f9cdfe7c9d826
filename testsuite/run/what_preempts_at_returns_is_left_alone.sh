# Each return that is followed ends with what preempts, where the kernel preempts at any time: with interrupts off that goes
# back at once, and its own return would lead there again until the stack is full. Its return is refused, and the rest goes on.
# script: global n, soft
# script: probe kernel.function("preempt_schedule_notrace").return { n++ }
# script: probe kernel.function("irq_exit_rcu").return, kernel.function("__do_softirq").return ?, kernel.function("handle_softirqs").return ? { soft++ }
# script: probe kernel.function("__x64_sys_getppid").return { if (execname() == "getppid") n++ }
# script: probe end { println(n, " ", soft > 0) }
mode=/sys/kernel/debug/sched/preempt
before=$(sed 's/.*(\(.*\)).*/\1/' $mode)
echo full > $mode
stp-load -c '$PROGS/getppid 50000 4' "$MODULE" > out 2> err
status=$?
echo "$before" > $mode
cat out err
[ $status = 0 ] && [ "$(cat out)" = "200000 1" ] && grep -q 'preempt_schedule_notrace.* was not armed' err
