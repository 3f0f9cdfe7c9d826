#!/bin/sh
# Both processes of stp-load are killed; nobody is left to unload the module but itself.
#
# script: global n
# script: probe timer.ms(1) { n++ }
# script: probe kernel.function("vfs_read") { n++ }
# script: probe begin { println("on") }
name=$(basename "$MODULE" .ko)
before=$(wc -l < /proc/modules)
stp-load "$MODULE" > out 2>&1 &
parent=$!
while ! grep -q on out; do sleep 0.1; done
[ "$(wc -l < /proc/modules)" = $((before + 1)) ] || { echo "$name is not loaded"; exit 1; }
reader=$(cat /proc/$parent/task/$parent/children)
kill -KILL $parent "$reader"
for tenth in $(seq 100); do
	[ "$(wc -l < /proc/modules)" = "$before" ] && exit 0
	sleep 0.1
done
cat /proc/modules
exit 1
