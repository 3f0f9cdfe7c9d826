// SPDX-License-Identifier: GPL-2.0
/*
 * A function's entry: ftrace, which costs 35 instructions where a breakpoint costs hundreds.
 *
 * All functions share one ftrace_ops; which point was hit is found by address in a hash table that
 * does not change while it is in use. A second ops, with all registers saved, serves the
 * handlers that read more than arguments (61 instructions), a third the points of callees, a
 * fourth those of system calls. Filters are set by address: by name one
 * address with several names is refused. What ftrace has no site for gets a breakpoint.
 *
 * The ops do not ask for ftrace's own protection against recursion: stp_hit() has one, and counts.
 */
#include <linux/ftrace.h>
#include <linux/hash.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "probes/callers.h"
#include "probes/kinds.h"
#include "probes/statement.h"

struct site {
	unsigned long ip;   /* of the ftrace site; 0: free */
	unsigned long entry; /* of the function */
	const struct stp_point *point;
	struct site *next; /* another point of the same site */
};

struct group {
	struct ftrace_ops ops;
	struct site *table; /* 1 << bits heads, then those that further points need */
	unsigned int bits;
	u32 n;
	bool registered;
};

struct entries {
	struct group groups[4];
	struct stp_breakpoints *breakpoints;
};

static __always_inline struct site *find(const struct group *group, unsigned long ip)
{
	u32 mask = (1u << group->bits) - 1, at = hash_long(ip, group->bits);

	/* At most half full. */
	while (group->table[at].ip) {
		if (group->table[at].ip == ip)
			return &group->table[at];
		at = (at + 1) & mask;
	}
	return NULL;
}

static noinline void hit_several(const struct site *site, struct ftrace_regs *fregs)
{
	for (; site; site = site->next)
		stp_hit(site->point, stp_ftrace_regs(fregs), NULL, site->entry, NULL);
}

static void hit(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
		struct ftrace_regs *fregs)
{
	const struct site *site = find(container_of(ops, struct group, ops), ip);

	if (unlikely(!site))
		return;
	if (unlikely(site->next))
		return hit_several(site, fregs);
	stp_hit(site->point, stp_ftrace_regs(fregs), NULL, site->entry, NULL);
}

/* Of points that want certain callers. Who asks the unwinder may probe it: this ops leaves it to ftrace
 * to keep what it does itself from coming here. */
static void hit_called(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
		       struct ftrace_regs *fregs)
{
	const struct group *group = container_of(ops, struct group, ops);
	const struct site *site = find(group, ip);

	for (; site; site = site->next)
		if (stp_called_as_said(site->point, stp_ftrace_regs(fregs)))
			stp_hit(site->point, stp_ftrace_regs(fregs), NULL, site->entry, NULL);
}

/* Of system calls: only some of the ways to the function are a point's own. */
static void hit_call(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
		     struct ftrace_regs *fregs)
{
	const struct group *group = container_of(ops, struct group, ops);
	const struct site *site = find(group, ip);

	for (; site; site = site->next)
		if (stp_is_call(site->point->call))
			stp_hit(site->point, stp_ftrace_regs(fregs), NULL, site->entry, NULL);
}

static const struct entries blank = { .groups = {
	{ .ops = { .func = hit } },
	{ .ops = { .func = hit, .flags = FTRACE_OPS_FL_SAVE_REGS } },
	{ .ops = { .func = hit_called,
		   .flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_RECURSION } },
	{ .ops = { .func = hit_call, .flags = FTRACE_OPS_FL_SAVE_REGS } },
} };

/*
 * Where the call to ftrace is: the function's first instruction, or the one behind ENDBR on
 * kernels built for indirect branch tracking. The nop or call that ftrace keeps there, or a breakpoint on
 * its way from one to the other, tells. 0: there is none. ftrace has the last word: code may begin with a
 * nop of its own.
 */
static unsigned long site_of(unsigned long entry)
{
	static const u8 endbr64[4] = { 0xf3, 0x0f, 0x1e, 0xfa };
	u8 code[9], *at = code;

	if (copy_from_kernel_nofault(code, (void *)entry, sizeof(code)))
		return 0;
	if (!memcmp(code, endbr64, sizeof(endbr64)))
		at += sizeof(endbr64);
	if (at[0] == 0xe8 || at[0] == 0xcc || (at[0] == 0x0f && at[1] == 0x1f && at[2] == 0x44))
		return entry + (at - code);
	return 0;
}

static void insert(struct group *group, unsigned long ip, unsigned long entry,
		   const struct stp_point *point)
{
	u32 mask = (1u << group->bits) - 1, at = hash_long(ip, group->bits);
	struct site *site = find(group, ip);

	if (site) {
		struct site *more = &group->table[mask + 1 + group->n++];

		*more = (struct site){ ip, entry, point, site->next };
		site->next = more;
		return;
	}
	while (group->table[at].ip)
		at = (at + 1) & mask;
	group->table[at] = (struct site){ ip, entry, point, NULL };
}

static int group_of(const struct stp_point *point)
{
	if (point->n_callers)
		return 2;
	if (point->call)
		return 3;
	return !!(stp_script.probes[point->probe].flags & STP_PROBE_ALL_REGS);
}

static bool is_in(const struct stp_point *point, unsigned long entry, int group)
{
	return entry && group_of(point) == group;
}

static int table_create(struct group *group, u32 n)
{
	group->bits = max(1, ilog2(roundup_pow_of_two(n)) + 1);
	group->n = 0;
	group->table = kvcalloc((1u << group->bits) + n, sizeof(*group->table), GFP_KERNEL);
	return group->table ? 0 : -ENOMEM;
}

/*
 * Adds to the filter. ftrace takes all or none; so when it refuses, each half is tried, and what is
 * refused alone is zeroed in `ips`. Recursion as deep as the logarithm of n.
 */
static void set_filter(struct group *group, unsigned long *ips, u32 n)
{
	if (!n || !ftrace_set_filter_ips(&group->ops, ips, n, 0, 0))
		return;
	if (n == 1) {
		ips[0] = 0;
		return;
	}
	set_filter(group, ips, n / 2);
	set_filter(group, ips + n / 2, n - n / 2);
}

/* Arms the points of one group; those that ftrace refuses keep their address in `left`. */
static int arm_group(struct entries *set, int which, const struct stp_point *const *points,
		     const unsigned long *entries, unsigned long *left, u32 n)
{
	/* By point; and, for ftrace, those that there are, one after the other. */
	unsigned long *sites = kvcalloc(2 * (size_t)n, sizeof(*sites), GFP_KERNEL), *ips = sites + n;
	struct group *group = &set->groups[which];
	int error, armed = 0;
	u32 i, wanted = 0;

	if (!sites)
		return -ENOMEM;
	error = table_create(group, n);
	for (i = 0; i < n && !error; i++) {
		sites[i] = is_in(points[i], entries[i], which) ? site_of(entries[i]) : 0;
		if (sites[i])
			ips[wanted++] = sites[i];
	}
	if (!error) {
		set_filter(group, ips, wanted);
		for (i = 0, wanted = 0; i < n; i++) {
			if (!is_in(points[i], entries[i], which))
				continue;
			if (sites[i] && ips[wanted++]) {
				insert(group, sites[i], entries[i], points[i]);
				armed++;
			} else {
				left[i] = entries[i];
			}
		}
	}
	if (armed) {
		error = register_ftrace_function(&group->ops);
		group->registered = !error;
	}
	kvfree(sites);
	if (!error)
		return armed;
	for (i = 0; i < n; i++)
		if (is_in(points[i], entries[i], which))
			left[i] = entries[i];
	return 0;
}

static int arm(const struct stp_point *const *points, u32 n, void **result)
{
	struct entries *set = kvmalloc(sizeof(*set), GFP_KERNEL);
	unsigned long *entries = kvcalloc(n, sizeof(*entries), GFP_KERNEL);
	unsigned long *left = kvcalloc(n, sizeof(*left), GFP_KERNEL);
	int armed = 0, group, more;
	u32 i, n_left = 0;

	if (!set || !entries || !left) {
		kvfree(set);
		armed = -ENOMEM;
		goto out;
	}
	*set = blank;
	*result = set;
	for (i = 0; i < n; i++) {
		entries[i] = stp_resolve(points[i]);
		if (!entries[i])
			stp_point_failed(points[i], -ENOENT);
	}
	for (group = 0; group < ARRAY_SIZE(set->groups); group++) {
		more = arm_group(set, group, points, entries, left, n);
		armed = more < 0 ? armed : armed + more;
	}
	for (i = 0; i < n; i++)
		n_left += !!left[i];
	if (n_left)
		set->breakpoints = stp_breakpoints_arm(points, left, n, &armed);
out:
	kvfree(entries);
	kvfree(left);
	return armed;
}

static void disarm(void *entries)
{
	struct entries *set = entries;
	int i;

	for (i = 0; i < ARRAY_SIZE(set->groups); i++) {
		struct group *group = &set->groups[i];

		/* Returns when no CPU is in the ops or in a trampoline to it. */
		if (group->registered)
			unregister_ftrace_function(&group->ops);
		if (group->table)
			ftrace_free_filter(&group->ops);
		kvfree(group->table);
	}
	stp_breakpoints_disarm(set->breakpoints);
	kvfree(set);
}

const struct stp_probe_kind stp_entry_kind = {
	.name = "function entry",
	.arm = arm,
	.disarm = disarm,
};
