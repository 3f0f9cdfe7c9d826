#!/bin/sh
# A CPU is taken away and brought back again and again while probes of every kind hit and print on it: what it
# printed before is not lost, it is probed again when it is back, and the kernel says nothing.
# script: global n
# script: probe kernel.function("__x64_sys_getppid").call { if (execname() == "getppid") printf("e %d\n", ++n) }
# script: probe kernel.function("__x64_sys_getppid").return { if (execname() == "getppid") r <<< 1 }
# script: probe kernel.trace("sched_switch") { s <<< cpu() }
# script: probe timer.profile { p[cpu()] <<< 1 }
# script: global r, s, p
# script: probe end { printf("%d %d %d %d\n", @count(r), @count(s) > 0, @count(p[0]) > 0, @count(p[1]) > 0) }
# timeout: 120
cpu=/sys/devices/system/cpu/cpu1/online
run="i=0; while [ \$i -lt 6 ]; do echo 0 > $cpu; $PROGS/getppid 50 2; echo 1 > $cpu; $PROGS/getppid 50 2; i=\$((i + 1)); done"
stp-load -c "$run" "$MODULE" > out 2> err || { cat err; exit 1; }
[ "$(grep -c '^e ' out)" = 1200 ] || { echo "$(grep -c '^e ' out) lines"; exit 1; }
[ "$(tail -n 1 out)" = "1200 1 1 1" ] || { tail -n 1 out; exit 1; }
! grep . err
