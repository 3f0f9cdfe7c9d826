#!/bin/sh
# Instructions in the middle of functions whose breakpoint a kernel would not survive are refused, and what is
# beside them is not: one that leaves a CPU without its variables, and those with which it
# waits for an interrupt, for which a breakpoint's copy would wait with interrupts off. A CPU that idles, goes and comes is
# there to die of them.
#
# kernel: 6.1
# build: -g
# script: global hits
# script: probe kernel.statement(0xffff0a0b0c0d0e01).absolute { hits++ }
# script: probe kernel.statement(0xffff0a0b0c0d0e02).absolute { hits++ }
# script: probe kernel.statement(0xffff0a0b0c0d0e03).absolute { hits++ }
# script: probe kernel.statement(0xffff0a0b0c0d0e04).absolute { hits++ }
# script: probe kernel.statement(0xffff0a0b0c0d0e05).absolute { idle++ }
# script: global idle
# script: probe end { printf("%d %d\n", hits, idle > 0) }
cp "$MODULE" deadly.ko
"$PROGS/put_addresses" deadly.ko load_percpu_segment+2 native_safe_halt+9 native_safe_halt+10 hlt_play_dead+25 native_safe_halt+11 || exit 1
cpu=/sys/devices/system/cpu/cpu1/online
stp-load deadly.ko -c "sleep 0.2; echo 0 > $cpu; echo 1 > $cpu; sleep 0.2" > out 2> err
cat out err
[ "$(cat out)" = "0 1" ] && [ "$(grep -c 'armed: error -35' err)" = 4 ]
