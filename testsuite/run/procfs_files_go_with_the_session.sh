#!/bin/sh
# Readers that have files open, that read them all the time and that hold on to them, while the session ends: they
# see the end of the file or an error, the files are gone, and the next session has them again.
#
# script: global n
# script: probe procfs("f").read { n++ $value = sprintf("%d readers\n", n) }
# script: probe procfs("d/f").write { n = strlen($value) }
for round in 1 2 3; do
	stp-load "$MODULE" > out 2> err &
	load=$!
	for wait in 1 2 3 4 5 6 7 8 9 10; do
		[ -e /proc/systemtap/*/f ] && break
		sleep 0.2
	done
	file=$(echo /proc/systemtap/*/f)
	exec 5< "$file" 6> "${file%f}d/f"
	for reader in 1 2 3 4; do
		while cat "$file" > /dev/null 2>&1; do :; done &
		readers="$readers $!"
	done
	head -n 1 <&5 | grep -q readers || { echo "not read"; exit 1; }
	sleep 0.5
	kill -INT $load
	wait $load || { echo "stp-load failed"; cat err; exit 1; }
	wait $readers
	readers=
	cat <&5 2> /dev/null | grep -q readers && { echo "read behind the end"; exit 1; }
	echo x >&6 2> /dev/null && { echo "written behind the end"; exit 1; }
	exec 5<&- 6>&-
	[ -e "$file" ] && { echo "$file stays"; exit 1; }
done
[ ! -s err ] || { cat err; exit 1; }
