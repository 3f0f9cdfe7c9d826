#!/bin/sh
# Keys that reset globals are pressed all the time while a begin probe fills and empties arrays, and an end probe
# does: neither sees anything of it, and what the begin probe left is reset when it is done.
#
# script: global a, b, n = 7, wrong
# script: function fill() {
# script:   for (i = 0; i < 20000; i++) { a[i, sprintf("%d", i)] = i; b[i] <<< i; n++ }
# script:   foreach ([x, y] in a) { found++; if (a[x, y] != x) wrong++ }
# script:   foreach (x in b-) found++
# script:   return found
# script: }
# script: probe begin { for (r = 0; r < 15; r++) { found += fill(); delete a; delete b } printf("begin %d %d %d\n", found, wrong, n) }
# script: probe timer.s(1000) {}
# script: probe end { reset = n; n = 7; for (r = 0; r < 15; r++) { more += fill(); delete a; delete b } printf("end %d %d %d %d\n", reset, more, wrong, n) }
# build: -D MAXACTION_INTERRUPTIBLE=4000000000
# timeout: 120
mkfifo keys
exec 3<> keys
"$PROGS/on_a_terminal" stp-load --monitor 0.2 -o out "$MODULE" > screen <&3 &
terminal=$!
until grep -q begin out; do
	printf ccccc >&3
	usleep 3000
	kill -0 $terminal || exit 1
done
printf q >&3
while kill -0 $terminal 2> /dev/null; do
	printf ccccc >&3
	usleep 3000
done
wait $terminal || { echo "status $?"; tail -c 2000 screen; exit 1; }
grep -q 'globals were reset' screen || { echo "nothing was reset"; exit 1; }
cat out
printf 'begin 600000 0 300007\nend 7 600000 0 300007\n' | cmp - out
