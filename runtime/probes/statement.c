// SPDX-License-Identifier: GPL-2.0
/*
 * Any instruction: kprobes. The kernel turns them into jumps where it can: but not at once, and then for as
 * long as all tasks need to leave the code no kprobe can be registered. Of some thousands each would
 * wait for that again, so many stay breakpoints: 145 take 7.6 s with jumps in a virtual machine, and
 * 0.1 s without.
 *
 * A kprobe that is hit while another one's handler runs on the CPU is skipped by the kernel, which
 * counts it; that count becomes part of the account when the probe is taken away.
 */
#include <linux/kprobes.h>
#include <linux/slab.h>

#include "probes/deadly.h"
#include "runtime.h"
#include "probes/statement.h"

#define MOST_JUMPS 8

struct breakpoint {
	struct kprobe probe;
	const struct stp_point *point;
	unsigned long address; /* probe.addr moves behind ENDBR where the kernel has it */
};

struct stp_breakpoints {
	u32 n;
	struct breakpoint each[];
};

/* Of points that want certain callers. */
STP_IF_NEEDED int stp_statement_hit_called(struct kprobe *probe, struct pt_regs *regs);

static STP_HOT int statement_hit(struct kprobe *probe, struct pt_regs *regs)
{
	const struct breakpoint *b = container_of(probe, struct breakpoint, probe);

	stp_hit(b->point, regs, NULL, b->address, NULL);
	return 0;
}

STP_IF_NEEDED STP_HOT int stp_statement_hit_called(struct kprobe *probe, struct pt_regs *regs)
{
	const struct breakpoint *b = container_of(probe, struct breakpoint, probe);

	if (stp_script.parts.called(b->point, regs, b->address))
		stp_hit(b->point, regs, NULL, b->address, NULL);
	return 0;
}

/* The kernel makes no jump of a kprobe that has one of these. */
static STP_HOT void stay_breakpoint(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

struct stp_breakpoints *stp_breakpoints_arm(const struct stp_point *const *points,
					    const unsigned long *addresses, u32 n, int *armed)
{
	struct stp_breakpoints *set = kvzalloc(struct_size(set, each, n), GFP_KERNEL);
	u32 i, wanted = 0;
	int error;

	if (!set)
		return NULL;
	for (i = 0; i < n; i++)
		wanted += !!addresses[i];
	for (i = 0; i < n; i++) {
		struct breakpoint *b = &set->each[set->n];

		if (!addresses[i])
			continue;
		b->point = points[i];
		b->address = addresses[i];
		b->probe.addr = (kprobe_opcode_t *)addresses[i];
		b->probe.pre_handler = points[i]->n_callers ? stp_statement_hit_called : statement_hit;
		if (wanted > MOST_JUMPS)
			b->probe.post_handler = stay_breakpoint;
		error = stp_is_deadly(addresses[i]) ? STP_DEADLY : register_kprobe(&b->probe);
		if (error) {
			memset(b, 0, sizeof(*b));
			stp_point_failed(points[i], error);
			continue;
		}
		set->n++;
		(*armed)++;
	}
	return set;
}

void stp_breakpoints_disarm(struct stp_breakpoints *set)
{
	struct kprobe **probes;
	u32 i;

	if (!set)
		return;
	/* All at once where there is memory: each alone waits for a grace period. */
	probes = kvcalloc(max(set->n, 1u), sizeof(*probes), GFP_KERNEL);
	for (i = 0; i < set->n; i++) {
		struct kprobe *probe = &set->each[i].probe;

		if (probes)
			probes[i] = probe;
		else
			unregister_kprobes(&probe, 1);
	}
	if (probes && set->n)
		unregister_kprobes(probes, set->n);
	for (i = 0; i < set->n; i++)
		if (set->each[i].probe.nmissed)
			stp_missed(set->each[i].point, STP_MISS_KERNEL, set->each[i].probe.nmissed);
	kvfree(probes);
	kvfree(set);
}

/* --------------------------------------------------------------- the kind */

static int statement_arm(const struct stp_point *const *points, u32 n, void **set)
{
	unsigned long *addresses = kvcalloc(n, sizeof(*addresses), GFP_KERNEL);
	int armed = 0;

	if (!addresses)
		return -ENOMEM;
	stp_resolve_all(points, addresses, n);
	*set = stp_breakpoints_arm(points, addresses, n, &armed);
	kvfree(addresses);
	return *set ? armed : -ENOMEM;
}

static void statement_disarm(void *set)
{
	stp_breakpoints_disarm(set);
}

const struct stp_probe_kind stp_statement_kind = {
	.name = "statement",
	.arm = statement_arm,
	.disarm = statement_disarm,
};
