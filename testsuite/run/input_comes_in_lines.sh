#!/bin/sh
# The standard input, a file and a pipe, by lines: with their ends, the last without, one that is too long cut.
#
# script: probe input.line { n++ printf("[%s]", text_str(line)) }
# script: probe input.line { if (line == "last") { printf("%d lines", n) exit() } }
# script: global n
long=$(head -c 600 /dev/zero | tr '\0' x)
printf 'one\n\n%s\nlast' "$long" > in
stp-load "$MODULE" < in > out 2> err || { cat err; exit 1; }
expected="[one\\n][\\n][$(echo "$long" | cut -c 1-511)][last]4 lines"
[ "$(cat out)" = "$expected" ] || { cat out; exit 1; }
{ printf 'o'; sleep 0.3; printf 'ne\n'; sleep 0.3; printf '\nla'; sleep 0.3; printf st; } |
	stp-load "$MODULE" > out 2> err || { cat err; exit 1; }
[ "$(cat out)" = '[one\n][\n][last]3 lines' ] || { cat out; exit 1; }
[ ! -s err ] || { cat err; exit 1; }
