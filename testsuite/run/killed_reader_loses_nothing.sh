#!/bin/sh
# The reader is killed with SIGKILL in the middle of a run. Its parent takes over: what was relayed
# is printed without a gap, the probes stop, the module goes.
#
# script: global n
# script: probe timer.ms(1) { for (i = 0; i < 20; i++) println(n++) }
stp-load "$MODULE" > out 2> err &
parent=$!
while [ ! -s out ]; do sleep 0.1; done
reader=$(cat /proc/$parent/task/$parent/children)
kill -KILL "$reader"
wait $parent
status=$?
cat err
[ $status = 1 ] || { echo "status $status"; exit 1; }
grep -q 'killed by signal 9' err || { echo "the cause is not told"; exit 1; }
# A reader writes before it gives room back, so the last lines may come twice, never be missing.
lines=$(sort -n out | uniq | wc -l)
last=$(tail -n 1 out)
[ "$lines" -gt 20 ] && [ "$lines" = $((last + 1)) ] || {
	echo "$lines different lines, the last is $last"
	exit 1
}
