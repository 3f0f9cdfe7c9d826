#!/bin/sh
# A module is linked with those functions of the runtime that its script uses, and small.
#
# where: host
# timeout: 120
set -e
# Names of its functions lie beside the module in the cache; in the module there is one for all of its code.
build() {
	"$STP" build -v -e "$2" -r "$KERNEL" -o "$1.ko" > "$1.log" 2>&1 || { cat "$1.log"; exit 1; }
	cp "$(dirname "$(sed -n 's|.*build: \(.*\.ko\).*|\1|p' "$1.log")")/names" "$1.names"
	[ "$(readelf -sW "$1.ko" | awk '$4 == "FUNC" { print $8 }')" = stp ] || { echo "$1 has names of functions"; exit 1; }
}
has() {
	grep -q " $2\$" "$1.names" || { echo "$1 has no $2"; exit 1; }
}
lacks() {
	! grep -q " $2\$" "$1.names" || { echo "$1 has $2"; exit 1; }
}
build hello 'probe begin { println("hello") exit() }'
for part in entry_arm timer_arm netfilter_arm stp_map_make stp_area_grow stp_stat_add_all find_sections; do lacks hello "$part"; done
build timer 'global n probe timer.s(1) { n++ } probe procfs("n").read { $value = sprint(n) }'
for part in timer_arm procfs_arm; do has timer "$part"; done
for part in entry_arm return_arm perf_arm; do lacks timer "$part"; done
build array 'global a probe begin { a[1] = 2 exit() }'
has array stp_area_grow
# Ways to a handler that no point of the script takes.
build entry 'global n probe kernel.function("vfs_read") { n++ }'
has entry entry_arm
for part in stp_entry_hit_call stp_hit_full stp_gates_settle stp_modules_watch; do lacks entry "$part"; done
build call 'global n probe syscall.getppid { printf("%s\n", execname()) }'
for part in stp_entry_hit_call stp_hit_full; do has call "$part"; done
# Seven times that with all of the runtime; 37 KB on 6.1, 40 on 6.12.
size=$(stat -c %s hello.ko)
[ "$size" -lt 50000 ] || { echo "hello has $size bytes"; exit 1; }
# What the linker could tell is no relocation any more, and no row of the versions is for somebody else's symbol.
versions=$(readelf -SW hello.ko | sed 's/.*__versions *PROGBITS *[0-9a-f]* *[0-9a-f]* *\([0-9a-f]*\).*/\1/;t;d')
imports=$(readelf -sW hello.ko | grep -c ' UND [a-z_A-Z]')
[ $((0x$versions / 64)) -le $((imports + 1)) ] || { echo "$((0x$versions / 64)) versions of $imports symbols"; exit 1; }
