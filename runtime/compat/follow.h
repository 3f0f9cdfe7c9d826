/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The returns of many functions by one hook, as fprobe does it from v6.3 on: one ftrace_ops for their
 * entries, slots for the calls that are under way.
 */
#ifndef STP_FOLLOW_H
#define STP_FOLLOW_H

#include <linux/fprobe.h>
#include <linux/ftrace.h>

/* What is kept of a call that is under way. */
struct stp_followed {
	const struct stp_point *point;
	unsigned long entry; /* where its function begins */
};

struct stp_follow {
	size_t data_size; /* of what stp_hit_entry() fills at a call, and stp_hit() finds at its return */
	u32 slots;
	bool all_regs; /* at the call: not only those that a function's entry keeps */
	bool asks;     /* finding out whose call it is runs what may be followed itself */

	/* The rest is this file's own. */
	struct fprobe fprobe; /* or of it, the ops alone */
	struct rethook **pools; /* by CPU: its own, if there are slots enough */
	u32 n_pools;		/* the first are all that there are */
	atomic_long_t no_slot, skipped;
};

/* Zeroed but for what the caller says; part of a struct stp_return_group. -EOPNOTSUPP: this kernel has no such
 * thing. Process context. */
int stp_follow(struct stp_follow *follow, unsigned long *ips, u32 n);
/* Returns when no handler runs any more or will run. */
void stp_unfollow(struct stp_follow *follow);
/* Calls that found no slot, and calls that came while ftrace was at work on that CPU, or where RCU does not
 * watch. Newer kernels do not tell them apart: then all are the former. */
void stp_follow_missed(struct stp_follow *follow, unsigned long *no_slot, unsigned long *skipped);

#endif
