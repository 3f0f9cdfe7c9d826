#!/bin/sh
# Every probe that `stp help probes` shows can be built for the kernel, and every kind is among them.
#
# where: host
# timeout: 300
"$STP" help probes > list || exit 1
grep '^      probe ' list | sed 's/^ *//' > probes
[ "$(wc -l < probes)" -ge 17 ] || { cat list; exit 1; }
for kind in begin kernel.function .return .callee kernel.statement module kprobe kernel.trace syscall timer.s timer.profile \
	perf.sw .process .counter kernel.data netfilter procfs input; do
	grep -qF "$kind" probes || { echo "no $kind"; exit 1; }
done
# The page of the documentation has the same.
sed -n 's/^    probe /probe /p' "$(dirname "$STP")/docs/probes.md" | diff - probes || exit 1
while read -r probe; do
	"$STP" check -r "$KERNEL" -e "$probe" > out 2>&1 ||
		# Of lines, as the list says, there must be DWARF.
		case $probe in
		*statement* | *callee*) grep -q 'no-debuginfo' out && continue ;;
		*) false ;;
		esac || { echo "$probe"; cat out; exit 1; }
	! grep -q 'error\|warning' out || { echo "$probe"; cat out; exit 1; }
done < probes
