# Four loaders of one file at one time: each has a session of its own, from 6.5 on too, where the kernel loads a file
# once for all who ask at that moment. Who unloads what is being read is told; a closed standard file is no place for output.
# script: global n
# script: probe begin { println("begin") }
# script: probe timer.ms(100) { n++ }
# script: probe end { println(n > 0 ? "end" : "nothing") }
fail() { echo "$*"; cat err*; exit 1; }
cd "$(mktemp -d)"
for round in 1 2 3 4 5; do
	for each in 1 2 3 4; do
		stp-load -T 1 "$MODULE" > out$each 2> err$each &
		eval "loader$each=$!"
	done
	for each in 1 2 3 4; do
		eval "wait \$loader$each" || fail "round $round: loader $each: status $?"
		[ "$(cat out$each)" = "begin
end" ] || fail "round $round: loader $each: $(cat out$each)"
	done
done
cat err* | grep . && fail "they complain"

stp-load "$MODULE" > out 2> err &
loader=$!
until [ -s out ]; do sleep 0.1; done
name=$(stp-load sessions | awk '$3 == "attached" { print $1 }')
stp-load unload "$name" 2> err1 && fail "unloaded while it is read"
grep -q "$name is being read: SIGINT to its reader ends it" err1 || fail "no reason"
kill -INT $loader
wait $loader || fail "status $?"

stp-load -T 0.3 "$MODULE" >&- 2> err && fail "no output: status 0"
grep -q 'cannot write the output: Bad file descriptor' err || fail "the output went elsewhere"
stp-load -T 0.3 "$MODULE" 2>&- > out || fail "no messages: status $?"
[ "$(cat out)" = "begin
end" ] || fail "no messages: $(cat out)"
stp-load -T 0.3 "$MODULE" <&- > out || fail "no input: status $?"
for seconds in 0 -1 x 1s inf; do
	stp-load -T $seconds "$MODULE" 2> err
	[ $? = 2 ] || fail "-T $seconds is taken"
	grep -q -- "$seconds: a number of seconds above 0 was expected" err || fail "-T $seconds"
done
exit 0
