#!/bin/sh
# Two CPUs write 100000 lines each, into a file of each CPU. Merged, they are all there, numbered without
# a gap by the handlers themselves, in order of time.
#
# script: probe kernel.function("__x64_sys_getppid") { if (execname() == "getppid") printf("%d %d\n", gettimeofday_ns(), tid()) }
# build: -s 16
# timeout: 120
fail() { echo "$*"; cat err*; ls -l; exit 1; }
stp-load -b -o bulk -c "exec $PROGS/getppid 100000 2" "$MODULE" > out 2> err || fail "status $?"
[ ! -s out ] && [ ! -s err ] || fail "output"
[ "$(echo bulk_cpu*)" = "bulk_cpu0 bulk_cpu1" ] || fail "other files"
stp-load merge -o merged bulk_cpu0 bulk_cpu1 2> err || fail "merge: status $?"
[ ! -s err ] || fail "merge complains"
[ "$(wc -l < merged)" = 200000 ] || fail "$(wc -l < merged) lines"
[ "$(cut -d ' ' -f 2 merged | sort | uniq -c | awk '{ print $1 }' | uniq)" = 100000 ] || fail "not 100000 each"
# Lines of one process are in order, whatever CPU it ran on.
awk '$1 < last[$2] { exit 1 } { last[$2] = $1 }' merged || fail "out of order"
# As stap-merge has it: [CPU, number in its file, length].
stp-load merge -v bulk_cpu1 bulk_cpu0 2> err | head -n 1000 > labelled
[ "$(sed 's/^\[[01],[0-9]*,[0-9]*\]//' labelled | cmp - merged 2>&1 | grep -c differ)" = 0 ] || fail "labels"
grep -Eq '^\[[01],0,[0-9]+\]' labelled || fail "labels: $(head -n 1 labelled)"

# One of two files.
stp-load merge bulk_cpu0 2> err > out || fail "status $?"
grep -q 'the run made 2 files; 1 were given' err || fail "the missing file is not told of"
# Torn in a block, cut off behind one, damaged: what is whole is printed, the rest is told.
size=$(wc -c < bulk_cpu0)
head -c $((size - 50)) bulk_cpu0 > torn
stp-load merge torn bulk_cpu1 2> err > out && fail "torn: status 0"
grep -q 'torn: it ends in the middle of a block (block [0-9]*, at byte [0-9]*)' err || fail "torn"
[ "$(wc -l < out)" -ge "$(stp-load merge bulk_cpu1 2> /dev/null | wc -l)" ] || fail "the whole file is missing"
head -c $((size - 40)) bulk_cpu0 > torn
stp-load merge torn bulk_cpu1 2> err > out && fail "no end: status 0"
grep -q 'torn: it has no end' err || fail "no end"
{ head -c $((size / 2)) bulk_cpu0; printf '\377\376\375'; tail -c +$((size / 2 + 4)) bulk_cpu0; } > torn
stp-load merge torn bulk_cpu1 2> err > out && fail "damaged: status 0"
grep -q 'damaged: a block has a wrong checksum' err || fail "damaged"
stp-load merge bulk_cpu0 bulk_cpu0 2> err && fail "twice: status 0"
grep -q 'bulk_cpu0 and bulk_cpu0 are both of CPU 0' err || fail "twice"
stp-load merge "$MODULE" 2> err && fail "no bulk file: status 0"
grep -q 'not a file that -b made' err || fail "no bulk file"

# What a session in the kernel has recorded, and a reader that is killed in the middle.
name=$(stp-load --detach "$MODULE" 2> /dev/null)
"$PROGS/getppid" 1000 2
stp-load attach -b -o more -T 1 2> err || fail "attach: status $?"
[ "$(stp-load merge more_cpu* | wc -l)" = 2000 ] || fail "recorded"
stp-load merge more_cpu0 bulk_cpu1 2> err && fail "two runs: status 0"
grep -q 'more_cpu0 and bulk_cpu1 are of different runs' err || fail "two runs"
stp-load -b -o killed "$MODULE" 2> err &
parent=$!
until [ -s killed_cpu1 ] && [ -d /sys/kernel/debug/stp/"$(basename "$MODULE" .ko)" ]; do sleep 0.1; done
sleep 0.5
"$PROGS/getppid" 20000 2 &
sleep 0.1
kill -KILL "$(cat /proc/$parent/task/$parent/children)"
wait $parent
wait
stp-load merge killed_cpu* > out 2> err || fail "killed: status $?"
[ -s out ] && [ ! -s err ] || fail "killed"
