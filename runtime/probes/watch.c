// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is read or written: the processor's debug registers, through the kernel's breakpoints on all
 * CPUs. A register that is used up elsewhere is no less gone, so points that watch the same share one; and where
 * several registers match one access, an emulated processor tells of the first alone.
 */
#include <linux/hw_breakpoint.h>
#include <linux/slab.h>

#include "probes/cpu_events.h"
#include "runtime.h"

struct watcher {
	const struct stp_point *point;
	struct watcher *next; /* of the same memory */
	struct stp_cpu_events events; /* of the first of them */
	bool is_first;
};

struct watches {
	int hotplug_state;
	u32 n;
	struct watcher each[];
};

static void touched(struct perf_event *event, struct perf_sample_data *data, struct pt_regs *regs)
{
	const struct watcher *w;

	for (w = event->overflow_handler_context; w; w = w->next)
		stp_hit(w->point, regs, NULL, 0, NULL);
}

/* number: the address, unless the point has one; number2: the width, negative for reads as well. */
static struct perf_event_attr attributes(const struct stp_point *point)
{
	struct perf_event_attr attr;

	hw_breakpoint_init(&attr);
	attr.bp_addr = point->symbol ? stp_resolve(point) : (u64)point->number;
	attr.bp_len = abs(point->number2);
	attr.bp_type = point->number2 < 0 ? HW_BREAKPOINT_RW : HW_BREAKPOINT_W;
	return attr;
}

/* Puts it behind the first that watches the same, if there is one. */
static void add(struct watches *watches, const struct stp_point *point)
{
	struct watcher *w = &watches->each[watches->n++], *other, **end;
	struct perf_event_attr attr = attributes(point);

	w->point = point;
	w->events = (struct stp_cpu_events){ .attr = attr, .handler = touched, .context = w };
	for (other = watches->each; other < w; other++)
		if (other->is_first && other->events.attr.bp_addr == attr.bp_addr &&
		    other->events.attr.bp_len == attr.bp_len && other->events.attr.bp_type == attr.bp_type)
			break;
	w->is_first = other == w;
	if (w->is_first)
		return;
	for (end = &other->next; *end; end = &(*end)->next)
		;
	*end = w;
}

/* How many points are armed with it. */
static int start(struct watcher *first, int state)
{
	int error = first->events.attr.bp_addr ? stp_cpu_events_start(&first->events, state) : -ENOENT;
	struct watcher *w;
	int n = 0;

	if (error)
		stp_cpu_events_stop(&first->events, state);
	for (w = first; w; w = w->next, n++)
		if (error)
			stp_point_failed(w->point, error);
	return error ? 0 : n;
}

static int watch_arm(const struct stp_point *const *points, u32 n, void **set)
{
	struct watches *watches = kvzalloc(struct_size(watches, each, n), GFP_KERNEL);
	int armed = 0;
	u32 i;

	if (!watches)
		return -ENOMEM;
	watches->hotplug_state = stp_cpu_events_init();
	if (watches->hotplug_state < 0) {
		armed = watches->hotplug_state;
		kvfree(watches);
		return armed;
	}
	*set = watches;
	for (i = 0; i < n; i++)
		add(watches, points[i]);
	for (i = 0; i < n; i++)
		if (watches->each[i].is_first)
			armed += start(&watches->each[i], watches->hotplug_state);
	return armed;
}

static void watch_disarm(void *set)
{
	struct watches *watches = set;
	u32 i;

	for (i = 0; i < watches->n; i++)
		stp_cpu_events_stop(&watches->each[i].events, watches->hotplug_state);
	stp_cpu_events_exit(watches->hotplug_state);
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
	.scarce = true,
};
