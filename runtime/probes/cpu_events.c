// SPDX-License-Identifier: GPL-2.0
/*
 * Events of perf on every CPU. CPUs that come later, or come back, get theirs: perf itself, and what the kernel
 * has for breakpoints on all CPUs, cover those that are there.
 *
 * To make an event perf may take the lock that keeps CPUs from coming and going (jump labels of software events), which
 * is taken where a CPU comes: those events are made, and given back, a little later. The clock and debug
 * registers need no such lock, and are there before anything runs on the CPU.
 */
#include <linux/cpuhotplug.h>
#include <linux/slab.h>

#include "probes/cpu_events.h"

static bool at_once(const struct stp_cpu_events *e)
{
	return e->attr.type == PERF_TYPE_BREAKPOINT ||
	       (e->attr.type == PERF_TYPE_SOFTWARE && e->attr.config == PERF_COUNT_SW_CPU_CLOCK);
}

static void make(struct stp_cpu_events *e, unsigned int cpu)
{
	struct perf_event *event = perf_event_create_kernel_counter(&e->attr, cpu, NULL, e->handler, e->context);

	/* A CPU that could not be covered must not keep the CPU from coming up. */
	if (IS_ERR(event))
		e->error = PTR_ERR(event);
	else
		WRITE_ONCE(e->each[cpu], event);
}

/* Nobody looks at it any more: those who do run on its CPU with interrupts off. */
static void give_back(struct stp_cpu_events *e, unsigned int cpu)
{
	struct perf_event *event = e->each[cpu];

	WRITE_ONCE(e->each[cpu], NULL);
	if (event)
		perf_event_release_kernel(event);
}

/* Caller holds no lock of CPU hotplug. */
static void follow(struct work_struct *work)
{
	struct stp_cpu_events *e = container_of(work, struct stp_cpu_events, work);
	struct perf_event *event;
	int cpu;

	mutex_lock(&e->lock);
	stp_each_cpu(cpu) {
		/* The CPU may be back, and look. */
		if (xchg(&e->stale[cpu], false) && (event = xchg(&e->each[cpu], NULL))) {
			synchronize_rcu();
			perf_event_release_kernel(event);
		}
		if (cpu_online(cpu) && !e->each[cpu])
			make(e, cpu);
	}
	mutex_unlock(&e->lock);
}

static int cover(unsigned int cpu, struct hlist_node *node)
{
	struct stp_cpu_events *e = hlist_entry(node, struct stp_cpu_events, node);

	if (at_once(e))
		make(e, cpu);
	else
		schedule_work(&e->work);
	return 0;
}

static int uncover(unsigned int cpu, struct hlist_node *node)
{
	struct stp_cpu_events *e = hlist_entry(node, struct stp_cpu_events, node);

	if (at_once(e)) {
		give_back(e, cpu);
		return 0;
	}
	WRITE_ONCE(e->stale[cpu], true);
	schedule_work(&e->work);
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

	INIT_WORK(&events->work, follow);
	mutex_init(&events->lock);
	events->each = kvcalloc(nr_cpu_ids, sizeof(*events->each), GFP_KERNEL);
	events->stale = kvcalloc(nr_cpu_ids, sizeof(*events->stale), GFP_KERNEL);
	if (!events->each || !events->stale)
		return -ENOMEM;
	if (at_once(events)) {
		/* Calls cover() for the CPUs that are there. */
		error = cpuhp_state_add_instance(state, &events->node);
	} else {
		error = cpuhp_state_add_instance_nocalls(state, &events->node);
		if (!error)
			follow(&events->work);
	}
	return error ? error : events->error;
}

bool stp_cpu_events_any(const struct stp_cpu_events *events)
{
	int cpu;

	stp_each_cpu(cpu)
		if (events->each && events->each[cpu])
			return true;
	return false;
}

void stp_cpu_events_stop(struct stp_cpu_events *events, int state)
{
	int cpu;

	if (events->each && !hlist_unhashed(&events->node)) {
		if (at_once(events)) {
			cpuhp_state_remove_instance(state, &events->node);
		} else {
			cpuhp_state_remove_instance_nocalls(state, &events->node);
			cancel_work_sync(&events->work);
			stp_each_cpu(cpu)
				give_back(events, cpu);
		}
	}
	kvfree(events->each);
	kvfree(events->stale);
	events->each = NULL;
	events->stale = NULL;
}
