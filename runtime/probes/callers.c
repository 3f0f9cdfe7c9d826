// SPDX-License-Identifier: GPL-2.0
/*
 * Who called the probed function.
 *
 * Each frame's return address must be one that the point lists for its level. The kernel's own unwinder
 * walks the frames: a word on top of the stack would do for the first at an entry, but for a return
 * probe on the same function, which puts an address of its own there. It knows those, and goes on
 * behind a prologue as well.
 */
#include "runtime.h"
#include "unwind.h"

static unsigned long address_of(const struct stp_point *point, const struct stp_caller *caller)
{
	return point->section ? stp_section_address(point->section - 1, caller->address) :
				stp_address(caller->address);
}

STP_HOT bool stp_called_as_said(const struct stp_point *point, const struct pt_regs *regs, unsigned long ip)
{
	const struct stp_caller *caller = point->callers, *end = caller + point->n_callers;
	struct unwind_state state;
	u32 level;

	stp_unwind_start(&state, (struct pt_regs *)regs, ip);
	for (level = 1; caller < end; level++) {
		unsigned long address = unwind_get_return_address(&state);
		bool found = false;

		for (; caller < end && caller->level == level; caller++)
			found |= address && address == address_of(point, caller);
		if (!found)
			return false;
		unwind_next_frame(&state);
	}
	return true;
}
