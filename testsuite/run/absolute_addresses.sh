#!/bin/sh
# Addresses of the running kernel, which are known when it runs: they are put into the module. What is
# no code, or no longer, is told and does no harm.
#
# build: -g
# script: global a, b
# script: probe kernel.statement(0xffff0a0b0c0d0e01).absolute { if (pid() == target()) a++ }
# script: probe kprobe.statement(0xffff0a0b0c0d0e02).absolute { if (pid() == target()) b++ }
# script: probe kernel.statement(0xffff0a0b0c0d0e03).absolute { println("middle") }
# script: probe kernel.statement(0xffff0a0b0c0d0e04).absolute { println("data") }
# script: probe kernel.statement(0xffff0a0b0c0d0e05).absolute { println("init") }
# script: probe kernel.statement(0xffff0a0b0c0d0e06).absolute { println("nothing") }
# script: probe end { printf("%d %d\n", a, b) }
cp "$MODULE" absolute.ko
"$PROGS/put_addresses" absolute.ko vfs_write ksys_write vfs_write+2 jiffies start_kernel || exit 1
stp-load absolute.ko -c "exec $PROGS/write_sizes 10" > out 2> err
status=$?
cat out err
[ $status = 0 ] && [ "$(cat out)" = "10 10" ] && [ "$(wc -l < err)" = 4 ] || exit 1
for n in 3 4 5 6; do
	grep -q "probe kernel.statement(0xffff0a0b0c0d0e0$n).absolute was not armed" err || exit 1
done
grep -q 'e06).absolute was not armed.*nothing is there' err
