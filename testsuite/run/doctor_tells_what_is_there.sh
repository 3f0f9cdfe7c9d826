#!/bin/sh
# where: host
unset DEBUGINFOD_URLS
row() { grep -Eq "^  $1 +$2 .*$3" out || { echo "no row '$1 $2 $3':"; cat out; exit 1; }; }
"$STP" doctor -r "$KERNEL" > out || { echo "status $?"; cat out; exit 1; }
row ok headers /linux-headers-
row ok image /vmlinuz-
row ok BTF 'in the image'
row ok 'module BTF' 'in the modules'
row without debuginfod 'no server'
if grep -q '^  ok  *DWARF .*/vmlinux-' out; then
	row ok 'module DWARF' 'of [1-9][0-9]* of [0-9]* modules'
else
	row without 'module DWARF' 'of none of [1-9][0-9]* modules'
	grep -q 'mend: apt-get install linux-image-.*-dbg' out || { cat out; exit 1; }
fi
tail -n 1 out | grep -qx 'scripts can run' || { cat out; exit 1; }
DEBUGINFOD_URLS=http://127.0.0.1:9 "$STP" doctor -r "$KERNEL" > out && row ok debuginfod http://127.0.0.1:9
"$STP" doctor -r 9.9.9-none > out; status=$?
row MISSING headers 'no headers of 9.9.9-none'
row MISSING image 'no image of 9.9.9-none'
[ $status = 1 ] && tail -n 1 out | grep -qx 'scripts cannot run yet'
