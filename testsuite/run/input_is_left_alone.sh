#!/bin/sh
# A script that does not ask for the standard input leaves it to the command, and to whoever comes next.
#
# script: probe begin { println("begun") }
printf 'abcdefgh' | { stp-load -c 'sleep 1' "$MODULE" > out 2> err; cat > rest; }
[ "$(cat rest)" = abcdefgh ] || { cat out err rest; exit 1; }
printf 'abcdefgh' | stp-load -c 'head -c 4' "$MODULE" > out 2> err
grep -q abcd out && [ ! -s err ] || { cat out err; exit 1; }
