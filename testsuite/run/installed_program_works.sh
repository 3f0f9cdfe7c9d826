#!/bin/sh
# What `make install` puts below a prefix works from there, with the library, the runtime's sources and
# the virtual machine's programs.
#
# where: host
# timeout: 120
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
make -s -C "$(dirname "$STP")" install PREFIX="$prefix" > "$prefix/log" 2>&1 || { cat "$prefix/log"; exit 1; }
cd /
"$prefix/bin/stp" run --vm -e 'probe begin { println(thread_indent(1) != "" ? "installed" : "no library") exit() }' > "$prefix/out" 2> "$prefix/err"
[ "$(cat "$prefix/out")" = installed ] || { cat "$prefix/out" "$prefix/err"; exit 1; }
"$prefix/libexec/stp/stap" -r "$KERNEL" -p2 -e 'probe begin { println(thread_indent(1)) }' | grep -q '^begin ' || exit 1
"$prefix/bin/stp" help functions | grep -q '^thread_indent:string'
