#!/bin/sh
# --monitor without a terminal: tables, one after the other, with what the script prints between them.
#
# script: global n, seen, s
# script: probe kernel.function("__x64_sys_getppid") { n++; seen[tid()] = n; s <<< n }
# script: probe timer.s(1) { printf("n is %d\n", n) }
# script: probe timer.s(3) { exit() }
# build: -t
fail() { echo "$*"; cat out err; exit 1; }
stp-load --monitor 0.5 "$MODULE" > out 2> err &
loader=$!
until grep -q 'globals: ' out; do sleep 0.1; done
"$PROGS/getppid" 300
wait $loader || fail "status $?"
n=$(sed -n 's/^n is //p' out | tail -n 1)
[ "$n" -ge 300 ] || fail "the script saw $n"
[ "$(grep -c '^globals: n = ' out)" -ge 3 ] || fail "too few tables"
grep -q "^globals: n = $n, seen = \[[0-9]* elements\], s = <$n values>" out || fail "globals"
grep -Eq "^ +0 +on +$n +0 +[0-9]+ +[0-9]+ +[0-9]+  kernel.function" out || fail "hits"
grep -Eq '^memory: module [1-9][0-9]* kB, buffers [1-9]' out || fail "memory"
