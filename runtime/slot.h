/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the runtime keeps around a context. A context is reserved for each CPU and level: a
 * handler that is interrupted by an NMI has its own, everything else on a CPU runs one at a time
 * with interrupts off. begin, end and error probes have one that belongs to their thread.
 */
#ifndef STP_SLOT_H
#define STP_SLOT_H

#include "runtime.h"

#define STP_LEVELS 2 /* task and irq; NMI */

/* The last regular expression that matched; see match.c. */
struct stp_match {
	u32 groups; /* with group 0; 0: none has matched */
	u32 len;
	s32 tags[2 * STP_MATCH_GROUPS];
	char text[]; /* string_size bytes */
};

struct stp_slot {
	struct stp_context c;
	bool wrote;	/* this handler has opened the ring */
	u32 cpu;	/* whose ring it writes to */
	u64 time;	/* of its first record, ns; 0 before */
	u64 random;	/* state of randint() */
	char *stack;	/* limits.frame_stack bytes, and those for tokenize() */
	struct stp_text *tokens; /* what tokenize() cuts up */
	u32 token;		 /* where the next one starts */
	struct stp_match *match; /* NULL unless the script asks for groups */
};

/* One probe's counters on one CPU, which alone changes them, an instruction at a time. */
struct stp_counters {
	u64 handled;
	u64 missed[STP_MISSES];
};

struct stp_cpu {
	bool busy[STP_LEVELS]; /* a handler runs */
	struct stp_slot *slots[STP_LEVELS]; /* NULL: no memory when the CPU came */
};

/* A probe, as a hit wants it. */
struct stp_dispatch {
	const struct stp_probe *probe;
	void (*handler)(struct stp_context *c);
	struct stp_counters __percpu *counters;
	u32 flags; /* of the probe */
	u32 n_locks;
	struct stp_held *locks;
};
extern struct stp_dispatch *stp_dispatches; /* one per probe */

DECLARE_PER_CPU(struct stp_cpu, stp_cpus);

static inline struct stp_slot *stp_slot(struct stp_context *c)
{
	return container_of(c, struct stp_slot, c);
}

/* Whether handlers run: from arming until exit() or STOP, and then for some probes or all. */
enum stp_liveness { STP_DEAD, STP_LIVE, STP_LIVE_IN_PART };
extern u8 stp_live;

extern unsigned long *stp_probes_off; /* a bit for each, with STP_LIVE_IN_PART */

/* What a handler may use up: the two numbers of a context. */
struct stp_budget {
	s32 actions;
	u32 nesting;
};
extern struct stp_budget stp_budget; /* of what runs with interrupts off */

/* Writes a handler's error to the ring, and ends the session when that was one too many. */
void stp_report_error(struct stp_context *c);

#endif
