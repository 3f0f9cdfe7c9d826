#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# agent.sh SHARED FILE...: serves a VmSession inside of the guest.
#
# Takes a number per line from its input. SHARED/N/command is then run, with SHARED/N/load beside it
# if there is one; out, err, status, kernel_log and left appear in SHARED/N, and N is
# answered. Output is collected in memory first: a write to the shared folder goes through the very
# kernel code that scripts trace.
shared=$1
shift
mkdir -p /opt
for file; do cp "$file" /opt/; done
export PROGS=/opt PATH=/opt:$PATH
# Modules, functions that ftrace calls somebody for, breakpoints: what a test may leave behind.
armed() {
	sed 's/ .*//; s/^/module /' /proc/modules
	sed 's/^/traced /' /sys/kernel/tracing/enabled_functions
	sed 's/^/breakpoint /' /sys/kernel/debug/kprobes/list
}
echo ready
while read -r n; do
	here=$shared/$n
	work=/tmp/$n
	mkdir "$work"
	cd "$work" || exit 1
	armed > /tmp/armed.before
	dmesg -c > /tmp/log
	load=
	if [ -e "$here/load" ]; then
		cp "$here/load" /tmp/load
		setsid sh /tmp/load > /dev/null 2>&1 < /dev/null &
		load=$!
	fi
	cp "$here/command" /tmp/command
	sh /tmp/command > /tmp/out 2> /tmp/err < /dev/null
	status=$?
	[ -z "$load" ] || { kill -KILL "-$load"; wait "$load"; } 2> /dev/null
	cd /
	armed > /tmp/armed.after
	dmesg > "$here/kernel_log"
	grep -vxFf /tmp/armed.before /tmp/armed.after > "$here/left"
	cp /tmp/out /tmp/err "$here/"
	echo $status > "$here/status"
	rm -rf "$work"
	echo "$n"
done
