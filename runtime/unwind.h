/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's unwinder, from the registers of a probe. */
#ifndef STP_UNWIND_H
#define STP_UNWIND_H

#include <linux/sched.h>
#include <asm/unwind.h>

/*
 * From registers it starts at the frame behind theirs, without any at this code. Registers of a kprobe say that the
 * breakpoint's one byte has run: where the instruction under it is as short and moves the stack, as `push` is and
 * does, the unwinder would go by the next one's rule and lose its way. So it is told the instruction's address,
 * which it looks at here and never again. `ip` 0: the registers are right. Any context, also NMI.
 */
static inline void stp_unwind_start(struct unwind_state *state, struct pt_regs *regs, unsigned long ip)
{
	unsigned long told = ip ? regs->ip : 0;

	if (ip)
		WRITE_ONCE(regs->ip, ip);
	unwind_start(state, current, regs, NULL);
	if (ip)
		WRITE_ONCE(regs->ip, told);
}

#endif
