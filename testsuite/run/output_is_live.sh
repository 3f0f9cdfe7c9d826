#!/bin/sh
# A line is there soon after it was printed, not when the run ends or a buffer is full.
#
# script: probe begin { println("first") }
# script: probe timer.s(30) { exit() }
stp-load "$MODULE" > out &
for tenth in $(seq 50); do
	grep -q first out && { kill $!; wait $!; exit 0; }
	sleep 0.1
done
kill $!
wait $!
exit 1
