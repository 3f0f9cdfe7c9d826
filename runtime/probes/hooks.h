/* SPDX-License-Identifier: GPL-2.0 */
/* Functions that are followed, as those who arm them and those who are called at a hit know them. */
#ifndef STP_HOOKS_H
#define STP_HOOKS_H

#include <linux/ftrace.h>
#include <linux/kprobes.h>

#include "call.h"
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
	struct stp_followed one;    /* where there is one point, which asks for no callers; else zeroes */
	const struct stp_call *call; /* of that point: which calls are its own; NULL: all */
	bool is_shared;		    /* some function serves several system calls */
	const struct stp_point *any;
};

/* The same when which of them it is takes more than the address. For scripts with several returns, or of certain callers. */
STP_IF_NEEDED struct stp_followed stp_followed_of(const struct stp_return_group *group, unsigned long ip,
						  const struct pt_regs *regs);

/* Whose call has been entered; without a point: nobody's. */
static __always_inline struct stp_followed stp_followed(const struct stp_follow *follow, unsigned long ip,
							const struct pt_regs *regs)
{
	const struct stp_return_group *group = container_of(follow, struct stp_return_group, follow);

	if (unlikely(!group->one.point))
		return stp_followed_of(group, ip, regs);
	if (group->call && !stp_is_call(group->call, stp_made_call()))
		return (struct stp_followed){};
	return group->one;
}

#endif
