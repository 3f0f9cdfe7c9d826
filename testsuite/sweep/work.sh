# What a guest does while points are armed, so that all that a kernel does in passing is passed: processes and
# their signals, faults, timers, inter-processor interrupts and one that cannot be masked, a CPU that goes and
# comes, modules that do, files, pipes and sockets. Prints what did not end as it should.
cd "$1"
cpu=/sys/devices/system/cpu/cpu1/online
check() { "$@" > /tmp/said 2>&1 || echo "failed ($?): $*"; }
check ./fork_keeps_registers
echo 0 > $cpu
check ./getppid 200 2
echo 1 > $cpu
check ./fault_tasks 50
check ./system_calls 2
./getppid 3000 4 &
for module in modules/*.ko; do
	[ -e "$module" ] || continue
	check insmod "$module"
done
for module in $(ls -r modules); do check rmmod "${module%.ko}"; done
# A backtrace of all CPUs is asked for by an interrupt that cannot be masked.
echo l > /proc/sysrq-trigger
timeout -s USR1 0.2 sleep 5
check usleep 30000
echo 1 > /proc/sys/vm/drop_caches
echo 1 > /proc/sys/vm/compact_memory
mkdir -p /tmp/tree
mount -t tmpfs tree /tmp/tree
head -c 300000 /dev/urandom | gzip | cat > /tmp/tree/file
cp /tmp/tree/file /tmp/tree/other
ln -s file /tmp/tree/link
cmp /tmp/tree/link /tmp/tree/other || echo "failed: files differ"
sync
umount /tmp/tree
ip addr add 10.0.0.1/32 dev lo
check ./send_udp 10.0.0.1 7001 5
check ping -c 2 -i 0.1 10.0.0.1
ip addr del 10.0.0.1/32 dev lo
if [ -e ext4.img ]; then
	cp ext4.img /tmp/ext4.img
	check mount -t ext4 -o loop /tmp/ext4.img /tmp/tree
	mkdir -p /tmp/tree/a/b
	cp /tmp/said /tmp/tree/a/file
	head -c 200000 /dev/zero > /tmp/tree/a/b/file
	mv /tmp/tree/a/file /tmp/tree/other
	ln /tmp/tree/other /tmp/tree/a/link
	cat /tmp/tree/a/* > /dev/null 2>&1
	sync
	rm -r /tmp/tree/a
	ls -lR /tmp/tree > /tmp/said
	check umount /tmp/tree
fi
[ ! -e /dev/kvm ] || check ./kvm_halts 3
cat /proc/self/maps /proc/meminfo /proc/slabinfo /proc/interrupts /proc/modules > /tmp/said
kill -9 $! 2> /dev/null
wait
check ./fork_keeps_registers
