// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is read or written: the processor's debug registers, through the kernel's breakpoints on all
 * CPUs, those that come later included. A register that is used up elsewhere is no less gone.
 */
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <linux/slab.h>

#include "runtime.h"

struct watches {
	u32 n;
	struct perf_event *__percpu *each[];
};

static void touched(struct perf_event *event, struct perf_sample_data *data, struct pt_regs *regs)
{
	stp_hit(event->overflow_handler_context, regs, NULL, 0, NULL);
}

/* number: the address, unless the point has one; number2: the width, negative for reads as well. */
static struct perf_event *__percpu *watch(const struct stp_point *point)
{
	struct perf_event_attr attr;

	hw_breakpoint_init(&attr);
	attr.bp_addr = point->symbol ? stp_resolve(point) : (u64)point->number;
	attr.bp_len = abs(point->number2);
	attr.bp_type = point->number2 < 0 ? HW_BREAKPOINT_RW : HW_BREAKPOINT_W;
	if (!attr.bp_addr)
		return (void __percpu *)ERR_PTR(-ENOENT);
	return register_wide_hw_breakpoint(&attr, touched, (void *)point);
}

static int watch_arm(const struct stp_point *const *points, u32 n, void **set)
{
	struct watches *watches = kvzalloc(struct_size(watches, each, n), GFP_KERNEL);
	u32 i;

	if (!watches)
		return -ENOMEM;
	*set = watches;
	for (i = 0; i < n; i++) {
		struct perf_event *__percpu *events = watch(points[i]);

		if (IS_ERR((void __force *)events))
			stp_point_failed(points[i], PTR_ERR((void __force *)events));
		else
			watches->each[watches->n++] = events;
	}
	return watches->n;
}

static void watch_disarm(void *set)
{
	struct watches *watches = set;
	u32 i;

	for (i = 0; i < watches->n; i++)
		unregister_wide_hw_breakpoint(watches->each[i]);
	kvfree(watches);
}

static const char *watch_explain(int error)
{
	return error == -ENOSPC ? "all debug registers are in use" :
	       error == -EINVAL ? "the address is not aligned to the length, or not the kernel's" :
				  NULL;
}

const struct stp_probe_kind stp_watch_kind = {
	.name = "watchpoint",
	.arm = watch_arm,
	.disarm = watch_disarm,
	.explain = watch_explain,
};
