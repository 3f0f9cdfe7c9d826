#!/bin/sh
# The program that reads our output ends first.
#
# script: global n
# script: probe timer.ms(10) { println(n++) }
{ stp-load "$MODULE" 2> err; echo $? > status; } | head -n 3 > out
cat out err
[ "$(cat out)" = "$(printf '0\n1\n2')" ] || exit 1
[ "$(cat status)" = 1 ] || { echo "status $(cat status)"; exit 1; }
grep -q 'Broken pipe' err
