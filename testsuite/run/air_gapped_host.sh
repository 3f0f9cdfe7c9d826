#!/bin/sh
# All that a traced host needs is the module and stp-load: here a root with nothing else in it, no
# shell, no library, no stp, no kernel headers.
#
# script: probe begin { println("alone"); exit() }
mkdir -p root/sys root/proc
cp /opt/stp-load "$MODULE" root/
mount -t proc proc root/proc
mount -t sysfs sys root/sys
mount -t debugfs debugfs root/sys/kernel/debug
chroot root /stp-load "/$(basename "$MODULE")" > out 2> err
status=$?
umount root/sys/kernel/debug root/sys root/proc
cat out err
[ $status = 0 ] && [ "$(cat out)" = alone ] && [ ! -s err ]
