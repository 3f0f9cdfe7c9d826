/* SPDX-License-Identifier: GPL-2.0 */
/* Breakpoints: what statement.c offers to kinds that need one where nothing cheaper serves. */
#ifndef STP_STATEMENT_H
#define STP_STATEMENT_H

#include "runtime.h"

struct stp_breakpoints;

/* Sets a breakpoint at each point (addresses[i] is where points[i] is; 0 is skipped); reports what
 * cannot be set. NULL when there is no memory. `armed` counts those that are. */
struct stp_breakpoints *stp_breakpoints_arm(const struct stp_point *const *points,
					    const unsigned long *addresses, u32 n, int *armed);
/* Takes them away, and counts what the kernel skipped; no handler runs afterwards. */
void stp_breakpoints_disarm(struct stp_breakpoints *breakpoints);

#endif
