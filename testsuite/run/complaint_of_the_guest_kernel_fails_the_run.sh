#!/bin/sh
# run-in-vm passes a command's status on, but never when the guest's kernel complained.
#
# where: host
# timeout: 120
vm=$(dirname "$STP")/vm/run-in-vm
"$vm" --kernel "$KERNEL" -- sh -c 'echo out; echo err >&2; exit 7' > out 2> err
status=$?
cat out err
[ $status = 7 ] && [ "$(cat out)" = out ] && [ "$(cat err)" = err ] || { echo "status $status"; exit 1; }
"$vm" --kernel "$KERNEL" -- sh -c 'echo "BUG: a test" > /dev/kmsg' 2> err
status=$?
[ $status = 99 ] && grep -q 'BUG: a test' err
