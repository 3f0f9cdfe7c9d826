/* SPDX-License-Identifier: GPL-2.0 */
/* Which system call the current task makes. */
#ifndef STP_CALL_H
#define STP_CALL_H

#include <linux/sched/task_stack.h>

#include "runtime.h"

struct stp_made_call {
	u32 number;
	bool ia32;
	bool none; /* by a task that makes none */
};

/* From the registers that the caller came with, which lie at the top of the task's stack until it goes back. Any
 * context. */
static __always_inline struct stp_made_call stp_made_call(void)
{
	return (struct stp_made_call){
		.number = task_pt_regs(current)->orig_ax,
		/* Bit 0 of thread_info.status is TS_COMPAT while a task is in a call of 32 bits. */
		.ia32 = IS_ENABLED(CONFIG_IA32_EMULATION) && (current_thread_info()->status & TS_COMPAT),
		/* Kernel threads, and the kernel itself while it boots, call some of the functions as well. */
		.none = current->flags & PF_KTHREAD,
	};
}

static __always_inline bool stp_is_call(const struct stp_call *call, struct stp_made_call made)
{
	return call->number == made.number && call->ia32 == made.ia32 && !made.none;
}

#endif
