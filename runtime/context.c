// SPDX-License-Identifier: GPL-2.0
/*
 * Contexts, and the way into a handler and out of it.
 *
 * Everything that a handler needs is reserved here when the module is loaded; entering one
 * allocates nothing and takes no lock of the kernel's. Interrupts are off while it runs: a CPU then
 * needs one context for tasks and interrupts, and one for NMIs. A hit that finds its context busy
 * (the handler itself reached the probed function) is a miss, counted as such.
 */
#include <linux/bitops.h>
#include <linux/hardirq.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>

#include "lock.h"
#include "slot.h"
#include "transport/ring.h"

DEFINE_PER_CPU(struct stp_cpu, stp_cpus);
u8 stp_live;
struct stp_dispatch *stp_dispatches;
static unsigned long *probes_off; /* a bit for each, with STP_LIVE_IN_PART */
static u32 n_probes_off;

/* The context of begin, end and error probes, which run one after the other. */
static struct stp_slot *interruptible_slot;

/* -------------------------------------------------------------- reserving */

/* What a handler may use up. */
struct budget {
	s32 actions;
	u32 nesting;
};
static struct budget budget, interruptible_budget;

static struct budget budget_of(u32 actions)
{
	return (struct budget){ min_t(u32, actions, S32_MAX), stp_script.limits.nesting };
}

static void slot_destroy(struct stp_slot *slot)
{
	if (!slot)
		return;
	kvfree(slot->stack);
	kfree(slot);
}

static struct stp_slot *slot_create(int node, u32 flags)
{
	struct stp_slot *slot = kzalloc_node(sizeof(*slot), GFP_KERNEL, node);
	u32 frames = ALIGN(stp_script.limits.frame_stack, 16);
	u32 tokens = ALIGN(sizeof(struct stp_text) + stp_script.limits.string_size, 8);
	u32 match = stp_script.limits.keeps_match ?
			    sizeof(struct stp_match) + stp_script.limits.string_size : 0;

	if (!slot)
		return NULL;
	/* Whole cache lines: beside it lies that of another CPU. */
	slot->stack = kvzalloc_node(ALIGN(frames + tokens + match, L1_CACHE_BYTES), GFP_KERNEL, node);
	if (!slot->stack) {
		kfree(slot);
		return NULL;
	}
	slot->tokens = (struct stp_text *)(slot->stack + frames);
	if (match)
		slot->match = (struct stp_match *)(slot->stack + frames + tokens);
	slot->c.stack_end = slot->stack + frames;
	slot->c.flags = flags;
	slot->random = get_random_u64() | 1;
	return slot;
}

static int dispatches_create(void)
{
	u32 i;

	stp_dispatches = kvcalloc(max(stp_script.n_probes, 1u), sizeof(*stp_dispatches), GFP_KERNEL);
	for (i = 0; stp_dispatches && i < stp_script.n_probes; i++) {
		const struct stp_probe *probe = &stp_script.probes[i];

		stp_dispatches[i] = (struct stp_dispatch){
			.probe = probe,
			.handler = probe->handler,
			.counters = alloc_percpu(struct stp_counters),
			.flags = probe->flags,
			.n_locks = probe->n_locks,
			.locks = stp_locks_of(probe),
		};
		if (!stp_dispatches[i].counters || !stp_dispatches[i].locks)
			return -ENOMEM;
	}
	return stp_dispatches ? 0 : -ENOMEM;
}

static void dispatches_destroy(void)
{
	u32 i;

	for (i = 0; stp_dispatches && i < stp_script.n_probes; i++) {
		free_percpu(stp_dispatches[i].counters);
		kvfree(stp_dispatches[i].locks);
	}
	kvfree(stp_dispatches);
	stp_dispatches = NULL;
}

int stp_contexts_init(void)
{
	int cpu, level;

	for_each_possible_cpu(cpu) {
		struct stp_cpu *own = per_cpu_ptr(&stp_cpus, cpu);

		for (level = 0; level < STP_LEVELS; level++) {
			own->slots[level] = slot_create(cpu_to_node(cpu),
							level ? STP_CONTEXT_NMI : 0);
			if (!own->slots[level])
				goto no_memory;
			own->slots[level]->cpu = cpu;
		}
	}
	probes_off = kvcalloc(BITS_TO_LONGS(max(stp_script.n_probes, 1u)), sizeof(long), GFP_KERNEL);
	interruptible_slot = slot_create(NUMA_NO_NODE, STP_CONTEXT_INTERRUPTIBLE);
	budget = budget_of(stp_script.limits.actions);
	interruptible_budget = budget_of(stp_script.limits.actions_interruptible);
	if (interruptible_slot && probes_off && !dispatches_create())
		return 0;
no_memory:
	stp_contexts_exit();
	return -ENOMEM;
}

void stp_contexts_exit(void)
{
	int cpu, level;

	for_each_possible_cpu(cpu) {
		struct stp_cpu *own = per_cpu_ptr(&stp_cpus, cpu);

		for (level = 0; level < STP_LEVELS; level++) {
			slot_destroy(own->slots[level]);
			own->slots[level] = NULL;
		}
	}
	slot_destroy(interruptible_slot);
	interruptible_slot = NULL;
	dispatches_destroy();
	kvfree(probes_off);
	probes_off = NULL;
}

/* ----------------------------------------------------------------- errors */

void stp_fail(struct stp_context *c, const struct stp_place *place, const char *text, ...)
{
	va_list args;

	if (c->error)
		return;
	va_start(args, text);
	vsnprintf(c->error_text, sizeof(c->error_text), text, args);
	va_end(args);
	c->error = c->error_text;
	c->error_place = place;
}

void stp_fail_str(struct stp_context *c, const struct stp_place *place, struct stp_str text)
{
	stp_fail(c, place, "%.*s", (int)text.len, text.p);
}

bool stp_catch(struct stp_context *c, struct stp_text *to)
{
	/* A handler that has used up its actions must end. */
	if (c->actions < 0)
		return false;
	if (to) {
		to->len = min_t(u32, strlen(c->error), stp_script.limits.string_size - 1);
		memcpy(to->text, c->error, to->len);
	}
	c->error = NULL;
	return true;
}

bool stp_out_of_actions(struct stp_context *c, const struct stp_place *place)
{
	bool interruptible = c->flags & STP_CONTEXT_INTERRUPTIBLE;

	stp_fail(c, place, "more than %s (%u) actions in one handler",
		 interruptible ? "MAXACTION_INTERRUPTIBLE" : "MAXACTION",
		 interruptible ? stp_script.limits.actions_interruptible :
				 stp_script.limits.actions);
	return false;
}

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

s64 stp_div_slow(struct stp_context *c, s64 a, s64 b, const struct stp_place *place)
{
	if (!b) {
		stp_fail(c, place, "division by 0");
		return 0;
	}
	/* The least number by -1 does not fit; the processor traps. It wraps around. */
	return b == -1 ? (s64)(0 - (u64)a) : a / b;
}

s64 stp_mod_slow(struct stp_context *c, s64 a, s64 b, const struct stp_place *place)
{
	if (!b) {
		stp_fail(c, place, "division by 0");
		return 0;
	}
	return b == -1 ? 0 : a % b;
}

/* Writes the error to the ring, and ends the session when that was one too many. */
static void report_error(struct stp_context *c)
{
	char *text = c->error_text;
	size_t length = strlen(text), room = sizeof(c->error_text);
	const struct stp_place *place = c->error_place;

	if (place)
		length += scnprintf(text + length, room - length, " near %s:%u:%u", place->file,
				    place->line, place->column);
	if (!stp_script.suppress_handler_errors) {
		stp_ring_text(c, STP_RECORD_ERROR, (struct stp_str){ text, length });
		if (stp_session_error())
			stp_session_wants_stop();
	}
	c->error = NULL;
}

/* ----------------------------------------------------------------- hits */

/* What is not set here was left as it must be: no error, nothing written. */
static __always_inline void context_begin(struct stp_slot *slot, const struct budget *own)
{
	BUILD_BUG_ON(offsetof(struct stp_context, nesting) != offsetof(struct stp_context, actions) + 4);
	*(struct budget *)&slot->c.actions = *own;
	slot->c.stack = slot->stack;
	if (unlikely(slot->match))
		slot->match->groups = 0;
}

static __always_inline void context_end(struct stp_slot *slot)
{
	if (unlikely(slot->c.error))
		report_error(&slot->c);
	if (slot->wrote) {
		stp_ring_leave(&slot->c);
		slot->wrote = false;
		slot->time = 0;
	}
}

static __always_inline void count_handled(const struct stp_dispatch *d)
{
	this_cpu_inc(d->counters->handled);
}

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

/* For when not all probes are on. */
static noinline bool passes(const struct stp_point *point)
{
	return READ_ONCE(stp_live) == STP_LIVE_IN_PART && !test_bit(point->probe, probes_off);
}

int stp_probe_switch(u32 probe, bool on)
{
	if (probe >= stp_script.n_probes)
		return -EINVAL;
	if (on && test_and_clear_bit(probe, probes_off))
		n_probes_off--;
	else if (!on && !test_and_set_bit(probe, probes_off))
		n_probes_off++;
	/* A session that has ended meanwhile stays so. */
	if (n_probes_off)
		cmpxchg(&stp_live, STP_LIVE, STP_LIVE_IN_PART);
	else
		cmpxchg(&stp_live, STP_LIVE_IN_PART, STP_LIVE);
	return 0;
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
	context_begin(slot, &budget);
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
	context_end(slot);
	barrier();
	own->busy[level] = false;
	local_irq_restore(flags);
	return missed;
}

/* A light handler that is reached from another one's on this CPU: only from an NMI it counts. */
static noinline bool hit_light_while_busy(const struct stp_dispatch *d, struct stp_hit *hit)
{
	if (!in_nmi() || *busy_here(1)) {
		stp_missed(hit->point, STP_MISS_REENTRY, 1);
		return false;
	}
	d->handler((struct stp_context *)hit);
	count_handled(d);
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
static noinline hot bool hit_guarded(const struct stp_point *point, const struct pt_regs *regs,
				     const u64 *args, u64 address, void *entry,
				     const struct stp_dispatch *d)
{
	struct stp_hit hit = { (const u64 *)regs, args, entry, point, address };
	bool done = run_guarded(d->handler, &hit);

	if (likely(done))
		count_handled(d);
	else
		stp_missed(point, STP_MISS_REENTRY, 1);
	return done;
}

static noinline hot bool hit_full(const struct stp_point *point, const struct pt_regs *regs,
				  const u64 *args, u64 address, void *entry,
				  const struct stp_dispatch *d)
{
	struct stp_hit hit = { (const u64 *)regs, args, entry, point, address };
	enum stp_miss missed;
	bool failed = false;

	missed = run_full(d, d->handler, hit, &failed);
	if (likely(missed == STP_MISSES))
		count_handled(d);
	else
		stp_missed(point, missed, 1);
	return missed == STP_MISSES && !failed;
}

static __always_inline bool hit_light(const struct stp_dispatch *d, struct stp_hit hit)
{
	if (unlikely(this_cpu_read(stp_cpus.busy[0])))
		return hit_light_while_busy(d, &hit);
	d->handler((struct stp_context *)&hit);
	count_handled(d);
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
		return hit_guarded(point, regs, args, address, entry, d);
	return hit_full(point, regs, args, address, entry, d);
}

hot bool stp_hit_entry(const struct stp_point *point, const struct pt_regs *regs, u64 address,
		       void *entry)
{
	const struct stp_dispatch *d = stp_dispatches + point->probe;
	struct stp_hit hit = { (const u64 *)regs, NULL, entry, point, address };
	enum stp_miss missed;
	bool failed = false;

	if (unlikely(READ_ONCE(stp_live) != STP_LIVE) && !passes(point))
		return false;
	if (!d->probe->entry_handler)
		return true;
	if (likely(d->flags & (STP_PROBE_LIGHT | STP_PROBE_GUARDED)))
		missed = run_guarded(d->probe->entry_handler, &hit) ? STP_MISSES : STP_MISS_REENTRY;
	else
		missed = run_full(d, d->probe->entry_handler, hit, &failed);
	if (unlikely(missed != STP_MISSES))
		stp_missed(point, missed, 1);
	else if (unlikely(failed))
		count_handled(d);
	return missed == STP_MISSES && !failed;
}

/* The interruptible context, which may sleep, and stays where its ring is. */
static struct stp_slot *thread_begin(const struct stp_point *point)
{
	struct stp_slot *slot = interruptible_slot;

	migrate_disable();
	slot->cpu = raw_smp_processor_id();
	context_begin(slot, &interruptible_budget);
	slot->c.point = point;
	return slot;
}

void stp_run_interruptible(const struct stp_point *point)
{
	const struct stp_dispatch *d = stp_dispatches + point->probe;
	struct stp_slot *slot = thread_begin(point);

	d->handler(&slot->c);
	context_end(slot);
	count_handled(d);
	migrate_enable();
}

void stp_run_gates(void)
{
	u32 i;

	for (i = 0; i < stp_script.n_gates; i++) {
		struct stp_slot *slot = thread_begin(stp_script.points);

		stp_script.gates[i](&slot->c);
		context_end(slot);
		migrate_enable();
	}
}
