// SPDX-License-Identifier: GPL-2.0
/*
 * Contexts, and the way into a handler and out of it.
 *
 * Everything that a handler needs is reserved by slots.c when the module is loaded; entering one
 * allocates nothing and takes no lock of the kernel's. Interrupts are off while it runs: a CPU then
 * needs one context for tasks and interrupts, and one for NMIs. A hit that finds its context busy
 * (the handler itself reached the probed function) is a miss, counted as such.
 */
#include <linux/bitops.h>
#include <linux/hardirq.h>
#include <linux/sched/clock.h>

#include "lock.h"
#include "slot.h"
#include "transport/ring.h"

DEFINE_PER_CPU(struct stp_cpu, stp_cpus);
u8 stp_live;

void *stp_enter(struct stp_context *c, u32 size, const struct stp_place *place)
{
	char *frame = c->stack;

	if (unlikely(!c->nesting)) {
		/* One level is the handler's own. */
		stp_fail(c, place, "more than MAXNESTING (%u) nested calls",
			 stp_script.limits.nesting - 1);
		return NULL;
	}
	if (unlikely(size > c->stack_end - frame)) {
		stp_fail(c, place, "no room for the strings of %u nested calls; see MAXNESTING",
			 stp_script.limits.nesting - c->nesting + 1);
		return NULL;
	}
	c->nesting--;
	c->stack = frame + size;
	return frame;
}

/* ----------------------------------------------------------------- hits */

/* Whether a handler runs on this CPU that one of this level must not interrupt. */
static __always_inline bool *busy_here(int level)
{
	return this_cpu_ptr(stp_cpus.busy) + level;
}

/* What the compiler guards the stack of functions with costs these more than all that they do. None of
 * them has anything there that could be overrun. */
#if __has_attribute(no_stack_protector)
#define hot __attribute__((no_stack_protector))
#else
#define hot
#endif

/* For points whose probes have these flags, STP_PROBE_LIGHT and STP_PROBE_GUARDED, or none of them. */
STP_IF_NEEDED bool stp_hit_light_while_busy(const struct stp_dispatch *d, struct stp_hit *hit);
STP_IF_NEEDED bool stp_hit_guarded(const struct stp_point *point, const struct pt_regs *regs, const u64 *args,
				   u64 address, void *entry, const struct stp_dispatch *d);
STP_IF_NEEDED bool stp_hit_full(const struct stp_point *point, const struct pt_regs *regs, const u64 *args,
				u64 address, void *entry, const struct stp_dispatch *d);

/* For when not all probes are on. */
static noinline bool passes(const struct stp_point *point)
{
	return READ_ONCE(stp_live) == STP_LIVE_IN_PART && !test_bit(point->probe, stp_probes_off);
}

/*
 * Runs a handler in a context of this CPU. STP_MISSES when it ran, `*failed` when not to its end; otherwise
 * why it was missed.
 */
static __always_inline enum stp_miss run_full(const struct stp_dispatch *d,
					      void (*handler)(struct stp_context *),
					      struct stp_hit hit, bool *failed)
{
	enum stp_miss missed = STP_MISSES;
	struct stp_slot *slot;
	struct stp_cpu *own;
	unsigned long flags;
	int level;
	u32 i;

	local_irq_save(flags);
	level = in_nmi() ? 1 : 0;
	own = this_cpu_ptr(&stp_cpus);
	if (unlikely(own->busy[level])) {
		local_irq_restore(flags);
		return STP_MISS_REENTRY;
	}
	own->busy[level] = true;
	/* What a nested hit on this CPU must see in this order. */
	barrier();
	slot = own->slots[level];
	stp_context_begin(slot, &stp_budget);
	*(struct stp_hit *)&slot->c = hit;
	for (i = 0; i < d->n_locks; i++)
		if (unlikely(!stp_try_lock(d->locks + i)))
			break;
	if (likely(i == d->n_locks) || stp_lock_rest(&slot->c, d, i)) {
		handler(&slot->c);
		for (i = 0; i < d->n_locks; i++)
			stp_unlock(d->locks + i);
	} else {
		/* What the handler that was interrupted has locked stays locked until this hit is over. */
		missed = stp_is_nested(&slot->c) ? STP_MISS_REENTRY : STP_MISS_LOCK;
	}
	*failed = slot->c.error;
	stp_context_end(slot);
	barrier();
	own->busy[level] = false;
	local_irq_restore(flags);
	return missed;
}

/* A light handler that is reached from another one's on this CPU: only from an NMI it counts. */
STP_IF_NEEDED bool stp_hit_light_while_busy(const struct stp_dispatch *d, struct stp_hit *hit)
{
	if (!in_nmi() || *busy_here(1)) {
		stp_missed(hit->point, STP_MISS_REENTRY, 1);
		return false;
	}
	d->handler((struct stp_context *)hit);
	stp_count_handled(d);
	return true;
}

/* Runs a handler that wants no context, and nothing beside it. False: it was missed. */
static __always_inline bool run_guarded(void (*handler)(struct stp_context *), struct stp_hit *hit)
{
	unsigned long flags;
	bool *busy, free;

	local_irq_save(flags);
	busy = busy_here(in_nmi() ? 1 : 0);
	free = !*busy;
	if (likely(free)) {
		*busy = true;
		/* What a nested hit on this CPU must see in this order. */
		barrier();
		handler((struct stp_context *)hit);
		barrier();
		*busy = false;
	}
	local_irq_restore(flags);
	return free;
}

/* These have the arguments of stp_hit() in their registers, so that it jumps there. */
STP_IF_NEEDED hot bool stp_hit_guarded(const struct stp_point *point, const struct pt_regs *regs,
				     const u64 *args, u64 address, void *entry,
				     const struct stp_dispatch *d)
{
	struct stp_hit hit = { (const u64 *)regs, args, entry, point, address };
	bool done = run_guarded(d->handler, &hit);

	if (likely(done))
		stp_count_handled(d);
	else
		stp_missed(point, STP_MISS_REENTRY, 1);
	return done;
}

STP_IF_NEEDED hot bool stp_hit_full(const struct stp_point *point, const struct pt_regs *regs,
				  const u64 *args, u64 address, void *entry,
				  const struct stp_dispatch *d)
{
	struct stp_hit hit = { (const u64 *)regs, args, entry, point, address };
	enum stp_miss missed;
	bool failed = false;

	missed = run_full(d, d->handler, hit, &failed);
	if (likely(missed == STP_MISSES))
		stp_count_handled(d);
	else
		stp_missed(point, missed, 1);
	return missed == STP_MISSES && !failed;
}

static __always_inline bool hit_light(const struct stp_dispatch *d, struct stp_hit hit)
{
	if (unlikely(this_cpu_read(stp_cpus.busy[0])))
		return stp_hit_light_while_busy(d, &hit);
	d->handler((struct stp_context *)&hit);
	stp_count_handled(d);
	return true;
}

hot bool stp_hit(const struct stp_point *point, const struct pt_regs *regs, const u64 *args,
		 u64 address, void *entry)
{
	const struct stp_dispatch *d = stp_dispatches + point->probe;

	if (unlikely(READ_ONCE(stp_live) != STP_LIVE) && !passes(point))
		return false;
	if (likely(d->flags & STP_PROBE_LIGHT))
		return hit_light(d, (struct stp_hit){ (const u64 *)regs, args, entry, point, address });
	if (d->flags & STP_PROBE_GUARDED)
		return stp_hit_guarded(point, regs, args, address, entry, d);
	return stp_hit_full(point, regs, args, address, entry, d);
}

static noinline hot bool enter_guarded(const struct stp_point *point, const struct pt_regs *regs,
				       u64 address, void *entry, const struct stp_dispatch *d)
{
	struct stp_hit hit = { (const u64 *)regs, NULL, entry, point, address };
	bool done = run_guarded(d->probe->entry_handler, &hit);

	if (unlikely(!done))
		stp_missed(point, STP_MISS_REENTRY, 1);
	return done;
}

static noinline hot bool enter_full(const struct stp_point *point, const struct pt_regs *regs,
				    u64 address, void *entry, const struct stp_dispatch *d)
{
	struct stp_hit hit = { (const u64 *)regs, NULL, entry, point, address };
	bool failed = false;
	enum stp_miss missed = run_full(d, d->probe->entry_handler, hit, &failed);

	if (unlikely(missed != STP_MISSES))
		stp_missed(point, missed, 1);
	else if (unlikely(failed))
		stp_count_handled(d);
	return missed == STP_MISSES && !failed;
}

hot bool stp_hit_entry(const struct stp_point *point, const struct pt_regs *regs, u64 address,
		       void *entry)
{
	const struct stp_dispatch *d = stp_dispatches + point->probe;

	if (unlikely(READ_ONCE(stp_live) != STP_LIVE) && !passes(point))
		return false;
	if (!d->probe->entry_handler)
		return true;
	/* It writes nothing but the call's own record. */
	if (likely(d->flags & STP_PROBE_LIGHT)) {
		struct stp_hit hit = { (const u64 *)regs, NULL, entry, point, address };

		d->probe->entry_handler((struct stp_context *)&hit);
		return true;
	}
	if (d->flags & STP_PROBE_GUARDED)
		return enter_guarded(point, regs, address, entry, d);
	return enter_full(point, regs, address, entry, d);
}
