#!/bin/sh
# A million lines of 100 bytes, from two CPUs and from one, with the buffers that nobody asked for: all of them
# arrive, in order of time, in a file and through a pipe whose reader is slow.
#
# script: global n
# script: probe kernel.function("__x64_sys_getppid") {
# script:   printf("%d %d aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", gettimeofday_ns(), n++)
# script: }
# timeout: 400
both="$PROGS/getppid 500000 2"
one="$PROGS/getppid 1000000"
lines() { # WHERE COUNT: shells make such calls too
	[ "$2" -ge 1000000 ] && [ "$2" -le 1000010 ] || { echo "$1: $2 lines"; exit 1; }
}
stp-load -o out -c "$both" "$MODULE" || exit 1
lines "two CPUs, file" "$(wc -l < out)"
sort -n -c -k1,1 out || exit 1
rm out
lines "two CPUs, pipe" "$(stp-load -c "$both" "$MODULE" | grep -c aaaa)"
lines "one CPU, pipe" "$(stp-load -c "$one" "$MODULE" | grep -c aaaa)"
stp-load -o out -c "$one" "$MODULE" 2> err || exit 1
lines "one CPU, file" "$(wc -l < out)"
[ ! -s err ] || { cat err; exit 1; }
