#!/bin/sh
# A module is linked with those parts of the runtime that its script uses, and small.
#
# where: host
# timeout: 120
set -e
build() {
	"$STP" build -e "$2" -r "$KERNEL" -o "$1.ko" || exit 1
}
has() {
	grep -q "$2" "$1.ko" || { echo "$1 has no $2"; exit 1; }
}
lacks() {
	! grep -q "$2" "$1.ko" || { echo "$1 has $2"; exit 1; }
}
build hello 'probe begin { println("hello") exit() }'
for part in stp_entry_kind stp_timer_kind stp_netfilter_kind stp_map_make stp_area_grow stp_stat_add_all; do lacks hello "$part"; done
build timer 'global n probe timer.s(1) { n++ } probe procfs("n").read { $value = sprint(n) }'
for part in stp_timer_kind stp_procfs_kind; do has timer "$part"; done
for part in stp_entry_kind stp_return_kind stp_perf_kind; do lacks timer "$part"; done
build array 'global a probe begin { a[1] = 2 exit() }'
has array stp_area_grow
# Twice that with all of the runtime.
size=$(stat -c %s hello.ko)
[ "$size" -lt 170000 ] || { echo "hello has $size bytes"; exit 1; }
