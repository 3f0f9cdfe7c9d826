// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is read or written: the processor's debug registers, through the kernel's breakpoints on all
 * CPUs. A register that is used up elsewhere is no less gone, so points that watch the same share one; and where
 * several registers match one access, an emulated processor tells of the first alone. So does one for writes of what
 * another one watches for reads as well: what hits it has hit the other, which is told here, once, whether the
 * processor tells of it too or not.
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
	/* Of writes: who watches the same for reads as well. */
	struct watcher *also;
	/* Of that one, by CPU. Only instructions that write hit both, so their addresses tell. */
	struct told __percpu *told;
};

struct told {
	unsigned long by_writes; /* of the last write that the other told it of, until it comes by itself */
	unsigned long by_itself; /* of the last access that did */
};

struct watches {
	int hotplug_state;
	u32 n;
	struct watcher each[];
};

static void hit_all(const struct watcher *w, struct pt_regs *regs)
{
	for (; w; w = w->next)
		stp_hit(w->point, regs, NULL, 0, NULL);
}

static STP_HOT void touched(struct perf_event *event, struct perf_sample_data *data, struct pt_regs *regs)
{
	const struct watcher *w = event->overflow_handler_context, *also = smp_load_acquire(&w->also);
	struct told *told = w->told ? this_cpu_ptr(w->told) : NULL;

	if (told && told->by_writes == regs->ip) {
		told->by_writes = 0;
		return;
	}
	if (told)
		told->by_itself = regs->ip;
	hit_all(w, regs);
	if (!also)
		return;
	told = this_cpu_ptr(also->told);
	if (told->by_itself == regs->ip) {
		told->by_itself = 0;
		return;
	}
	told->by_writes = regs->ip;
	hit_all(also, regs);
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

/* Of one that watches reads as well, and is armed: tells who watches the same for writes alone of it. Without memory for
 * that, each has what the processor tells. */
static void pair(struct watches *watches, struct watcher *w)
{
	struct watcher *writes, *end = watches->each + watches->n;

	for (writes = watches->each; writes < end; writes++)
		if (writes->is_first && writes != w && writes->events.attr.bp_addr == w->events.attr.bp_addr &&
		    writes->events.attr.bp_len == w->events.attr.bp_len)
			break;
	if (writes == end)
		return;
	w->told = alloc_percpu(struct told);
	if (w->told)
		smp_store_release(&writes->also, w);
}

/* Those of one type. How many points are armed with them. */
static int start_all(struct watches *watches, u32 type)
{
	int armed = 0, its;
	u32 i;

	for (i = 0; i < watches->n; i++) {
		struct watcher *w = &watches->each[i];

		if (!w->is_first || w->events.attr.bp_type != type)
			continue;
		its = start(w, watches->hotplug_state);
		if (its && type == HW_BREAKPOINT_RW)
			pair(watches, w);
		armed += its;
	}
	return armed;
}

static int watch_arm(const struct stp_point *const *points, u32 n, void **set)
{
	struct watches *watches = kvzalloc(struct_size(watches, each, n), GFP_KERNEL);
	int armed;
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
	/* An emulated processor tells of the register that was set first. */
	armed = start_all(watches, HW_BREAKPOINT_W);
	return armed + start_all(watches, HW_BREAKPOINT_RW);
}

static void watch_disarm(void *set)
{
	struct watches *watches = set;
	u32 i;

	for (i = 0; i < watches->n; i++)
		stp_cpu_events_stop(&watches->each[i].events, watches->hotplug_state);
	for (i = 0; i < watches->n; i++)
		free_percpu(watches->each[i].told);
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
