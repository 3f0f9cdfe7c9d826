/* SPDX-License-Identifier: GPL-2.0 */
/* What the events of CPUs (perf.c) and of tasks (perf_tasks.c) have in common. */
#ifndef STP_PERF_H
#define STP_PERF_H

#include <linux/perf_event.h>

#include "runtime.h"

/* What a point asks perf for. */
struct perf_event_attr stp_perf_attributes(const struct stp_point *point);
/* Runs the handler of the point that the event was made with. NMI at worst. */
void stp_perf_overflow(struct perf_event *event, struct perf_sample_data *data, struct pt_regs *regs);
/* What the event, which is this CPU's or the current task's, has counted. Interrupts are off. */
s64 stp_perf_count(struct perf_event *event);
/* What an error of the kernel means; NULL: nothing special. */
const char *stp_perf_explain(int error);

/* The count of the current task by this counter; 0 when the task is none of its program. False: there is
 * no such counter. Interrupts are off. */
bool stp_perf_tasks_read(struct stp_str name, s64 *count);

#endif
