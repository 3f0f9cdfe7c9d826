#!/bin/sh
# All functions, all returns of file systems, all tracepoints, a profile and events of a program are armed at once and
# disarmed again and again, while both CPUs are busy and one of them is taken away and brought back.
# timeout: 3000
# build: -D MAXSKIPPED=4000000000
# script: global hits
# script: probe kernel.function("*").call { hits[0] <<< 1 }
# script: probe kernel.function("vfs_*").return, kernel.function("ext4_*").return ?, kernel.function("__x64_sys_*").return { hits[1] <<< 1 }
# script: probe kernel.trace("*") { hits[2] <<< 1 }
# script: probe timer.profile { hits[3] <<< 1 }
# script: probe perf.sw.page_faults.process("/opt/getppid").sample(1) { hits[4] <<< 1 }
# script: probe kernel.function("__x64_sys_getppid").call { if (execname() == "counted") known++ }
# script: global known
# script: probe end { println(@count(hits[0]) > 1000, @count(hits[1]) > 100, @count(hits[2]) > 100, @count(hits[3]) > 1, @count(hits[4]) > 1, " ", known) }
cd /tmp
cp $PROGS/getppid counted
cpu=/sys/devices/system/cpu/cpu1/online
rm -f over
load() { while [ ! -e over ]; do $PROGS/getppid 300; cat /proc/self/stat > /dev/null; done; }
used() {
	sleep 2
	echo 2 > /proc/sys/vm/drop_caches
	awk '/^(kmalloc|vmap_area|percpu|ftrace|perf_event)/ { bytes += $2 * $4 } END { print int(bytes / 1024) }' /proc/slabinfo
}
rounds() {
	rm -f over
	load & load1=$!
	load & load2=$!
	i=0
	while [ $i -lt "$1" ]; do
		stp-load -c "echo 0 > $cpu; /tmp/counted 100 2; echo 1 > $cpu; /tmp/counted 100 2; exec $PROGS/getppid 1" "$MODULE" > out 2> err || { cat err; exit 1; }
		[ "$(cat out)" = "11111 400" ] || { echo "round $i:"; cat out err; exit 1; }
		i=$((i + 1))
	done
	touch over
	wait $load1 $load2
}
rounds 1
modules=$(wc -l < /proc/modules)
before=$(used)
rounds $((ROUNDS / 20))
[ "$(wc -l < /proc/modules)" = "$modules" ] || { cat /proc/modules; exit 1; }
# The table of the points alone is megabytes.
after=$(used)
[ $((after - before)) -lt 1500 ] || { echo "$before KB, then $after"; exit 1; }
