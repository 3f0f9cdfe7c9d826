/* SPDX-License-Identifier: GPL-2.0 */
/* A CPU's ring, as handlers leave it; and what a handler's context is before and after it. ring.c has the rest. */
#ifndef STP_RING_H
#define STP_RING_H

#include "slot.h"

/* The kernel's side of a ring. */
struct stp_cpu_ring {
	struct stp_ring *shared; /* the mapped header; data behind it. NULL: no such CPU yet */
	u64 size;		 /* of the data; the copy in `shared` is not believed */
	u32 nest;		 /* handlers that are between enter and leave */
	u64 woken;		 /* `reserve` at the last wake-up */
};

DECLARE_PER_CPU(struct stp_cpu_ring, stp_cpu_rings);
extern bool stp_rings_by_tsc; /* what records have as their time; else the monotonic clock's */

static __always_inline struct stp_cpu_ring *stp_ring_of(struct stp_context *c)
{
	return per_cpu_ptr(&stp_cpu_rings, stp_slot(c)->cpu);
}

/* What the CPU has reserved is written: the reader may have it. */
static __always_inline void stp_ring_commit(struct stp_cpu_ring *ring)
{
	struct stp_ring *shared = ring->shared;
	u64 reserved;

	/*
	 * An NMI may reserve and leave between the two steps; it saw nest > 0 and left the
	 * commit to us, so look again.
	 */
	do {
		reserved = READ_ONCE(shared->reserve);
		smp_store_release(&shared->commit, reserved);
		barrier();
	} while (unlikely(READ_ONCE(shared->reserve) != reserved));
	if (unlikely(reserved - ring->woken >= ring->size / 4)) {
		ring->woken = reserved;
		stp_control_wake();
	}
}

void stp_ring_commit_again(struct stp_cpu_ring *ring);

/* Behind stp_ring_enter(). */
static __always_inline void stp_ring_leave(struct stp_context *c)
{
	struct stp_cpu_ring *ring = stp_ring_of(c);
	struct stp_ring *shared = ring->shared;

	if (likely(ring->nest == 1 && shared))
		stp_ring_commit(ring);
	barrier();
	ring->nest--;
	barrier();
	/* An NMI that came between the last look and the step down. */
	if (likely(!ring->nest && shared) &&
	    unlikely(READ_ONCE(shared->reserve) != READ_ONCE(shared->commit)))
		stp_ring_commit_again(ring);
}

/* What is not set here was left as it must be: no error, nothing written. */
static __always_inline void stp_context_begin(struct stp_slot *slot, const struct stp_budget *own)
{
	BUILD_BUG_ON(offsetof(struct stp_context, nesting) != offsetof(struct stp_context, actions) + 4);
	*(struct stp_budget *)&slot->c.actions = *own;
	slot->c.stack = slot->stack;
	if (unlikely(slot->match))
		slot->match->groups = 0;
}

static __always_inline void stp_context_end(struct stp_slot *slot)
{
	if (unlikely(slot->c.error))
		stp_report_error(&slot->c);
	if (slot->wrote) {
		stp_ring_leave(&slot->c);
		slot->wrote = false;
		slot->time = 0;
	}
}

static __always_inline void stp_count_handled(const struct stp_dispatch *d)
{
	this_cpu_inc(d->counters->handled);
}

#endif
