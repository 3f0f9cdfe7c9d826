/* SPDX-License-Identifier: GPL-2.0 */
/* Who called the probed function: for points of callees, which mean the calls of one caller. */
#ifndef STP_CALLERS_H
#define STP_CALLERS_H

#include "runtime.h"

/* Whether the calls that led here are those of point->callers. Any context, also NMI; `regs` are all
 * of the registers, at an instruction of the function that the point is in; `ip` its address where a kprobe
 * is hit there, else 0. */
bool stp_called_as_said(const struct stp_point *point, const struct pt_regs *regs, unsigned long ip);

#endif
