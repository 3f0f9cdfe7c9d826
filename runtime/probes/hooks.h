/* SPDX-License-Identifier: GPL-2.0 */
/* Functions that are followed, as those who arm them and those who are called at a hit know them. */
#ifndef STP_HOOKS_H
#define STP_HOOKS_H

#include <linux/ftrace.h>
#include <linux/kprobes.h>

#include "compat/follow.h"
#include "probes/sites.h"

/* Points of functions' entries that share an ops. */
struct stp_entry_group {
	struct ftrace_ops ops;
	struct stp_sites sites;
	const struct stp_point *only; /* with stp_entry_hit_one() and stp_entry_hit_one_behind() */
	bool registered;
};

/* These may be an ops' function, each of a group: ftrace's `ops.func`. Scripts with several points need this one. */
STP_IF_NEEDED void stp_entry_hit(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
		   struct ftrace_regs *fregs);
/* Of one site with one point. */
void stp_entry_hit_one(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
		       struct ftrace_regs *fregs);
/* The same, of a function that begins with ENDBR. */
void stp_entry_hit_one_behind(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			      struct ftrace_regs *fregs);
/* Of points that want certain callers. */
STP_IF_NEEDED void stp_entry_hit_called(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			  struct ftrace_regs *fregs);
/* Of system calls. */
STP_IF_NEEDED void stp_entry_hit_call(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			struct ftrace_regs *fregs);

/* A function whose return is followed by a kretprobe of its own. */
struct stp_follower {
	struct kretprobe probe;
	const struct stp_point *point;
	unsigned long entry; /* kp.addr moves behind ENDBR where the kernel has it */
};

/* A kretprobe's handlers. */
int stp_kretprobe_entered(struct kretprobe_instance *instance, struct pt_regs *regs);
int stp_kretprobe_returned(struct kretprobe_instance *instance, struct pt_regs *regs);

/* The functions of one probe whose returns are followed by ftrace. */
struct stp_return_group {
	struct stp_follow follow;
	struct stp_sites sites;
	const struct stp_site *only; /* NULL: there are several */
	const struct stp_point *any;
};

/* What struct stp_follow calls. */
int stp_follow_entered(struct stp_follow *follow, unsigned long ip, struct pt_regs *regs, void *data);
void stp_follow_returned(struct stp_follow *follow, unsigned long ip, struct pt_regs *regs, void *data);
/* The same, of a group of which a function serves several system calls. */
STP_IF_NEEDED int stp_follow_entered_shared(struct stp_follow *follow, unsigned long ip, struct pt_regs *regs, void *data);
STP_IF_NEEDED void stp_follow_returned_shared(struct stp_follow *follow, unsigned long ip, struct pt_regs *regs,
				void *data);

#endif
