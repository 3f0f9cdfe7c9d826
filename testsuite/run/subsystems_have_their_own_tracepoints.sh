#!/bin/sh
# A pattern of a subsystem stands for no tracepoint that has none or another; one that has none is found when its whole name
# is said.
#
# where: host
# timeout: 200
list() { "$STP" list -r "$KERNEL" "kernel.trace(\"$1\")" 2> err; }
list 'sched:*' | grep -q '"sched_switch"' || { cat err; exit 1; }
! list 'ext4:*' | grep -v ext4 || exit 1
! list 'irq:*' | grep -v '"irq_\|"softirq_\|"tasklet_' || exit 1
! list 'nosuch:*' || exit 1
grep -q "no tracepoint 'nosuch:\*'" err || { cat err; exit 1; }
[ "$(list 'sched:pelt_cfs_tp')" = 'kernel.trace("pelt_cfs_tp")' ] || { list 'sched:pelt_cfs_tp'; cat err; exit 1; }
! list 'irq:sched_switch' || exit 1
grep -q "did you mean 'sched:sched_switch'?" err || { cat err; exit 1; }
