#!/bin/sh
# What an array has grown to is free again when the module is removed.
#
# script: global a
# script: probe begin { for (i = 0; i < 700000; i++) a[i] = i println(a[699999]) exit() }
# build: -D MAXACTION_INTERRUPTIBLE=10000000 -D MAXMAPMEMORY=500
free() { awk '/^MemFree:/ { print $2 }' /proc/meminfo; }
# Of what is freed each CPU keeps up to 27 MB of pages for itself, which do not count as free: let it keep few.
echo 1000 > /proc/sys/vm/percpu_pagelist_high_fraction || exit 1
# The first one brings files into the cache.
i=0
while [ $i -lt 4 ]; do
	stp-load "$MODULE" > out 2> err && [ "$(cat out)" = 699999 ] || { cat out err; exit 1; }
	sleep 1
	now=$(free)
	[ $i = 0 ] && before=$now
	# The kernel frees mapped pages when it has time.
	for second in 1 2 3 4 5 6 7 8 9; do
		[ $((before - now)) -lt 20000 ] && break
		sleep 1
		now=$(free)
	done
	# 700000 elements take 50 MB.
	[ $((before - now)) -lt 20000 ] || { echo "$before KB were free, $now KB after $i more rounds"; exit 1; }
	i=$((i + 1))
done
