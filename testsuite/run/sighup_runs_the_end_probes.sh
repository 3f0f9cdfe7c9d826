#!/bin/sh
# SIGHUP ends a run as exit() does: end probes run, everything is printed, the status is 0.
#
# script: probe begin { println("on") }
# script: probe timer.s(100) { exit() }
# script: probe end { println("ended") }
stp-load "$MODULE" > out 2> err &
while ! grep -q on out; do sleep 0.1; done
kill -HUP $!
wait $!
status=$?
cat out err
[ $status = 0 ] && [ "$(cat out)" = "$(printf 'on\nended')" ] && [ ! -s err ]
