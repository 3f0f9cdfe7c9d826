#!/bin/sh
# With -t each point tells its hits and what its handler took, and where it comes from.
#
# script: global n, never
# script: probe asked = kernel.function("__x64_sys_getppid") { }
# script: probe asked { n++ }
# script: probe timer.s(1000) { never++ }
# script: probe end { println(n + never) }
# build: -t
fail() { echo "$*"; cat err; exit 1; }
stp-load -c "exec $PROGS/getppid 1000" "$MODULE" > out 2> err || fail "status $?"
n=$(cat out)
[ "$n" -ge 1000 ] || fail "$n hits"
grep -q "asked: $n hits = $n handled + 0 missed" err || fail "no account"
row=$(grep '<- asked (' err) || fail "no row"
set -- $row
[ "$2" = "$n" ] || fail "the row has $2 hits, not $n"
[ "$3" -gt 0 ] && [ "$3" -le "$4" ] && [ "$4" -le "$5" ] || fail "not in order: $3 $4 $5"
case $row in
*'kernel.function("__x64_sys_getppid'*'<- asked ('*'timing_counts_every_hit.stp:3:'*) ;;
*) fail "the derivation is missing" ;;
esac
grep -q 'stp: 1 points were not hit' err || fail "the timer is missing"
