/* SPDX-License-Identifier: GPL-2.0 */
/* The kinds that scripts name. */
#ifndef STP_KINDS_H
#define STP_KINDS_H

#include "runtime.h"

extern const struct stp_probe_kind stp_timer_kind;
extern const struct stp_probe_kind stp_jiffies_kind;
extern const struct stp_probe_kind stp_perf_kind;
extern const struct stp_probe_kind stp_perf_tasks_kind;
extern const struct stp_probe_kind stp_entry_kind;
extern const struct stp_probe_kind stp_return_kind;
extern const struct stp_probe_kind stp_statement_kind;
extern const struct stp_probe_kind stp_tracepoint_kind;
extern const struct stp_probe_kind stp_watch_kind;
extern const struct stp_probe_kind stp_netfilter_kind;
extern const struct stp_probe_kind stp_procfs_kind;
extern const struct stp_probe_kind stp_stdin_kind;

#endif
