// SPDX-License-Identifier: GPL-2.0
/*
 * A function's return.
 *
 * What the entry handler saved lives in the kernel's own record of the call, so recursion and
 * several tasks at once need nothing from us. There are only so many records: a call that finds none
 * is a missed hit.
 *
 * The functions of one probe that ftrace has a site for share an ops and their records, see
 * compat/follow.c; so do those that a wildcard found and that ask for a number of records each. The others, those
 * that ask for one by name, and all on kernels that cannot do it, have a kretprobe each. Which way a miss went is known of the whole ops, not of its functions:
 * that is why each probe has its own.
 */
#include <linux/kprobes.h>
#include <linux/slab.h>

#include "probes/deadly.h"
#include "runtime.h"
#include "probes/hooks.h"

#define MOST_SLOTS 1024 /* of one function, by default */
#define LEAST_SLOTS 64
#define ALL_SLOTS 65536 /* shared out among the functions that have a kretprobe, by default */
#define SHARED_SLOTS 16384 /* of the functions of one probe that share theirs, by default */
#define MOST_ASKED (1 << 20) /* of one probe, whatever it asks for */

#define RECORD 96 /* of one call, beside what is kept at its entry; about as much in all kernels */

struct followers {
	u32 n, n_groups;
	struct stp_return_group *groups;
	struct stp_follower *each;
};

/* As many as are wanted, as long as those of all `n` together take no more than a 16th of the memory: strings that are
 * kept at entries make them large. But one for each CPU. */
static u32 affordable(u64 wanted, const struct stp_point *point, u32 n)
{
	u64 bytes = ((u64)totalram_pages() << PAGE_SHIFT) / 16 / n;
	u64 slots = bytes / roundup_pow_of_two(RECORD + stp_script.probes[point->probe].entry_size);

	return min3(wanted, max_t(u64, slots, num_possible_cpus()), (u64)MOST_ASKED);
}

/* ------------------------------------------------------------- by kretprobe */

static u32 slots_for(const struct stp_point *point, u32 n)
{
	u64 wanted = stp_script.limits.return_slots ?: clamp_t(u32, ALL_SLOTS / n, LEAST_SLOTS, MOST_SLOTS);

	return affordable(point->number > 0 ? point->number : wanted, point, n);
}

static void follow_one(struct followers *set, const struct stp_point *point, unsigned long address,
		       u32 n)
{
	struct stp_follower *f = &set->each[set->n];
	int error;

	if (stp_is_deadly(address) || stp_is_deadly_return(address)) {
		stp_point_failed(point, STP_DEADLY);
		return;
	}
	f->point = point;
	f->entry = address;
	f->probe.kp.addr = (kprobe_opcode_t *)address;
	f->probe.handler = stp_kretprobe_returned;
	f->probe.entry_handler = stp_kretprobe_entered;
	f->probe.data_size = stp_script.probes[point->probe].entry_size;
	f->probe.maxactive = slots_for(point, n);
	error = register_kretprobe(&f->probe);
	if (!error) {
		set->n++;
		return;
	}
	memset(f, 0, sizeof(*f));
	stp_point_failed(point, error);
}

static void unfollow_each(struct followers *set)
{
	struct kretprobe **probes = kvcalloc(max(set->n, 1u), sizeof(*probes), GFP_KERNEL);
	u32 i;

	for (i = 0; i < set->n; i++) {
		struct stp_follower *f = &set->each[i];

		/* Read before they go: a call that enters while they do gets no record either. */
		if (f->probe.nmissed)
			stp_missed(f->point, STP_MISS_SLOT, f->probe.nmissed);
		if (f->probe.kp.nmissed)
			stp_missed(f->point, STP_MISS_KERNEL, f->probe.kp.nmissed);
		if (probes)
			probes[i] = &f->probe;
		else
			unregister_kretprobe(&f->probe);
	}
	if (probes && set->n)
		unregister_kretprobes(probes, set->n);
	kvfree(probes);
}

/* ---------------------------------------------------------------- by ftrace */

/* How many records the functions of a group, one of `groups`, share: those that each asks for together, and a number
 * for those that ask for none. */
static u32 shared_slots(const struct stp_point *const *points, const unsigned long *sites, u32 n, u32 groups)
{
	u64 asked = 0, others = 0;
	u32 i;

	for (i = 0; i < n; i++) {
		if (sites[i] && points[i]->number > 0)
			asked += points[i]->number;
		else if (sites[i])
			others++;
	}
	others = stp_script.limits.return_slots ? others * stp_script.limits.return_slots :
						  min_t(u64, others * MOST_SLOTS, SHARED_SLOTS);
	return affordable(asked + others, points[0], groups);
}

/* Of the points at one place the first is served, and, when that means a system call, those that mean another:
 * without arguments those of 64 and of 32 bits are one function. The others get a kretprobe: a point that the probe
 * has twice is hit twice. */
static bool is_served(const struct stp_sites *sites, const struct stp_point *point, unsigned long ip)
{
	const struct stp_call *call = stp_call_of(point), *other;
	const struct stp_site *site = stp_sites_at(sites, ip);

	if (site->point == point)
		return true;
	if (!call || !stp_call_of(site->point))
		return false;
	for (; site && site->point != point; site = stp_site_next(sites, site)) {
		other = stp_call_of(site->point);
		if (other && call->number == other->number && call->ia32 == other->ia32)
			return false;
	}
	return site;
}

/* Zeroes, of those that are followed, `entries`. */
static int follow_group(struct stp_return_group *group, const struct stp_point *const *points,
			unsigned long *entries, const unsigned long *sites, unsigned long *ips, u32 n, u32 groups)
{
	const struct stp_probe *probe = &stp_script.probes[points[0]->probe];
	const struct stp_site *site;
	u32 i, count = 0, served = 0;
	bool asks = false;
	int error = stp_sites_create(&group->sites, points, entries, sites, n);

	for (i = 0; i < n && !error; i++) {
		if (sites[i] && stp_sites_at(&group->sites, sites[i])->point == points[i])
			ips[count++] = sites[i];
		served += sites[i] && is_served(&group->sites, points[i], sites[i]);
		asks |= points[i]->n_callers;
	}
	if (error || !count)
		return error;
	group->is_shared = served > count;
	group->any = points[0];
	group->follow = (struct stp_follow){
		.data_size = probe->entry_size,
		.slots = shared_slots(points, sites, n, groups),
		.asks = asks,
		.all_regs = asks || (probe->flags & STP_PROBE_ALL_REGS),
	};
	site = stp_sites_at(&group->sites, ips[0]);
	if (served == 1 && !asks) {
		group->one = (struct stp_followed){ site->point, stp_site_entry(site, ips[0]) };
		group->call = stp_call_of(site->point);
	}
	error = stp_follow(&group->follow, ips, count);
	for (i = 0; i < n && !error; i++)
		if (sites[i] && is_served(&group->sites, points[i], sites[i]))
			entries[i] = 0;
	return error ? error : served;
}

/* The points of one probe lie together. */
static u32 same_probe(const struct stp_point *const *points, u32 n)
{
	u32 count = 1;

	while (count < n && points[count]->probe == points[0]->probe)
		count++;
	return count;
}

/* How many are followed. What cannot be is left to kretprobes. */
static int follow_groups(struct followers *set, const struct stp_point *const *points,
			 unsigned long *entries, const unsigned long *sites, unsigned long *ips, u32 n)
{
	u32 i, count, most = 0;
	int done, all = 0;

	for (i = 0; i < n; i += same_probe(points + i, n - i))
		most++;
	set->groups = kvcalloc(most, sizeof(*set->groups), GFP_KERNEL);
	for (i = 0; i < n && set->groups; i += count) {
		struct stp_return_group *group = &set->groups[set->n_groups];

		count = same_probe(points + i, n - i);
		done = follow_group(group, points + i, entries + i, sites + i, ips, count, most);
		if (done > 0) {
			set->n_groups++;
			all += done;
		} else {
			stp_sites_destroy(&group->sites);
			/* The next one has it. */
			memset(group, 0, sizeof(*group));
		}
	}
	return all;
}

static void unfollow_groups(struct followers *set)
{
	unsigned long no_slot, skipped;
	u32 i;

	for (i = 0; i < set->n_groups; i++) {
		struct stp_return_group *group = &set->groups[i];

		/* Before it goes, as above. */
		stp_follow_missed(&group->follow, &no_slot, &skipped);
		if (no_slot)
			stp_missed(group->any, STP_MISS_SLOT, no_slot);
		if (skipped)
			stp_missed(group->any, STP_MISS_KERNEL, skipped);
		stp_unfollow(&group->follow);
		stp_sites_destroy(&group->sites);
	}
	kvfree(set->groups);
}

/* ----------------------------------------------------------------- the kind */

static int return_arm(const struct stp_point *const *points, u32 n, void **result)
{
	/* Of each point: where the function begins, ftrace's site there, and room for those in use. */
	unsigned long *entries = kvcalloc(3 * (size_t)n, sizeof(*entries), GFP_KERNEL);
	unsigned long *sites = entries + n, *ips = sites + n;
	struct followers *set = kzalloc(sizeof(*set), GFP_KERNEL);
	u32 i, left = 0;
	int armed = -ENOMEM;

	if (!entries || !set)
		goto out;
	stp_sites_of(points, entries, sites, n);
	stp_leave_deadly_returns(entries, sites, n);
	for (i = 0; i < n; i++)
		if (points[i]->number > 0 && !points[i]->is_wild)
			sites[i] = 0;
	armed = follow_groups(set, points, entries, sites, ips, n);
	for (i = 0; i < n; i++)
		left += !!entries[i];
	set->each = left ? kvcalloc(left, sizeof(*set->each), GFP_KERNEL) : NULL;
	for (i = 0; i < n; i++) {
		if (entries[i] && set->each)
			follow_one(set, points[i], entries[i], left);
		else if (entries[i])
			stp_point_failed(points[i], -ENOMEM);
	}
	armed += set->n;
	*result = set;
	set = NULL;
out:
	kvfree(entries);
	kfree(set);
	return armed;
}

static void return_disarm(void *state)
{
	struct followers *set = state;

	unfollow_groups(set);
	unfollow_each(set);
	kvfree(set->each);
	kfree(set);
}

const struct stp_probe_kind stp_return_kind = {
	.name = "function return",
	.arm = return_arm,
	.disarm = return_disarm,
};
