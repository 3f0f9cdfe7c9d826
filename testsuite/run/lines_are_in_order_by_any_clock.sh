# Records take their times from the counter that the kernel keeps its own time by, or from the kernel.
# The counter is locked while a handler runs, and so tells the order.
# script: global n
# script: probe kernel.function("__x64_sys_getppid") { printf("%d\n", n++) }
clocks=/sys/devices/system/clocksource/clocksource0
for clock in tsc hpet acpi_pm; do
	echo $clock > $clocks/current_clocksource
	[ "$(cat $clocks/current_clocksource)" = $clock ] || { echo "no $clock here"; exit 1; }
	stp-load -o /tmp/out -c "$PROGS/getppid 20000 2" "$MODULE" 2> /tmp/err || { cat /tmp/err; exit 1; }
	[ "$(wc -l < /tmp/out)" -ge 40000 ] && [ ! -s /tmp/err ] || { wc -l /tmp/out; cat /tmp/err; exit 1; }
	sort -n -c /tmp/out || { echo "by $clock"; exit 1; }
done
echo tsc > $clocks/current_clocksource
