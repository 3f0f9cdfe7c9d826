// SPDX-License-Identifier: GPL-2.0
/*
 * A function's return: kretprobes, which kernels from 6.1 on build on rethook where they can.
 *
 * What the entry handler saved lives in the kernel's own record of the call, so recursion and
 * several tasks at once need nothing from us. There are only so many records (maxactive); a call that
 * finds none is a missed hit, and the kernel counts it.
 */
#include <linux/kprobes.h>
#include <linux/slab.h>

#include "probes/callers.h"
#include "probes/kinds.h"

#define MOST_SLOTS 1024 /* of one function, by default */
#define LEAST_SLOTS 64
#define ALL_SLOTS 65536 /* shared out among the functions, by default */

struct follower {
	struct kretprobe probe;
	const struct stp_point *point;
	unsigned long entry; /* kp.addr moves behind ENDBR where the kernel has it */
};

struct followers {
	u32 n;
	struct follower each[];
};

static struct follower *follower_of(struct kretprobe_instance *instance)
{
	return container_of(get_kretprobe(instance), struct follower, probe);
}

/* Non-zero: the return is not followed. */
static int entered(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	const struct follower *f = follower_of(instance);

	if (f->point->n_callers && !stp_called_as_said(f->point, regs))
		return 1;
	if (f->point->call && !stp_is_call(f->point->call))
		return 1;
	return !stp_hit_entry(f->point, regs, f->entry, instance->data);
}

static int returned(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	const struct follower *f = follower_of(instance);

	stp_hit(f->point, regs, NULL, f->entry, instance->data);
	return 0;
}

static int slots_for(const struct stp_point *point, u32 n)
{
	if (point->number > 0)
		return min_t(s64, point->number, 1 << 20);
	if (stp_script.limits.return_slots)
		return stp_script.limits.return_slots;
	return clamp_t(u32, ALL_SLOTS / n, LEAST_SLOTS, MOST_SLOTS);
}

static int arm_one(struct follower *f, const struct stp_point *point, u32 n)
{
	unsigned long address = stp_resolve(point);

	if (!address)
		return -ENOENT;
	f->point = point;
	f->entry = address;
	f->probe.kp.addr = (kprobe_opcode_t *)address;
	f->probe.handler = returned;
	f->probe.entry_handler = entered;
	f->probe.data_size = stp_script.probes[point->probe].entry_size;
	f->probe.maxactive = slots_for(point, n);
	return register_kretprobe(&f->probe);
}

static int arm(const struct stp_point *const *points, u32 n, void **set)
{
	struct followers *followers = kvzalloc(struct_size(followers, each, n), GFP_KERNEL);
	int error;
	u32 i;

	if (!followers)
		return -ENOMEM;
	*set = followers;
	for (i = 0; i < n; i++) {
		struct follower *f = &followers->each[followers->n];

		error = arm_one(f, points[i], n);
		if (error) {
			memset(f, 0, sizeof(*f));
			stp_point_failed(points[i], error);
			continue;
		}
		followers->n++;
	}
	return followers->n;
}

static void disarm(void *set)
{
	struct followers *followers = set;
	struct kretprobe **probes = kvcalloc(max(followers->n, 1u), sizeof(*probes), GFP_KERNEL);
	u32 i;

	for (i = 0; i < followers->n; i++) {
		if (probes)
			probes[i] = &followers->each[i].probe;
		else
			unregister_kretprobe(&followers->each[i].probe);
	}
	if (probes && followers->n)
		unregister_kretprobes(probes, followers->n);
	for (i = 0; i < followers->n; i++) {
		struct follower *f = &followers->each[i];

		if (f->probe.nmissed)
			stp_missed(f->point, STP_MISS_SLOT, f->probe.nmissed);
		if (f->probe.kp.nmissed)
			stp_missed(f->point, STP_MISS_KERNEL, f->probe.kp.nmissed);
	}
	kvfree(probes);
	kvfree(followers);
}

const struct stp_probe_kind stp_return_kind = {
	.name = "function return",
	.arm = arm,
	.disarm = disarm,
};
