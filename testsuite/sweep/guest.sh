# Runs in the guest: each batch that is named is armed, passed and disarmed; the host reads what is printed
# and knows by it which one the guest did not survive.
here=$1 sessions=$2
shift 2
echo 1 > /proc/sys/kernel/sysrq
cp -r "$here/programs" /tmp/programs
cp "$here/work.sh" "$here/stp-load" /tmp
moves=
while read -r module from; do
	insmod "$here/modules/$module.ko" 2>&1 || { dmesg | tail -n 2; exit 1; }
	moves="$moves $from $(cat "/sys/module/$(echo "$module" | tr - _)/sections/.text")"
done < "$here/modules/order"
for batch; do
	cp "$here/$batch.ko" /tmp/first.ko
	[ "$sessions" = 1 ] || cp "$here/$batch.second.ko" /tmp/second.ko
	for file in /tmp/first.ko /tmp/second.ko; do
		[ -z "$moves" ] || [ ! -e $file ] || /tmp/programs/move_addresses $file $moves || exit 1
	done
	echo "start $batch"
	dmesg -c > /dev/null
	command="sh /tmp/work.sh /tmp/programs"
	[ "$sessions" = 1 ] || command="/tmp/stp-load -o /tmp/out2 -c '$command' /tmp/second.ko"
	/tmp/stp-load -v -o /tmp/out -c "$command" /tmp/first.ko > /tmp/work 2> /tmp/err
	status=$?
	dmesg > /tmp/log
	grep -E 'BUG:|WARNING: |Oops|stalls? on|lockup|general protection|unable to handle|segfault|traps:' /tmp/log | head -n 3 |
		sed 's/^/complains: /'
	grep '^failed' /tmp/work | sed 's/^/complains: /'
	refused=$(sed -n 's/.*armed: error \(-[0-9]*\).*/\1/p' /tmp/err | sort | uniq -c | awk '{ printf ", %d refused %s", $1, $2 }')
	armed=$(sed -n 's/.* \([0-9]*\) probe points armed.*/\1/p' /tmp/err)
	# None armed is a failure for who asked for one.
	[ $status = 0 ] || [ "${armed:-0}" = 0 ] || tail -n 3 /tmp/err | cut -c 1-200 | sed 's/^/complains: /'
	echo "done $batch ${armed:-0} armed$refused, $(tail -n 1 /tmp/out)"
	rm -f /tmp/out /tmp/out2
done
