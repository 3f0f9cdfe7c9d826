# Sessions with points of every kind come and go, $ROUNDS of them, while both CPUs call what they probe and tasks
# begin and end all the time: nothing is left behind, and the kernel has nothing to say.
# timeout: 2400
# build: -D MAXSKIPPED=4000000000
# script: global hits
# script: probe kernel.function("__x64_sys_getppid").call { hits[0] <<< 1 }
# script: probe kernel.function("vfs_*").call { hits[0] <<< 1 }
# script: probe kernel.function("__x64_sys_getppid").return { hits[1] <<< @entry(pid()) }
# script: probe kernel.function("vfs_*").return.maxactive(4) { hits[2] <<< 1 }
# script: probe kernel.statement("__x64_sys_getppid") ? { hits[3] <<< 1 }
# script: probe kernel.trace("sys_enter"), kernel.trace("sched:*") { hits[4] <<< 1 }
# script: probe perf.sw.cpu_clock.sample(1000000) { hits[5] <<< 1 }
# script: probe perf.sw.page_faults.process("/opt/getppid").sample(1) { hits[6] <<< 1 }
# script: probe perf.sw.task_clock.process("/opt/getppid").counter("clock") {}
# script: probe timer.profile { hits[7] <<< 1 }
# script: probe timer.ms(1), timer.jiffies(1) { hits[8] <<< 1 }
# script: probe kernel.data("jiffies").write { hits[9] <<< 1 }
# script: probe netfilter.hook("NF_INET_LOCAL_OUT").pf("NFPROTO_IPV4") { hits[10] <<< 1 }
# script: probe procfs("seen").read { $value = "yes" }
# script: probe end { println(@count(hits[0]) >= 10, @count(hits[1]) >= 10, @count(hits[2]) >= 10, @count(hits[4]) >= 10, @count(hits[6]) >= 10) }
cd /tmp
rm -f over
load() { while [ ! -e over ]; do $PROGS/getppid 3000; cat /proc/self/stat > /dev/null; done; }
kb() {
	touch over; wait $load1 $load2; rm -f over
	sleep 2
	echo 2 > /proc/sys/vm/drop_caches
	awk '/^(kmalloc|vmap_area|percpu|ftrace|perf_event)/ { bytes += $2 * $4 } END { print int(bytes / 1024) }' /proc/slabinfo > slabs
	awk '/^(VmallocUsed|Percpu):/ { kb += $2 } END { print kb }' /proc/meminfo > vmalloc
	load & load1=$!
	load & load2=$!
}
rounds() {
	i=0
	while [ $i -lt "$1" ]; do
		stp-load -c '$PROGS/getppid 10 2' "$MODULE" > out 2> err || { cat err; exit 1; }
		[ "$(cat out)" = 11111 ] || { echo "round $i:"; cat out err; exit 1; }
		i=$((i + 1))
	done
}
load & load1=$!
load & load2=$!
rounds 3
modules=$(wc -l < /proc/modules)
kb
slabs=$(cat slabs) vmalloc=$(cat vmalloc)
rounds "$ROUNDS"
kb
touch over; wait $load1 $load2
[ "$(wc -l < /proc/modules)" = "$modules" ] || { cat /proc/modules; exit 1; }
# A buffer of one session alone has 256 KB; without a leak there are a few KB more.
for what in slabs vmalloc; do
	eval "before=\$$what"
	[ $(($(cat $what) - before)) -lt $((ROUNDS * 2 + 256)) ] || { echo "$what: $before KB, after $ROUNDS rounds $(cat $what)"; exit 1; }
done
