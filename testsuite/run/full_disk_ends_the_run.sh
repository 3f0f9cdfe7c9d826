#!/bin/sh
# -o on a file system without room: the session ends by itself, says why, and the module goes.
#
# script: global n
# script: probe timer.ms(1) { for (i = 0; i < 20; i++) println("a line of some length ", n++) }
mkdir small
mount -t tmpfs -o size=64k tmpfs small
stp-load -o small/out "$MODULE" 2> err
status=$?
size=$(stat -c %s small/out)
umount small
cat err
[ $status = 1 ] || { echo "status $status"; exit 1; }
[ "$size" = 65536 ] || { echo "$size bytes were written, not all that fit"; exit 1; }
grep -q 'No space left' err
