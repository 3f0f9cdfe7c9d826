/* SPDX-License-Identifier: GPL-2.0 */
/* An event of perf on every CPU: its software and hardware counters, and the debug registers. */
#ifndef STP_CPU_EVENTS_H
#define STP_CPU_EVENTS_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/perf_event.h>
#include <linux/workqueue.h>

struct stp_cpu_events {
	struct hlist_node node; /* for the hotplug callbacks */
	struct perf_event_attr attr;
	perf_overflow_handler_t handler;
	void *context;		    /* event->overflow_handler_context */
	int error;		    /* of the last CPU that could not be covered */
	struct perf_event **each; /* by CPU */
	/* For those that cannot be made while a CPU comes or goes. */
	struct work_struct work;
	struct mutex lock;
	bool *stale; /* by CPU: it has gone since its event was made */
};

/* A state of CPU hotplug for any number of them, or an error. Process context, as for all that follow. */
int stp_cpu_events_init(void);
void stp_cpu_events_exit(int state);

/* `attr`, `handler` and `context` are set, the rest is zero. The error when some CPU could not be covered; those
 * that could are, until they are stopped. */
int stp_cpu_events_start(struct stp_cpu_events *events, int state);
/* Whether any CPU is covered. */
bool stp_cpu_events_any(const struct stp_cpu_events *events);
/* Also of those that were not started. No handler runs any more. */
void stp_cpu_events_stop(struct stp_cpu_events *events, int state);

#endif
