# Sessions with points of every kind come and go, $ROUNDS of them: each counts, and none leaves memory, modules,
# traced functions or breakpoints behind.
# timeout: 1200
# script: global hits
# script: probe kernel.function("__x64_sys_getppid").call { hits[0] <<< 1 }
# script: probe kernel.function("__x64_sys_getppid").return { hits[1] <<< @entry(pid()) }
# script: probe kernel.function("__x64_sys_getppid").return.maxactive(4) { hits[2] <<< 1 }
# script: probe kernel.statement("__x64_sys_getppid") ? { hits[3] <<< 1 }
# script: probe kernel.trace("sys_enter") { hits[4] <<< 1 }
# script: probe perf.sw.cpu_clock.sample(100000) { hits[5] <<< 1 }
# script: probe timer.profile { hits[6] <<< 1 }
# script: probe timer.ms(1) { hits[7] <<< 1 }
# script: probe timer.jiffies(1) { hits[7] <<< 1 }
# script: probe kernel.data("jiffies").write { hits[8] <<< 1 }
# script: probe netfilter.hook("NF_INET_LOCAL_OUT").pf("NFPROTO_IPV4") { hits[9] <<< 1 }
# script: probe procfs("seen").read { $value = "yes" }
# script: probe end { println(@count(hits[0]) >= 10, @count(hits[1]) >= 10, @count(hits[2]) >= 10, @count(hits[4]) >= 10) }
cd /
# Slabs that are free count as well, but not those of what programs and files come and go with; the kernel
# frees late.
slabs() {
	sleep 2
	echo 2 > /proc/sys/vm/drop_caches
	awk '/^(kmalloc|vmap_area|percpu|ftrace)/ { bytes += $2 * $4 } END { print int(bytes / 1024) }' /proc/slabinfo
	awk '/^(VmallocUsed|Percpu):/ { kb += $2 } END { print kb }' /proc/meminfo
}
rounds() {
	i=0
	while [ $i -lt "$1" ]; do
		stp-load -c '$PROGS/getppid 10' "$MODULE" > /tmp/out 2> /tmp/err || { cat /tmp/err; exit 1; }
		[ "$(cat /tmp/out)" = 1111 ] || { echo "round $i:"; cat /tmp/out /tmp/err; exit 1; }
		i=$((i + 1))
	done
}
rounds 3
modules=$(wc -l < /proc/modules)
set -- $(slabs)
rounds "$ROUNDS"
[ "$(wc -l < /proc/modules)" = "$modules" ] || { cat /proc/modules; exit 1; }
# A buffer of one session alone has 256 KB, a table of its points some; without a leak both stay within 20 KB.
for now in $(slabs); do
	[ $((now - $1)) -lt $((ROUNDS * 2 + 128)) ] || { echo "$1 KB before, $now KB after $ROUNDS rounds"; exit 1; }
	shift
done
