/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of this folder know of each other. */
#ifndef STP_TRANSPORT_H
#define STP_TRANSPORT_H

#include <linux/fs.h>

#include "runtime.h"

extern const struct file_operations stp_control_operations;

void stp_control_exit(void);
/* Makes the files that tell of the session, in stp_directory. */
void stp_report_init(void);
/* Another one, of what `show` writes. */
struct seq_file;
void stp_report_file(const char *name, int (*show)(struct seq_file *out, void *unused));
/* Somebody has the control file open. */
bool stp_control_attached(void);
/* The session goes on without a reader, and has none. Any context. */
bool stp_recorder_alone(void);
bool stp_recorder(void);

/* Over all rings: bytes, and records lost and overwritten. */
struct stp_rings_sum {
	u64 size, waiting, lost, overwritten;
};
void stp_rings_sum(struct stp_rings_sum *sum);
/* The reader was lost: the module has itself removed. Set up and torn down with the session. */
void stp_orphan_init(void);
void stp_orphan_exit(void);
void stp_orphan_watch(void);  /* the last reader left */
void stp_orphan_calm(void);   /* one came back */
void stp_orphan_helper(const char *program);

#endif
