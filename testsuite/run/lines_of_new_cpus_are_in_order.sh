#!/bin/sh
# A CPU that had no buffer yet comes online while others print: its lines stand where their time puts them.
#
# script: global n
# script: probe kernel.function("__x64_sys_getppid") { if (execname() == "getppid") printf("%d on %d\n", n++, cpu()) }
# timeout: 120
cpu=/sys/devices/system/cpu/cpu1/online
for run in 1 2 3; do
	echo 0 > $cpu
	rm -f came
	stp-load -c "(echo 1 > $cpu; touch came) & while [ ! -e came ]; do $PROGS/getppid 100; done; $PROGS/getppid 10000 2" "$MODULE" > out
	awk '$1 != NR - 1 { print NR ": " $0; wrong = 1; exit } { on[$3]++ } END { exit wrong || !on[0] || !on[1] }' out || exit 1
done
