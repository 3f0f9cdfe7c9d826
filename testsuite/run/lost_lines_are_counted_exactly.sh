#!/bin/sh
# The reader is stopped while a buffer fills many times over. What it prints in the end and what it
# says was lost are together every line that was written.
#
# script: probe kernel.function("__x64_sys_getppid") { if (execname() == "getppid") printf("%d %s a line of some length, to fill the buffer soon\n", tid(), pp()) }
# build: -s 1
# script: probe begin { println("on") }
# script: probe timer.s(100) { exit() }
stp-load "$MODULE" > out 2> err &
parent=$!
while ! grep -q on out; do sleep 0.1; done
sleep 0.3
reader=$(cat /proc/$parent/task/$parent/children)
kill -STOP $reader
"$PROGS/getppid" 100000 2
kill -CONT $reader
sleep 1
kill -INT $parent
wait $parent
lines=$(grep -c 'a line of some length' out)
lost=$(sed -n 's/.*warning: \([0-9]*\) records .*lost.*/\1/p' err)
cat err
[ "$lines" -gt 0 ] && [ "${lost:-0}" -gt 0 ] && [ $((lines + lost)) = 200000 ] || {
	echo "$lines lines and ${lost:-0} lost are not 200000"
	exit 1
}
