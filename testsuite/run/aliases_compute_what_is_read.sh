#!/bin/sh
# Of the variables that an alias of the library sets, handlers compute those that somebody reads.
#
# where: host
# timeout: 120
calls() { # SCRIPT: of the function that makes a packet's data hexadecimal
	"$(dirname "$STP")/stap" -p3 -r "$KERNEL" -e "$1" > code || exit 1
	grep -c 'fn_hex(c,' code
}
n=$(calls 'global n probe netfilter.ip.local_in { if (dport == 4000) n++ } probe end { println(n) }')
[ "$n" = 0 ] || { echo "data_hex is computed $n times and never read"; exit 1; }
n=$(calls 'probe netfilter.ip.local_in { if (dport == 4000) println(data_hex) }')
[ "$n" = 2 ] || { echo "data_hex is read in 2 handlers and computed in $n"; exit 1; }
