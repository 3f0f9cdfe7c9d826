#!/bin/sh
# A key resets statistics that handlers add to without a lock, in the middle of that. Each CPU clears its own part: what
# another one wrote there while a handler adds would be lost, and the old numbers were back. Seldom enough, and never
# where CPUs of the guest take turns, so the trace tells that they are asked to. Offline ones are cleared as well.
#
# script: global s
# script: probe kernel.function("__x64_sys_getppid") { s <<< 1 }
# script: probe end { printf("%d %d\n", @count(s), @sum(s)) }
# timeout: 120
mkfifo keys
exec 3<> keys
cpu=/sys/devices/system/cpu/cpu1/online
tracing=/sys/kernel/tracing
"$PROGS/on_a_terminal" stp-load --monitor 0.2 -o out "$MODULE" > screen <&3 &
terminal=$!
until grep -q running /sys/kernel/debug/stp/*/state 2> /dev/null; do usleep 10000; done
echo on_each_cpu_cond_mask > $tracing/set_ftrace_filter
echo function > $tracing/current_tracer
"$PROGS/getppid" 200000 2 &
calls=$!
for key in 1 2 3 4; do
	usleep 15000
	printf c >&3
done
wait $calls
asked=$(grep -c 'kworker.*on_each_cpu_cond_mask' $tracing/trace)
[ "$asked" -ge 4 ] || { echo "asked $asked times"; cat $tracing/trace; exit 1; }
echo nop > $tracing/current_tracer
echo > $tracing/set_ftrace_filter
"$PROGS/getppid" 1000 4
values() { sed -n 's/^s = <\([0-9]*\) values>$/\1/p' /sys/kernel/debug/stp/*/globals; }
before=$(values)
[ "$before" -ge 4000 ] && [ "$before" -lt 404000 ] || { echo "before: $before"; exit 1; }
echo 0 > $cpu
printf c >&3
until [ "$(values)" -lt 4000 ]; do usleep 10000; kill -0 $terminal || exit 1; done
echo 1 > $cpu
"$PROGS/getppid" 10
printf q >&3
wait $terminal || { echo "status $?"; tail -c 2000 screen; exit 1; }
echo '10 10' | cmp - out || { cat out; exit 1; }
