// SPDX-License-Identifier: GPL-2.0
/*
 * Locks of globals: many readers or one writer.
 *
 * They are the runtime's own, a word each: no probed function can hold one, and none of them is
 * watched by the kernel (a lock of the kernel's would call tracepoints and lockdep from inside
 * handlers). Nobody waits for long: after MAXTRYLOCK tries the hit is a miss. All handlers take locks
 * in the same order, so the wait is only ever for a handler that runs on another CPU; an NMI that has interrupted
 * a handler, which may be the holder, tries once. (Breakpoints in the kernel are NMIs as well.)
 */
#include <linux/delay.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "lock.h"

static struct stp_lock *locks;

int stp_awaited_cpu = -1;
/* Tries of a hit on that CPU: it is in the way of what it waits for. */
#define TRIES_IN_THE_WAY 100

int stp_locks_init(void)
{
	locks = kvcalloc(max(stp_script.n_globals, 1u), sizeof(*locks), GFP_KERNEL);
	return locks ? 0 : -ENOMEM;
}

void stp_locks_exit(void)
{
	kvfree(locks);
	locks = NULL;
}

static bool lock_patiently(const struct stp_context *c, const struct stp_held *held)
{
	u32 tries;

	if (stp_is_nested(c))
		return false;
	for (tries = 0; tries < stp_script.limits.trylock; tries++) {
		/* In a virtual machine the holder may be waiting for our processor: pause gives it away. */
		cpu_relax();
		udelay(stp_script.limits.trylock_delay_us);
		if (stp_try_lock(held))
			return true;
		if (tries >= TRIES_IN_THE_WAY && READ_ONCE(stp_awaited_cpu) == raw_smp_processor_id())
			return false;
	}
	return false;
}

unsigned long stp_lock_global(u32 global, enum stp_lock_mode mode)
{
	const struct stp_held held = { locks + global, mode };
	unsigned long flags;

	for (;;) {
		flags = stp_interrupts_off();
		if (stp_try_lock(&held))
			return flags;
		stp_interrupts_as(flags);
		cond_resched();
	}
}

void stp_unlock_global(u32 global, enum stp_lock_mode mode, unsigned long flags)
{
	const struct stp_held held = { locks + global, mode };

	stp_unlock(&held);
	stp_interrupts_as(flags);
}

STP_HOT bool stp_lock_rest(struct stp_context *c, const struct stp_dispatch *d, u32 taken)
{
	for (; taken < d->n_locks; taken++)
		if (!stp_try_lock(d->locks + taken) && !lock_patiently(c, d->locks + taken))
			goto give_back;
	return true;
give_back:
	while (taken--)
		stp_unlock(d->locks + taken);
	return false;
}

struct stp_held *stp_locks_of(const struct stp_probe *probe)
{
	struct stp_held *held = kvcalloc(max(probe->n_locks, 1u), sizeof(*held), GFP_KERNEL);
	u32 i;

	for (i = 0; held && i < probe->n_locks; i++)
		held[i] = (struct stp_held){ locks + probe->locks[i].global, probe->locks[i].mode };
	return held;
}
