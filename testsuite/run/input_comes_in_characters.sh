#!/bin/sh
# The standard input by characters, as soon as they are there: a pipe that stays open, and 100000 at once, all of
# which arrive. procfs("__stdin").write is the same. A command has no input then.
#
# script: global n, m
# script: probe input.char { n++ if (char == "q") { printf("%d %d\n", n, m) exit() } }
# script: probe procfs("__stdin").write { m++ }
mkfifo fifo
stp-load "$MODULE" < fifo > out 2> err &
load=$!
exec 5> fifo
printf 'abc' >&5
sleep 0.5
printf 'q' >&5
wait $load || { cat err; exit 1; }
exec 5>&-
case $(cat out) in "4 3" | "4 4") ;; *) cat out; exit 1 ;; esac
{ head -c 100000 /dev/zero | tr '\0' x; echo q; } | stp-load "$MODULE" > out 2> err || { cat err; exit 1; }
case $(cat out) in "100001 100000" | "100001 100001") ;; *) cat out; exit 1 ;; esac
printf 'xyz' | stp-load -c 'cat; echo nothing' "$MODULE" > out 2> err
[ "$(cat out)" = nothing ] || { cat out err; exit 1; }
[ ! -s err ] || { cat err; exit 1; }
