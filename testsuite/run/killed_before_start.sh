#!/bin/sh
# stp-load is killed at many different moments of its start, each time with both its processes. The
# module never stays, and can be loaded again.
#
# script: probe begin { println("on") }
# script: probe kernel.function("vfs_read") { }
# timeout: 180
before=$(wc -l < /proc/modules)
for hundredths in 1 3 5 8 12 16 20 30; do
	setsid stp-load "$MODULE" > out 2>&1 &
	sleep "$(awk "BEGIN { print $hundredths / 100 }")"
	kill -KILL "-$!"
	wait $!
	for tenth in $(seq 200); do
		[ "$(wc -l < /proc/modules)" = "$before" ] && break
		sleep 0.1
	done
	[ "$(wc -l < /proc/modules)" = "$before" ] || { echo "stays after $hundredths"; exit 1; }
done
exit 0
