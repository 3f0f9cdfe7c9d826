/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The returns of many functions by one hook, as fprobe does it from v6.3 on: one ftrace_ops for their
 * entries, one pool of slots for the calls that are under way.
 */
#ifndef STP_FOLLOW_H
#define STP_FOLLOW_H

#include <linux/fprobe.h>
#include <linux/ftrace.h>

/* What entered() gave 0 for, returned() is called for, with the same `data`: data_size bytes. Both run
 * with preemption off, in any context. `ip`: ftrace's site. */
struct stp_follow {
	int (*entered)(struct stp_follow *follow, unsigned long ip, struct pt_regs *regs, void *data);
	void (*returned)(struct stp_follow *follow, unsigned long ip, struct pt_regs *regs, void *data);
	size_t data_size;
	u32 slots;

	/* The rest is this file's own. */
	struct fprobe fprobe; /* or of it, the ops alone */
	struct rethook *pool;
	atomic_long_t no_slot, skipped;
};

/* Zeroed but for what the caller says. -EOPNOTSUPP: this kernel has no such thing. Process context. */
int stp_follow(struct stp_follow *follow, unsigned long *ips, u32 n);
/* Returns when neither function runs any more or will run. */
void stp_unfollow(struct stp_follow *follow);
/* Calls that found no slot, and calls that came while ftrace was at work on that CPU, or where RCU does not
 * watch. Newer kernels do not tell them apart: then all are the former. */
void stp_follow_missed(struct stp_follow *follow, unsigned long *no_slot, unsigned long *skipped);

#endif
