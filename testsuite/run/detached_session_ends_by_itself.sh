#!/bin/sh
# exit() while nobody reads: the end probes run, what they print waits for a reader, and when that has it
# the module goes. A begin probe prints more than a buffer holds, and waits for nobody.
#
# script: global n
# script: probe begin { for (i = 0; i < 60000; i++) printf("%9d of a beginning that fills the buffer\n", i) }
# script: probe kernel.function("__x64_sys_getppid") { if (execname() == "getppid" && ++n == 100) exit() }
# script: probe end { printf("ended with %d\n", n) }
# build: -s 1 -D MAXACTION_INTERRUPTIBLE=1000000
fail() { echo "$*"; cat err*; exit 1; }
name=$(stp-load --detach "$MODULE" 2> err) || fail "not detached"
"$PROGS/getppid" 150
for tenth in $(seq 50); do
	stp-load sessions > sessions
	grep -q "^$name  *finished" sessions && break
	sleep 0.1
done
grep -q "^$name  *finished" sessions || { cat sessions; fail "not finished"; }
stp-load attach > out 2> err1 || fail "status $?"
[ "$(tail -n 1 out)" = 'ended with 100' ] || fail "the end is missing"
gone=$(sed -n 's/.*warning: \([0-9]*\) records .* overwritten.*/\1/p' err1)
[ $((gone + $(wc -l < out))) = 60001 ] || fail "$gone and $(wc -l < out) are not 60001"
[ "$(head -n 1 out | awk '{ print $1 }')" = "$gone" ] || fail "they are not the newest"

# Removed without a reader.
name=$(stp-load -L "$MODULE" 2> err) || fail "not detached"
stp-load unload "$name" || fail "not removed"
[ "$(stp-load sessions)" = "no session runs" ] || fail "it is still there"
for wrong in "-c true" "-T 3" "-o file" "-x x"; do
	stp-load -L $wrong "$MODULE" 2> err
	[ $? = 2 ] || fail "-L $wrong is accepted"
done
stp-load attach -G n=3 2> err
[ $? = 2 ] || fail "attach -G is accepted"
