/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Locks of globals, as they are taken when nobody else has them. lock.c has the rest.
 */
#ifndef STP_LOCK_H
#define STP_LOCK_H

#include <linux/atomic.h>

#include "slot.h"

/* On lines of their own: two globals that two CPUs use must not share one. */
struct stp_lock {
	atomic_t holders; /* readers, or STP_WRITER */
} ____cacheline_aligned_in_smp;
#define STP_WRITER (-1)

/* A lock as one probe takes it. */
struct stp_held {
	struct stp_lock *lock;
	enum stp_lock_mode mode;
};

/* What a probe locks, in order; NULL: no memory. To be freed with kvfree(). After stp_locks_init(). */
struct stp_held *stp_locks_of(const struct stp_probe *probe);

static __always_inline bool stp_try_lock(const struct stp_held *held)
{
	struct stp_lock *lock = held->lock;
	int holders = atomic_read(&lock->holders);

	if (held->mode == STP_LOCK_WRITE)
		return !holders && atomic_try_cmpxchg_acquire(&lock->holders, &holders, STP_WRITER);
	/* Another reader's coming or going is no reason to give up. */
	while (holders != STP_WRITER)
		if (atomic_try_cmpxchg_acquire(&lock->holders, &holders, holders + 1))
			return true;
	return false;
}

static __always_inline void stp_unlock(const struct stp_held *held)
{
	if (held->mode == STP_LOCK_WRITE)
		atomic_set_release(&held->lock->holders, 0);
	else
		atomic_dec_return_release(&held->lock->holders);
}

/* The handler runs as an NMI, and has interrupted another one: by a breakpoint in what that called, as a rule,
 * which the kernel treats as an NMI. */
static inline bool stp_is_nested(const struct stp_context *c)
{
	return (c->flags & STP_CONTEXT_NMI) && READ_ONCE(this_cpu_ptr(&stp_cpus)->busy[0]);
}

/* From the first lock on that could not be had at once, of which `taken` are before: waits for it; false
 * (none held) when one stayed taken past MAXTRYLOCK. An NMI that interrupted a handler tries once. Interrupts off. */
bool stp_lock_rest(struct stp_context *c, const struct stp_dispatch *d, u32 taken);

#endif
