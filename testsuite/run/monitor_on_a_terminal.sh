#!/bin/sh
# --monitor on a terminal: the screen shows globals and the probes with their exact hits; keys pause the
# script, resume it, switch one probe off, reset globals, and end the session.
#
# script: global n = 5, name = "start"
# script: probe kernel.function("__x64_sys_getppid") { if (execname() == "getppid") { n++; name = "hit"; printf("call %d\n", n) } }
# script: probe timer.s(1000) { println("never") }
# script: probe end { printf("the end has n %d\n", n) }
# build: -t
# timeout: 90
fail() { echo "$*"; tr '\033' '^' < screen | tail -c 3000; exit 1; }
screen_has() {
	for tenth in $(seq 50); do
		grep -q "$1" screen && return
		sleep 0.1
	done
	fail "the screen never shows: $1"
}
mkfifo keys
exec 3<> keys
"$PROGS/on_a_terminal" stp-load --monitor 0.2 "$MODULE" >> screen <&3 &
terminal=$!
screen_has 'n = 5, name = start'
"$PROGS/getppid" 40
screen_has 'n = 45, name = hit'
screen_has 'call 45'
printf s >&3
screen_has 'sorted by hits'
# Paused: no probe is on, and nothing is counted.
printf p >&3
screen_has ' 0 off '
screen_has ' 1 off '
"$PROGS/getppid" 40
printf c >&3
screen_has 'globals were reset'
: > screen
screen_has 'n = 5, name = start'
# All on again, but for one.
printf r >&3
screen_has ' 0  on '
"$PROGS/getppid" 7
screen_has 'n = 12, name = hit'
printf t >&3
screen_has 'probe to switch on or off: '
: > screen
printf '0\n' >&3
screen_has ' 0 off '
: > screen
"$PROGS/getppid" 9
screen_has ' 0 off '
screen_has 'n = 12,'
printf x >&3
sleep 1
: > screen
sleep 1
grep -q 'globals:' screen && fail "the status is not hidden"
printf q >&3
wait $terminal || fail "status $?"
screen_has 'the end has n 12'
