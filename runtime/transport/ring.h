/* SPDX-License-Identifier: GPL-2.0 */
/* A CPU's ring, as handlers leave it; and what a handler's context is before and after it. ring.c has the rest. */
#ifndef STP_RING_H
#define STP_RING_H

#include <asm/local64.h>

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
void stp_ring_put_pad(struct stp_record *record, u32 length);
/* When there is no room: in a thread it waits for the reader; a recorder that nobody reads loses its oldest. As
 * stp_ring_reserve_at_once(). */
u64 stp_ring_reserve_patiently(struct stp_context *c, struct stp_cpu_ring *ring, u32 length);

/*
 * Moves `reserve` over `length` bytes that lie in one piece; gives their position, or ~0 when there
 * is no room. What is left at the end of the data becomes a pad.
 */
static __always_inline u64 stp_ring_reserve_at_once(struct stp_cpu_ring *ring, u32 length)
{
	struct stp_ring *shared = ring->shared;
	u64 from, pad, used, mask = ring->size - 1;

	do {
		from = READ_ONCE(shared->reserve);
		used = from - READ_ONCE(shared->consumed);
		pad = (from & mask) + length > ring->size ? ring->size - (from & mask) : 0;
		/* A reader that writes nonsense loses its own records. */
		if (used > ring->size || length + pad > ring->size - used)
			return ~0ULL;
	} while (local64_cmpxchg((local64_t *)&shared->reserve, from, from + pad + length) != from);
	if (unlikely(pad))
		stp_ring_put_pad((void *)shared + STP_RING_HEADER + (from & mask), pad);
	return from + pad;
}

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
