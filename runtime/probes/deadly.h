/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel would let be probed, and not survive. */
#ifndef STP_DEADLY_H
#define STP_DEADLY_H

#include "runtime.h"

/* What stp_point_failed() is told of them. */
#define STP_DEADLY (-EDEADLK)

/* Whether a breakpoint in the code at this address kills. Process context. */
bool stp_is_deadly(unsigned long address);
/* Whether to replace the return address of the function there does. Process context. */
bool stp_is_deadly_return(unsigned long address);

/* Those of them that have a site of ftrace go without: they are left to kretprobes, which ask the above. Process context. */
void stp_leave_deadly_returns(const unsigned long *entries, unsigned long *sites, u32 n);

#endif
