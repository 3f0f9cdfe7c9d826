#!/bin/sh
# Buffers that nobody empties wrap many times, on two CPUs. What is printed later are the newest lines
# of each, without a gap, and they and the count of the overwritten are all that was written.
#
# script: global n
# script: probe kernel.function("__x64_sys_getppid") { if (execname() == "getppid") printf("%d %d %s a line of some length, to fill the buffer soon\n", cpu(), tid(), pp()) }
# build: -s 1
fail() { echo "$*"; cat err*; exit 1; }
name=$(stp-load --detach "$MODULE" 2> err) || fail "not detached"
"$PROGS/getppid" 60000 2
stp-load sessions
stp-load attach "$name" > out1 2> err1 &
reader=$!
sleep 1
kill -QUIT $reader
wait $reader
"$PROGS/getppid" 60000 2
stp-load attach -T 1 > out2 2> err2 || fail "status $?"
overwritten() { sed -n 's/.*warning: \([0-9]*\) records .* overwritten.*/\1/p' "$1"; }
for part in 1 2; do
	lines=$(grep -c 'a line of some length' out$part)
	gone=$(overwritten err$part)
	[ "$lines" -gt 1000 ] && [ "${gone:-0}" -gt 1000 ] && [ $((lines + gone)) = 120000 ] ||
		fail "part $part: $lines lines and ${gone:-0} overwritten are not 120000"
	grep -q 'lost' err$part && fail "lost as well"
done
exit 0
