#!/bin/sh
# A session that was left running records; readers come and go. Together they print every line, and none
# twice; a session that nobody has left can be attached to by nobody else.
#
# script: global n
# script: probe kernel.function("__x64_sys_getppid") { if (execname() == "getppid") printf("call %d\n", n++) }
# script: probe begin { println("begun") }
# script: probe end { printf("ended with %d\n", n) }
fail() { echo "$*"; cat out* err* sessions; exit 1; }
name=$(stp-load --detach "$MODULE" 2> err) || fail "not detached"
grep -q "detached: $name goes on; .stp attach $name. prints" err || fail "it is not told how to come back"
"$PROGS/getppid" 1000
stp-load sessions > sessions
grep -Eq "^$name +running +none +[0-9]+ +1 +[1-9][0-9]+ +0 +" sessions || fail "not in the list"

stp-load attach > out1 2> err1 &
reader=$!
until grep -q 'call 999' out1; do sleep 0.1; kill -0 $reader || fail "the reader is gone"; done
stp-load sessions > sessions
grep -q "^$name  *running  *attached" sessions || fail "the reader is not seen"
stp-load attach "$name" > out 2> err && fail "two readers"
grep -q "$name has a reader already" err || fail "the reader is not told of"
"$PROGS/getppid" 500
until grep -q 'call 1499' out1; do sleep 0.1; done
kill -QUIT $reader
wait $reader || fail "detached with status $?"

"$PROGS/getppid" 300
stp-load attach "$name" > out2 2> err2 &
reader=$!
until grep -q 'call 1799' out2; do sleep 0.1; done
# A reader that is killed leaves the session as it is.
kill -KILL $reader
wait $reader
"$PROGS/getppid" 200
stp-load attach "$name" -T 1 > out3 2> err3 || fail "ended with status $?"
{ echo begun; seq 0 1999 | sed 's/^/call /'; echo 'ended with 2000'; } > expected
# The killed reader has not given back what it printed last.
cat out1 out2 out3 | awk '!seen[$0]++' | cmp - expected || fail "other lines"
[ "$(sort out1 out2 | uniq -d | wc -l)" = 0 ] || fail "lines came twice"
grep -v 'detached:' err1 err2 err3 | grep -v ':$' && fail "complaints"
[ "$(stp-load sessions)" = "no session runs" ] || fail "it is still there"
stp-load attach "$name" 2> err && fail "attached to nothing"
grep -q "there is no session $name; none runs" err || fail "another error"
stp-load attach 2> err && fail "attached to nothing"
grep -q 'no detached session' err || fail "another error"
exit 0
