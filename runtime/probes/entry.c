// SPDX-License-Identifier: GPL-2.0
/*
 * A function's entry: ftrace, which costs 35 instructions where a breakpoint costs hundreds.
 *
 * All functions share one ftrace_ops; which point was hit is found by address in a hash table that
 * does not change while it is in use. A second ops, with all registers saved, serves the
 * handlers that read more than arguments (61 instructions), a third the points of callees, a fourth those
 * of system calls. Filters are set by address: by name one address with several names is refused. What ftrace has no site for gets
 * a breakpoint: of 42 000 functions of a kernel 5 000, nearly all declared inline, which the kernel
 * takes to mean that ftrace is to stay out.
 *
 * The ops do not ask for ftrace's own protection against recursion: stp_hit() has one, and counts.
 */
#include <linux/ftrace.h>
#include <linux/slab.h>

#include "probes/callers.h"
#include "runtime.h"
#include "probes/sites.h"
#include "probes/statement.h"

struct group {
	struct ftrace_ops ops;
	struct stp_sites sites;
	const struct stp_point *only; /* with hit_one() and hit_one_behind() */
	bool registered;
};

struct entries {
	struct group groups[4];
	struct stp_breakpoints *breakpoints;
};

static noinline void hit_several(const struct stp_sites *sites, const struct stp_site *site,
				 unsigned long ip, struct ftrace_regs *fregs)
{
	for (; site; site = stp_site_next(sites, site))
		stp_hit(site->point, stp_ftrace_regs(fregs), NULL, stp_site_entry(site, ip), NULL);
}

static void hit(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
		struct ftrace_regs *fregs)
{
	const struct stp_sites *sites = &container_of(ops, struct group, ops)->sites;
	const struct stp_site *site = stp_sites_at(sites, ip);

	if (unlikely(!site))
		return;
	if (unlikely(stp_site_next(sites, site)))
		return hit_several(sites, site, ip, fregs);
	stp_hit(site->point, stp_ftrace_regs(fregs), NULL, stp_site_entry(site, ip), NULL);
}

/* Of an ops with one site and one point there: its filter lets nothing else through. */
static void hit_one(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
		    struct ftrace_regs *fregs)
{
	stp_hit(container_of(ops, struct group, ops)->only, stp_ftrace_regs(fregs), NULL, ip, NULL);
}

/* The same, of a function that begins 4 bytes before, with ENDBR. */
static void hit_one_behind(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			   struct ftrace_regs *fregs)
{
	stp_hit(container_of(ops, struct group, ops)->only, stp_ftrace_regs(fregs), NULL, ip - 4, NULL);
}

/* Of points that want certain callers. Who asks the unwinder may probe it: this ops leaves it to ftrace
 * to keep what it does itself from coming here. */
static void hit_called(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
		       struct ftrace_regs *fregs)
{
	const struct stp_sites *sites = &container_of(ops, struct group, ops)->sites;
	const struct stp_site *site = stp_sites_at(sites, ip);

	for (; site; site = stp_site_next(sites, site))
		if (stp_called_as_said(site->point, stp_ftrace_regs(fregs), 0))
			stp_hit(site->point, stp_ftrace_regs(fregs), NULL, stp_site_entry(site, ip),
				NULL);
}

/* Of system calls: only some of the ways to the function are a point's own. */
static void hit_call(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
		     struct ftrace_regs *fregs)
{
	const struct stp_sites *sites = &container_of(ops, struct group, ops)->sites;
	const struct stp_site *site = stp_sites_at(sites, ip);

	for (; site; site = stp_site_next(sites, site))
		if (stp_is_call(stp_call_of(site->point)))
			stp_hit(site->point, stp_ftrace_regs(fregs), NULL, stp_site_entry(site, ip),
				NULL);
}

static const struct entries blank = { .groups = {
	{ .ops = { .func = hit } },
	{ .ops = { .func = hit, .flags = FTRACE_OPS_FL_SAVE_REGS } },
	{ .ops = { .func = hit_called,
		   .flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_RECURSION } },
	{ .ops = { .func = hit_call, .flags = FTRACE_OPS_FL_SAVE_REGS } },
} };

static int group_of(const struct stp_point *point)
{
	if (point->n_callers)
		return 2;
	if (stp_call_of(point))
		return 3;
	return !!(stp_script.probes[point->probe].flags & STP_PROBE_ALL_REGS);
}

static int register_group(struct group *group, const struct stp_point *const *points,
			  const unsigned long *entries, const unsigned long *own,
			  unsigned long *ips, u32 count, u32 n)
{
	int error = stp_sites_create(&group->sites, points, entries, own, n);

	if (!error && count == 1 && group->ops.func == hit) {
		const struct stp_site *site = stp_sites_at(&group->sites, ips[0]);

		group->only = site->point;
		group->ops.func = site->is_behind ? hit_one_behind : hit_one;
	}
	if (!error)
		error = ftrace_set_filter_ips(&group->ops, ips, count, 0, 0);
	if (!error)
		error = register_ftrace_function(&group->ops);
	group->registered = !error;
	return error;
}

/* Arms the points of one group that have a site. How many there were. */
static int arm_group(struct group *group, int which, const struct stp_point *const *points,
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
		struct group *group = &set->groups[i];

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
