#!/bin/sh
# Two attach to a session that has ended, at once: one has all that it recorded, the other is told that somebody else
# was faster, however far that is; or finds an end with nothing left.
#
# script: probe begin { for (i = 0; i < 2000; i++) printf("line %d of a session that is short\n", i); exit() }
# timeout: 120
fail() { echo "$*"; tail -n 2 out1 out2 err*; wc -l out1 out2; exit 1; }
for round in 1 2 3 4 5 6 7 8 9 10; do
	name=$(stp-load --detach "$MODULE" 2> err) || fail "not detached"
	stp-load attach "$name" > out1 2> err1 &
	first=$!
	stp-load attach "$name" > out2 2> err2 &
	second=$!
	wait "$first"
	one=$?
	wait "$second"
	two=$?
	[ $((one + two)) -le 1 ] || fail "round $round: status $one and $two"
	[ "$(cat out1 out2 | wc -l)" = 2000 ] || fail "round $round: not all was printed once"
	told=$(cat err1 err2)
	case $told in
	'' | *"$name has a reader already" | *"$name is gone: "* | *"$name is not detached: "* | *"no session $name;"*) ;;
	*) fail "round $round: not told" ;;
	esac
	[ $((one + two)) = 0 ] || [ -n "$told" ] || fail "round $round: nothing said"
done
