# The runtime is over 400 KB whole; a script that says hello takes a fifth of it, and still unwinds its own stack.
# script: probe begin { println("hello") print_backtrace() exit() }
size=$(wc -c < "$MODULE")
[ "$size" -lt 130000 ] || { echo "$size bytes"; exit 1; }
stp-load "$MODULE" > /tmp/out 2> /tmp/err || { cat /tmp/err; exit 1; }
grep -q hello /tmp/out && grep -q 'kthread+' /tmp/out || { cat /tmp/out /tmp/err; exit 1; }
