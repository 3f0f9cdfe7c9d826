#!/bin/sh
# Called `stap`, the program takes SystemTap's command line: a script that names it in its first line
# runs with the options of that line, its arguments and -G, and errors and passes are told in
# SystemTap's words.
#
# where: host
# timeout: 180
top=$(dirname "$STP")
release=$("$top/vm/fetch-kernel" "$KERNEL")
export SYSTEMTAP_DIR="$PWD" SYSTEMTAP_RELEASE="$release"
[ "$(readlink "$top/stap")" = stp ] || { echo "make made no stap"; exit 1; }

cat > hello.stp << END
#!$top/stap --vm -w -T 20
global greeting = "none", unused
probe begin { printf("%s %d %s\n", greeting, \$1, @2); exit() }
END
chmod +x hello.stp
./hello.stp -G greeting=hello 41 -- -x > out 2> err
status=$?
cat out err
[ $status = 0 ] && [ "$(cat out)" = "hello 41 -x" ] && [ ! -s err ] || exit 1

"$top/stap" --vm -v -T 20 -e 'probe begin { println("here"); error("enough") }' > out 2> err
status=$?
cat out err
[ $status = 1 ] && [ "$(cat out)" = here ] || exit 1
for line in 'Pass 5: starting run\.$' 'ERROR: .*enough' 'Pass 5: run completed in [0-9]*usr/[0-9]*sys/[0-9]*real ms\.$' \
	'Pass 5: run failed\.  \[man error::pass5\]$'; do
	grep -q "^$line" err || { echo "no line: $line"; exit 1; }
done

# In the background: the process id comes at once, the output goes on in the file.
behind=$("$top/stap" --vm -F -o later.txt -T 30 -e 'probe timer.s(1) { println("later"); exit() }') || exit 1
[ ! -s later.txt ] && kill -0 "$behind" || { echo "'$behind' does not run"; exit 1; }
while kill -0 "$behind" 2> /dev/null; do sleep 0.2; done
cat later.txt
[ "$(cat later.txt)" = later ] || exit 1

# SIGTERM to the command alone ends the run well: end probes have run.
"$top/stap" --vm -v -T 60 -e 'probe begin { println("begun") } probe end { println("ended") }' > out 2> err &
stap=$!
until grep -q begun out; do sleep 0.2; kill -0 "$stap" || { cat err; exit 1; }; done
kill -TERM "$stap"
wait "$stap"
status=$?
cat out err
[ $status = 0 ] && [ "$(cat out)" = "$(printf 'begun\nended')" ]
