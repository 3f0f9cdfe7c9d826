#!/bin/sh
# Where memory has nodes, an array has as much on each: all CPUs use it.
#
# where: host
# timeout: 120
top=$(dirname "$STP")
cp "$top/stp-load" .
build() { "$STP" build -r "$KERNEL" -o "$1.ko" -D MAXACTION_INTERRUPTIBLE=10000000 -e "$2" || exit 1; }
build fixed 'global a[1500000] probe begin { a[1] = 1 println("ready") } probe never { a[2] = 2 }'
build grown 'global b probe begin { for (i = 0; i < 1000000; i++) b[i] = i println("ready", b[999999]) }'
cat > guest.sh <<'GUEST'
cd "$1" || exit 1
free() { awk '/MemFree/ { print $4 }' "/sys/devices/system/node/node$1/meminfo"; }
for module in fixed grown; do
	before0=$(free 0) before1=$(free 1)
	./stp-load $module.ko > /tmp/$module 2>&1 &
	until grep -q ready /tmp/$module; do sleep 0.1; done
	echo $((before0 - $(free 0))) $((before1 - $(free 1))) $module
	kill -INT $!
	wait $!
done
GUEST
"$top/vm/run-in-vm" --kernel "$KERNEL" --timeout 100 --append numa=fake=2 --share "$PWD" -- sh "$PWD/guest.sh" "$PWD" > out || { cat out; exit 1; }
# Each takes 45 to 75 MB; what the first node has beside that is 40 at most, and either may have got some back.
awk '$2 < 12000 || $1 < 12000 || $1 > $2 + 40000 { exit 1 } END { if (NR != 2) exit 1 }' out || {
	echo "KB from each node:"; cat out
	exit 1
}
