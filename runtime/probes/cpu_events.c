// SPDX-License-Identifier: GPL-2.0
/*
 * Events of perf on every CPU. CPUs that come later, or come back, get theirs: perf itself, and what the kernel
 * has for breakpoints on all CPUs, cover those that are there.
 */
#include <linux/cpuhotplug.h>
#include <linux/slab.h>

#include "probes/cpu_events.h"

static int cover(unsigned int cpu, struct hlist_node *node)
{
	struct stp_cpu_events *e = hlist_entry(node, struct stp_cpu_events, node);
	struct perf_event *event = perf_event_create_kernel_counter(&e->attr, cpu, NULL, e->handler, e->context);

	/* A CPU that could not be covered must not keep the CPU from coming up. */
	if (IS_ERR(event))
		e->error = PTR_ERR(event);
	else
		e->each[cpu] = event;
	return 0;
}

static int uncover(unsigned int cpu, struct hlist_node *node)
{
	struct stp_cpu_events *e = hlist_entry(node, struct stp_cpu_events, node);
	struct perf_event *event = e->each[cpu];

	/* Runs on that CPU, where handlers that look have interrupts off. */
	WRITE_ONCE(e->each[cpu], NULL);
	if (event)
		perf_event_release_kernel(event);
	return 0;
}

int stp_cpu_events_init(void)
{
	return cpuhp_setup_state_multi(CPUHP_AP_ONLINE_DYN, "stp:perf", cover, uncover);
}

void stp_cpu_events_exit(int state)
{
	cpuhp_remove_multi_state(state);
}

int stp_cpu_events_start(struct stp_cpu_events *events, int state)
{
	int error;

	events->each = kvcalloc(nr_cpu_ids, sizeof(*events->each), GFP_KERNEL);
	if (!events->each)
		return -ENOMEM;
	/* Calls cover() for the CPUs that are there. */
	error = cpuhp_state_add_instance(state, &events->node);
	return error ? error : events->error;
}

bool stp_cpu_events_any(const struct stp_cpu_events *events)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (events->each && events->each[cpu])
			return true;
	return false;
}

void stp_cpu_events_stop(struct stp_cpu_events *events, int state)
{
	if (events->each && !hlist_unhashed(&events->node))
		cpuhp_state_remove_instance(state, &events->node);
	kvfree(events->each);
	events->each = NULL;
}
