#!/bin/sh
# An array that has grown to a million elements takes little more than one with that size.
#
# script: global a
# script: probe begin { for (i = 0; i < 1000000; i++) a[i] = i println(a[999999]) }
# build: -D MAXACTION_INTERRUPTIBLE=10000000 -D MAXMAPMEMORY=500 -s 1
free() { awk '/^MemFree:/ { print $2 }' /proc/meminfo; }
# Of what is free each CPU keeps up to 27 MB of pages for itself, which do not count as free: let it keep few.
echo 1000 > /proc/sys/vm/percpu_pagelist_high_fraction || exit 1
# used: KB that the session has when the array is full.
used() {
	before=$(free)
	stp-load "$MODULE" > "out$1" 2>&1 &
	until grep -q 999999 "out$1"; do sleep 0.1; done
	echo $((before - $(free)))
	kill -INT $!
	wait $!
}
used 1 > /dev/null # brings files into the cache
sleep 2            # the kernel frees mapped pages when it has time
used 2 > took
# An element with its part of the table: 36 to 47 bytes. One that was just made room for has a fifth more.
[ "$(cat took)" -gt 30000 ] && [ "$(cat took)" -lt 50000 ] || { echo "$(cat took) KB"; exit 1; }
