#!/bin/sh
# Three pings between two namespaces that a bridge joins: what the bridge forwards, what ARP asks (the bridge as
# well) and answers, and the ping that never comes back because the script says so. The guest gets the
# kernel's own modules for that.
#
# where: host
# timeout: 200
top=$(dirname "$STP")
release=$("$top/vm/fetch-kernel" "$KERNEL")
tree=${STP_CACHE:-$HOME/.cache/stp}/kernels/$release
for name in llc stp bridge veth; do
	file=$(find "$tree/lib/modules" -name "$name.ko*" | head -n 1)
	case $file in
	*.xz) xz -dc "$file" > "$name.ko" ;;
	*) cp "$file" "$name.ko" ;;
	esac
done
cat > network.sh <<'END'
cd "$(dirname "$0")"
for name in llc stp bridge veth; do insmod "./$name.ko" || exit 1; done
sysctl -qw net.ipv6.conf.default.disable_ipv6=1
brctl addbr br0
ip link set br0 up
for side in 1 2; do
	unshare -n sleep 60 &
	eval "pid$side=$!"
	sleep 1
	ip link add "port$side" type veth
	brctl addif br0 "port$side"
	ip link set "port$side" up
	ip link set veth0 netns $!
	nsenter -t $! -n sh -c "ip link set veth0 up; ip addr add 10.0.0.$side/24 dev veth0"
done
# A bridge takes its time until it forwards.
sleep 1
nsenter -t $pid1 -n ping -c 3 -W 1 10.0.0.2 | grep transmitted
kill $pid1 $pid2
END
cat > script.stp <<'END'
global n, replies
probe netfilter.bridge.forward {
  if (protocol != 0x800) next
  icmp = kernel_char($skb->data + 20) & 0xff
  n[icmp == 8 ? "request" : "reply", indev_name, outdev_name]++
  if (icmp == 0 && ++replies == 3) $verdict = nf_drop
}
probe netfilter.arp.in { n[ar_op == 1 ? "who has" : "is at", ar_tip, ar_sip]++ }
probe netfilter.arp.out { if (ar_pro == 0x800 && ar_hrd == 1) n["out", ar_op == 1 ? "who has" : "is at", pf]++ }
probe end { foreach ([a+, b, c] in n) printf("%s %s %s: %d\n", a, b, c, n[a, b, c]) }
END
"$STP" run --vm -r "$release" -g --share "$PWD" -c "sh $PWD/network.sh" script.stp > out 2> err
cat out err
for line in 'request port1 port2: 3' 'reply port2 port1: 3' 'who has 10.0.0.2 10.0.0.1: 2' 'is at 10.0.0.1 10.0.0.2: 1' \
	'out is at arp: 1' 'out who has arp: 1' '3 packets transmitted, 2 packets received, 33% packet loss'; do
	grep -qxF "$line" out || { echo "not '$line'"; exit 1; }
done
