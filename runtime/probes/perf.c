// SPDX-License-Identifier: GPL-2.0
/*
 * What perf counts, on every CPU, with the registers of what was interrupted. The tick of timer.profile is
 * perf's software clock, which works in virtual machines without performance counters.
 */
#include <linux/perf_event.h>
#include <linux/slab.h>
#include <linux/stringify.h>

#include "builtins.h"
#include "runtime.h"
#include "probes/cpu_events.h"
#include "probes/perf.h"

struct profile {
	const struct stp_point *point;
	struct stp_cpu_events events;
};

struct profiles {
	int hotplug_state;
	u32 n;
	struct profile each[];
};

#define STP_COUNTERS 64 /* that are read at the same time */

STP_HOT void stp_perf_overflow(struct perf_event *event, struct perf_sample_data *data, struct pt_regs *regs)
{
	stp_hit(event->overflow_handler_context, regs, NULL, 0, NULL);
}

struct perf_event_attr stp_perf_attributes(const struct stp_point *point)
{
	struct perf_event_attr attr = { .size = sizeof(attr), .pinned = 1 };

	if (point->kind == STP_KIND_PROFILE) {
		attr.type = PERF_TYPE_SOFTWARE;
		attr.config = PERF_COUNT_SW_CPU_CLOCK;
		attr.sample_period = NSEC_PER_SEC / (point->number ? point->number : HZ);
		return attr;
	}
	attr.type = point->offset;
	attr.config = point->number;
	if (point->counter)
		return attr; /* it counts, and is never due */
	attr.freq = point->number2 < 0;
	if (attr.freq)
		attr.sample_freq = -point->number2;
	else
		attr.sample_period = point->number2;
	return attr;
}

/* Those that the script reads; they change while no handler looks. */
static struct profile *readable[STP_COUNTERS];

/* What perf_event_read_local() does, which is not exported. */
STP_HOT s64 stp_perf_count(struct perf_event *event)
{
	if (event->oncpu == raw_smp_processor_id())
		event->pmu->read(event);
	return local64_read(&event->count);
}

/* The name is known: the translator looked. */
STP_HOT s64 stp_fn___stp_perf(struct stp_context *c, struct stp_str name, const struct stp_place *place)
{
	struct perf_event *event = NULL;
	struct profile *p;
	s64 count;
	u32 i;

	for (i = 0; i < STP_COUNTERS; i++) {
		p = READ_ONCE(readable[i]);
		if (p && stp_equal(stp_str_of(p->point->counter), name))
			event = READ_ONCE(p->events.each[raw_smp_processor_id()]);
	}
	if (event)
		return stp_perf_count(event);
	if (!stp_perf_tasks_read(name, &count)) {
		stp_fail(c, place, "@perf: '%.*s' does not count", (int)name.len, name.p);
		return 0;
	}
	return count;
}

/* False: there are too many. */
static bool make_readable(struct profile *p)
{
	u32 i;

	for (i = 0; p->point->counter && i < STP_COUNTERS; i++)
		if (!readable[i]) {
			WRITE_ONCE(readable[i], p);
			return true;
		}
	return !p->point->counter;
}

static void make_unreadable(const struct profile *p)
{
	u32 i;

	for (i = 0; i < STP_COUNTERS; i++)
		if (readable[i] == p)
			WRITE_ONCE(readable[i], NULL);
}

static int perf_arm(const struct stp_point *const *points, u32 n, void **set)
{
	struct profiles *profiles = kvzalloc(struct_size(profiles, each, n), GFP_KERNEL);
	u32 i;
	int armed = 0, error;

	if (!profiles)
		return -ENOMEM;
	profiles->hotplug_state = stp_cpu_events_init();
	if (profiles->hotplug_state < 0) {
		armed = profiles->hotplug_state;
		kvfree(profiles);
		return armed;
	}
	*set = profiles;
	for (i = 0; i < n; i++) {
		struct profile *p = &profiles->each[profiles->n++];

		p->point = points[i];
		p->events = (struct stp_cpu_events){ .attr = stp_perf_attributes(points[i]),
						     .handler = stp_perf_overflow,
						     .context = (void *)points[i] };
		error = stp_cpu_events_start(&p->events, profiles->hotplug_state);
		if (!stp_cpu_events_any(&p->events))
			stp_point_failed(points[i], error ? error : -ENODEV);
		else if (!make_readable(p))
			stp_point_failed(points[i], -E2BIG);
		else
			armed++;
	}
	return armed;
}

static void perf_disarm(void *set)
{
	struct profiles *profiles = set;
	u32 i;

	for (i = 0; i < profiles->n; i++)
		make_unreadable(&profiles->each[i]);
	/* Handlers that look have interrupts off. */
	synchronize_rcu();
	for (i = 0; i < profiles->n; i++)
		stp_cpu_events_stop(&profiles->each[i].events, profiles->hotplug_state);
	stp_cpu_events_exit(profiles->hotplug_state);
	kvfree(profiles);
}

const char *stp_perf_explain(int error)
{
	if (error == -E2BIG)
		return "a script reads " __stringify(STP_COUNTERS) " counters at most";
	return error == -ENOENT || error == -EOPNOTSUPP || error == -EINVAL || error == -ENODEV ?
		       "this machine has no such counter" :
		       NULL;
}

const struct stp_probe_kind stp_perf_kind = {
	.name = "perf event",
	.arm = perf_arm,
	.disarm = perf_disarm,
	.explain = stp_perf_explain,
};
