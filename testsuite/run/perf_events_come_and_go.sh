# Thousands of tasks begin and end while their program is watched: each is seen once, and none leaves its event behind.
# timeout: 600
# script: global seen%[4096]
# script: probe perf.sw.page_faults.process("/opt/getppid").sample(1) { seen[pid()] = 1 }
# script: probe perf.sw.page_faults.process("/opt/getppid").counter("faults") {}
# script: global n, late
# script: probe kernel.function("__x64_sys_getppid") { if (execname() == "getppid") { n++; if (!@perf("faults")) late++ } }
# script: probe end { foreach (p in seen) t++; printf("%d tasks %d calls %d late\n", t, n, late) }
cat > /tmp/forks << 'END'
kb() { sleep 1; awk '/^(kmalloc|perf_event|task_struct)/ { bytes += $2 * $4 } END { print int(bytes / 1024) }' /proc/slabinfo; }
round() { for k in 1 2 3 4 5 6 7 8 9 10; do $PROGS/getppid 2 4; done; }
round; before=$(kb)
i=0; while [ $i -lt $1 ]; do round; i=$((i + 1)); done
echo $(($(kb) - before)) > /tmp/grown
END
stp-load -c "sh /tmp/forks $ROUNDS" "$MODULE" > /tmp/out 2> /tmp/err || { cat /tmp/err; exit 1; }
# Of ten programs each round, each with four children, which make two calls. Children that fork only touch what they
# write.
rounds=$((ROUNDS + 1))
want="$((rounds * 50)) tasks $((rounds * 80)) calls 0 late"
[ $ROUNDS = 20 ] || want="4096 tasks $((rounds * 80)) calls 0 late"
[ "$(cat /tmp/out)" = "$want" ] || { cat /tmp/out /tmp/err; exit 1; }
# Events that stay are more than a kilobyte each, 100 a round; caches keep some of what was freed.
[ "$(cat /tmp/grown)" -lt $((ROUNDS * 50)) ] || { echo "$(cat /tmp/grown) KB more"; exit 1; }
