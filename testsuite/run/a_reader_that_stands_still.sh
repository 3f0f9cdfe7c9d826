#!/bin/sh
# Who reads the output takes nothing more, and what may wait in memory waits: the session can be ended all the same,
# by a signal and by -T; the loader waits for the reader then, and a second signal gives up what waits.
#
# script: probe kernel.function("__x64_sys_getppid") { printf("%s\n", "eighty or so bytes, of which nobody will ever read more than those that a pipe has room for") }
# timeout: 120
mkfifo pipe
sleep 1000 < pipe &
sleeper=$!
$PROGS/getppid 100000000 2 > /dev/null &
calls=$!
state() { sed -n 's/^state //p' /sys/kernel/debug/stp/*/state 2> /dev/null; }
fail() {
	echo "$*; the session is '$(state)'"
	kill $sleeper $(pidof getppid)
	cat err
	exit 1
}
# Until the session's state is $1, half a minute at most.
becomes() {
	n=0
	until [ "$(state)" = "$1" ]; do
		n=$((n + 1))
		[ $n -lt 300 ] || fail "not $1"
		sleep 0.1
	done
}
start() {
	stp-load "$@" "$MODULE" > pipe 2> err &
	loader=$!
	becomes running
}
# An eighth of the memory is full when the loader reads no more.
is_full() {
	last=-1 now=0
	while [ "$now" != "$last" ] || [ "$now" -lt 1000000 ]; do
		last=$now
		sleep 1
		now=$(sed -n 's/^waiting //p' /sys/kernel/debug/stp/*/state)
	done
}
start
is_full
kill -INT $loader
becomes finished
sleep 3
grep -q '^stp: [0-9]* bytes wait for the reader of the output; Ctrl-C (SIGINT) once more gives them up$' err || fail "nothing is said"
kill -0 $loader || fail "the loader did not wait"
kill -INT $loader
wait $loader
[ $? = 1 ] || fail "not status 1"
grep -q '^stp: [0-9]\{8,\} bytes of the output and [0-9]* more records were given up$' err || fail "not given up"
[ -z "$(state)" ] || fail "the module stays"
start -T 15
is_full
becomes finished
kill -INT $loader
sleep 2
kill -INT $loader
wait $loader
kill $sleeper $calls
kill $(pidof getppid)
[ -z "$(state)" ] || fail "the module stays"
