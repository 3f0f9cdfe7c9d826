#!/bin/sh
# An array that does not fit the machine's memory: the module is refused, nothing is killed, the kernel's
# log says why in one line.
#
# script: global a[16777216]
# script: probe begin { a["x", "y", "z"] = 1 println("made") exit() }
stp-load "$MODULE" > out 2> err
status=$?
cat out err
[ $status = 1 ] && [ ! -s out ] && grep -q 'memory' err
