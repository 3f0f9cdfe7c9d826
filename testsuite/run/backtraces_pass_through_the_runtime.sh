#!/bin/sh
# The unwinder's table of a module is shortened where functions keep a frame pointer: backtraces that the kernel
# takes in what the runtime calls have all of its functions, and go on to those that called it. Functions without
# one, of the script and of the way to it, stand in between.
#
# script: global a
# script: probe kernel.function("vfs_read") { try { a[execname()] = kernel_string(1) } catch { } }
# script: probe begin { try { a["begin"] = kernel_string(1) } catch { } }
cd /sys/kernel/tracing
echo relay_open > set_ftrace_filter
echo relay_close >> set_ftrace_filter
echo copy_from_kernel_nofault >> set_ftrace_filter
echo function > current_tracer
echo 1 > options/func_stack_trace
stp-load -c 'head -c 1 /dev/zero > /dev/null' "$MODULE" > /dev/null || exit 1
# A backtrace is a line here; functions of modules that are gone have no name.
sed 's/^ => 0xffffffff[0-9a-f]*/ M/; s/^ => / /' trace | awk '
	/<stack trace>/ { if (text) print text; text = ">"; next }
	/^ [^ ]/ { text = text $0; next }
	{ if (text) print text; text = "" }' > /tmp/traces
echo 0 > options/func_stack_trace
echo nop > current_tracer
echo > set_ftrace_filter
for expected in 'relay_open M M do_one_initcall .*do_syscall_64' 'relay_close M M .*delete_module .*do_syscall_64' \
	'copy_from_kernel_nofault\( M\)\{4,\} process_one_work worker_thread kthread' \
	'copy_from_kernel_nofault\( M\)\{4,\} vfs_read ksys_read .*do_syscall_64'; do
	grep -q " $expected" /tmp/traces || {
		echo "none is $expected:"
		sort -u /tmp/traces
		exit 1
	}
done
