# The runtime is over 400 KB whole; a script that says hello takes a fifth of it.
# script: probe begin { println("hello") exit() }
size=$(wc -c < "$MODULE")
[ "$size" -lt 130000 ] || { echo "$size bytes"; exit 1; }
stp-load "$MODULE" > /tmp/out 2> /tmp/err || { cat /tmp/err; exit 1; }
[ "$(cat /tmp/out)" = hello ] || { cat /tmp/out; exit 1; }
