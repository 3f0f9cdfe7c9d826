// SPDX-License-Identifier: GPL-2.0
/*
 * Locks of globals: many readers or one writer.
 *
 * They are the runtime's own, a word each: no probed function can hold one, and none of them is
 * watched by the kernel (a lock of the kernel's would call tracepoints and lockdep from inside
 * handlers). Nobody waits for long: after MAXTRYLOCK tries the hit is a miss. All handlers take locks
 * in the same order, so the wait is only ever for a handler that runs on another CPU; an NMI, which
 * may have interrupted the holder, tries once.
 */
#include <linux/delay.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "runtime.h"

#define WRITER (-1)

/* On lines of their own: two globals that two CPUs use must not share one. */
struct stp_lock {
	atomic_t holders; /* readers, or WRITER */
} ____cacheline_aligned_in_smp;

static struct stp_lock *locks;

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

static bool try_lock(struct stp_lock *lock, enum stp_lock_mode mode)
{
	int holders = atomic_read(&lock->holders);

	if (mode == STP_LOCK_WRITE)
		return !holders && atomic_try_cmpxchg_acquire(&lock->holders, &holders, WRITER);
	/* Another reader's coming or going is no reason to give up. */
	while (holders != WRITER)
		if (atomic_try_cmpxchg_acquire(&lock->holders, &holders, holders + 1))
			return true;
	return false;
}

static void unlock(struct stp_lock *lock, enum stp_lock_mode mode)
{
	if (mode == STP_LOCK_WRITE)
		atomic_set_release(&lock->holders, 0);
	else
		atomic_dec_return_release(&lock->holders);
}

static bool lock_patiently(const struct stp_context *c, struct stp_lock *lock,
			   enum stp_lock_mode mode)
{
	u32 tries;

	if (likely(try_lock(lock, mode)))
		return true;
	if (c->flags & STP_CONTEXT_NMI)
		return false;
	for (tries = 0; tries < stp_script.limits.trylock; tries++) {
		/* In a virtual machine the holder may be waiting for our processor: pause gives it away. */
		cpu_relax();
		udelay(stp_script.limits.trylock_delay_us);
		if (try_lock(lock, mode))
			return true;
	}
	return false;
}

unsigned long stp_lock_global(u32 global, enum stp_lock_mode mode)
{
	unsigned long flags;

	for (;;) {
		local_irq_save(flags);
		if (try_lock(locks + global, mode))
			return flags;
		local_irq_restore(flags);
		cond_resched();
	}
}

void stp_unlock_global(u32 global, enum stp_lock_mode mode, unsigned long flags)
{
	unlock(locks + global, mode);
	local_irq_restore(flags);
}

bool stp_lock(struct stp_context *c, const struct stp_probe *probe)
{
	const struct stp_lock_use *use = probe->locks;
	u32 taken;

	for (taken = 0; taken < probe->n_locks; taken++)
		if (unlikely(!lock_patiently(c, locks + use[taken].global, use[taken].mode)))
			goto give_back;
	return true;
give_back:
	while (taken--)
		unlock(locks + use[taken].global, use[taken].mode);
	return false;
}

void stp_unlock(const struct stp_probe *probe)
{
	u32 n;

	for (n = 0; n < probe->n_locks; n++)
		unlock(locks + probe->locks[n].global, probe->locks[n].mode);
}
