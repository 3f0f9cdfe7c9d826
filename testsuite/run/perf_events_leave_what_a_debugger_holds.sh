# A program that a debugger holds where it has just been loaded does not hold the session, which ends; it runs well
# afterwards.
# script: global n
# script: probe perf.sw.page_faults.process("/opt/getppid").sample(1) { n++ }
# script: probe end { println(n) }
cd /tmp
rm -f go held; mkfifo go
exec 9<> go
stp-load -c 'exec $PROGS/held_at_exec $PROGS/getppid 3 < go > held & until grep -q held held; do sleep 0.1; done' "$MODULE" > out 2> err || { cat err; exit 1; }
! grep -q "^$(basename "$MODULE" .ko) " /proc/modules || { echo "still loaded"; exit 1; }
[ "$(cat out)" = 0 ] || { cat out; exit 1; }
echo >&9
i=0; until grep -q ended held; do sleep 0.1; i=$((i + 1)); [ $i -lt 100 ] || { cat held; exit 1; }; done
