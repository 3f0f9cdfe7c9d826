#!/bin/sh
# `stp run --vm` from an empty folder: output, errors and status are the guest's.
#
# where: host
# timeout: 120
release=$("$(dirname "$STP")/vm/fetch-kernel" "$KERNEL")
"$STP" run --vm -r "$release" -T 5 -e 'probe begin { println("in the guest"); error("enough") }' > out 2> err
status=$?
cat out err
[ $status = 1 ] && [ "$(cat out)" = "in the guest" ] && grep -q 'enough' err
