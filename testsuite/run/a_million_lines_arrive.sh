#!/bin/sh
# A million lines of 100 bytes, from two CPUs and from one, in a file and through a pipe whose reader is slow: they
# arrive in order of time, and with the buffers that nobody asked for none is missing but those that are told. How
# many those are is a matter of the machine: with room for all of them there is none.
#
# script: global n
# script: probe kernel.function("__x64_sys_getppid") {
# script:   printf("%d %d aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", gettimeofday_ns(), n++)
# script: }
# script: probe end { printf("%d calls\n", n) }
# timeout: 400
# Of the last run, which printed its output to `out` and its messages to `err`.
whole() { # WHAT CALLS
	calls=$(sed -n 's/ calls$//p' out)
	lines=$(grep -c aaaa out)
	lost=$(sed -n 's/^stp: warning: \([0-9]*\) records .* were lost.*/\1/p' err)
	[ "$calls" -ge "$2" ] && [ $((lines + ${lost:-0})) = "$calls" ] ||
		{ echo "$1: $calls calls, $lines lines, ${lost:-0} lost"; exit 1; }
	grep -v 'were lost' err && exit 1
	return 0
}
stp-load -o out -c "$PROGS/getppid 500000 2" "$MODULE" 2> err || exit 1
whole "two CPUs, file" 1000000
sed '$d' out | sort -n -c -k1,1 || exit 1
stp-load -c "$PROGS/getppid 200000 2" "$MODULE" 2> err | sed '' > out
whole "two CPUs, pipe" 400000
stp-load -o out -c "$PROGS/getppid 400000" "$MODULE" 2> err || exit 1
whole "one CPU, file" 400000
