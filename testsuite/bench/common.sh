# SPDX-License-Identifier: GPL-2.0
# What the benches share: each begins with `. testsuite/bench/common.sh`, at the top of the tree.
cd "$(dirname "$0")/../.."
kernel=${1:-$(awk '!/^#/ && NF { print $1; exit }' vm/kernels.list)}
# A name of the list becomes a release: of those that begin with 6.1 there may be several.
grep -q "^$kernel[[:space:]]" vm/kernels.list && kernel=$(vm/fetch-kernel "$kernel")
progs=${B:-build}/testsuite/progs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Where build-lttng puts that tracer, and throughput looks for it.
lttng=${B:-build}/lttng/$kernel

row() { printf '%-50s' "$1"; shift; printf ' %11s' "$@"; echo; }
# build NAME STP-BUILD-OPTION...: the module $work/NAME.ko.
build() {
	name=$1; shift
	./stp build -r "$kernel" -o "$work/$name.ko" "$@" > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
}
# guest OPTION... -- SCRIPT WORD...: runs the shell script in a guest, with $1 this bench's folder.
guest() {
	options=
	while [ "$1" != -- ]; do options="$options $1"; shift; done
	shift
	vm/run-in-vm --kernel "$kernel" --share "$work" $options -- sh -c "$@" < /dev/null
}
# In a guest the peers are this machine's own: with_peers for guest(), peers for the script.
with_peers='--share /usr --share /etc --memory 3072'
peers='ln -s usr/lib /lib; ln -s usr/lib64 /lib64; export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root LANG=C
	mkdir -p /root /tmp /var/run /var/log'
# has PROGRAM: whether a peer is installed; says how to install it when it is not.
has() {
	command -v "$1" > /dev/null && return
	echo "($1 is not here: its figures are left out; apt-get install $2)"
	return 1
}
cp stp-load "$work/"
# kernel_build: the folder with which modules for the kernel are built, where vm/run-in-vm looks for the kernel.
kernel_build() {
	for modules in "${STP_CACHE:-$HOME/.cache/stp}"/kernels/"$kernel"/lib/modules/"$kernel" \
		"${STP_CACHE:-$HOME/.cache/stp}"/kernels/"$kernel"/usr/lib/modules/"$kernel" /lib/modules/"$kernel"; do
		[ ! -d "$modules/build" ] || break
	done
	echo "$modules/build"
}
