// SPDX-License-Identifier: GPL-2.0
/*
 * A function's entry: ftrace, which costs 35 instructions where a breakpoint costs hundreds.
 *
 * All functions share one ftrace_ops; which point was hit is found by address in a hash table that
 * does not change while it is in use. A second ops, with all registers saved, serves the
 * handlers that read more than arguments (61 instructions), a third the points of callees, two more those
 * of system calls. Filters are set by address: by name one address with several names is refused. What ftrace has no site for gets
 * a breakpoint: of 42 000 functions of a kernel 5 000, nearly all declared inline, which the kernel
 * takes to mean that ftrace is to stay out.
 *
 * The ops do not ask for ftrace's own protection against recursion: stp_hit() has one, and counts.
 */
#include <linux/ftrace.h>
#include <linux/slab.h>

#include "runtime.h"
#include "probes/hooks.h"
#include "probes/statement.h"

struct entries {
	struct stp_entry_group groups[5];
	struct stp_breakpoints *breakpoints;
};

static const struct entries blank = { .groups = {
	{ .ops = { .func = stp_entry_hit } },
	{ .ops = { .func = stp_entry_hit, .flags = FTRACE_OPS_FL_SAVE_REGS } },
	{ .ops = { .func = stp_entry_hit_called,
		   .flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_RECURSION } },
	{ .ops = { .func = stp_entry_hit_call } },
	{ .ops = { .func = stp_entry_hit_call, .flags = FTRACE_OPS_FL_SAVE_REGS } },
} };

static int group_of(const struct stp_point *point)
{
	bool all_regs = stp_script.probes[point->probe].flags & STP_PROBE_ALL_REGS;

	if (point->n_callers)
		return 2;
	return stp_call_of(point) ? 3 + all_regs : all_regs;
}

static int register_group(struct stp_entry_group *group, const struct stp_point *const *points,
			  const unsigned long *entries, const unsigned long *own,
			  unsigned long *ips, u32 count, u32 n)
{
	int error = stp_sites_create(&group->sites, points, entries, own, n);

	if (!error && count == 1 && group->ops.func == stp_entry_hit) {
		const struct stp_site *site = stp_sites_at(&group->sites, ips[0]);

		group->only = site->point;
		group->ops.func = site->is_behind ? stp_entry_hit_one_behind : stp_entry_hit_one;
	}
	if (!error && !group->ops.func)
		error = -ENOSYS; /* the script did not say that it needs it */
	if (!error)
		error = ftrace_set_filter_ips(&group->ops, ips, count, 0, 0);
	if (!error)
		error = register_ftrace_function(&group->ops);
	group->registered = !error;
	return error;
}

/* Arms the points of one group that have a site. How many there were. */
static int arm_group(struct stp_entry_group *group, int which, const struct stp_point *const *points,
		     const unsigned long *entries, const unsigned long *sites, u32 n)
{
	/* By point; and, for ftrace, those that there are, one after the other. */
	unsigned long *own = kvcalloc(2 * (size_t)n, sizeof(*own), GFP_KERNEL), *ips = own + n;
	int error = own ? 0 : -ENOMEM;
	u32 i, count = 0;

	for (i = 0; i < n && own; i++) {
		own[i] = group_of(points[i]) == which ? sites[i] : 0;
		if (own[i])
			ips[count++] = own[i];
	}
	if (count)
		error = register_group(group, points, entries, own, ips, count, n);
	kvfree(own);
	for (i = 0; i < n && error; i++)
		if (sites[i] && group_of(points[i]) == which)
			stp_point_failed(points[i], error);
	return error ? 0 : count;
}

static int entry_arm(const struct stp_point *const *points, u32 n, void **result)
{
	struct entries *set = kvmalloc(sizeof(*set), GFP_KERNEL);
	/* Of each point: where the function begins, where ftrace's site is, what is left for breakpoints. */
	unsigned long *entries = kvcalloc(3 * (size_t)n, sizeof(*entries), GFP_KERNEL);
	unsigned long *sites = entries + n, *left = sites + n;
	int armed = 0, group;
	u32 i, n_left = 0;

	if (!set || !entries) {
		kvfree(set);
		armed = -ENOMEM;
		goto out;
	}
	*set = blank;
	*result = set;
	stp_sites_of(points, entries, sites, n);
	for (i = 0; i < n; i++) {
		left[i] = sites[i] ? 0 : entries[i];
		n_left += !!left[i];
	}
	/* First: what arms them is slow enough when nobody traces it. */
	if (n_left)
		set->breakpoints = stp_breakpoints_arm(points, left, n, &armed);
	for (group = 0; group < ARRAY_SIZE(set->groups); group++)
		armed += arm_group(&set->groups[group], group, points, entries, sites, n);
out:
	kvfree(entries);
	return armed;
}

static void entry_disarm(void *entries)
{
	struct entries *set = entries;
	int i;

	for (i = 0; i < ARRAY_SIZE(set->groups); i++) {
		struct stp_entry_group *group = &set->groups[i];

		/* Returns when no CPU is in the ops or in a trampoline to it. */
		if (group->registered)
			unregister_ftrace_function(&group->ops);
		ftrace_free_filter(&group->ops);
		stp_sites_destroy(&group->sites);
	}
	stp_breakpoints_disarm(set->breakpoints);
	kvfree(set);
}

const struct stp_probe_kind stp_entry_kind = {
	.name = "function entry",
	.arm = entry_arm,
	.disarm = entry_disarm,
};
