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
#include <linux/random.h>
#include <linux/sched/clock.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "slot.h"

DEFINE_PER_CPU(struct stp_cpu, stp_cpus);
u8 stp_live;
static unsigned long *probes_off; /* a bit for each, with STP_LIVE_IN_PART */
static u32 n_probes_off;

/* The context of begin, end and error probes, which run one after the other. */
static struct stp_slot *interruptible_slot;

/* -------------------------------------------------------------- reserving */

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
	slot->stack = kvzalloc_node(frames + tokens + match, GFP_KERNEL, node);
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

int stp_contexts_init(void)
{
	int cpu, level;

	for_each_possible_cpu(cpu) {
		struct stp_cpu *own = per_cpu_ptr(&stp_cpus, cpu);

		for (level = 0; level < STP_LEVELS; level++)
			own->slots[level] = slot_create(cpu_to_node(cpu),
							level ? STP_CONTEXT_NMI : 0);
		own->counters = kvcalloc(max(stp_script.n_probes, 1u), sizeof(*own->counters),
					 GFP_KERNEL);
		if (!own->slots[0] || !own->slots[1] || !own->counters)
			goto no_memory;
	}
	probes_off = kvcalloc(BITS_TO_LONGS(max(stp_script.n_probes, 1u)), sizeof(long), GFP_KERNEL);
	interruptible_slot = slot_create(NUMA_NO_NODE, STP_CONTEXT_INTERRUPTIBLE);
	if (interruptible_slot && probes_off)
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
		kvfree(own->counters);
		own->counters = NULL;
	}
	slot_destroy(interruptible_slot);
	interruptible_slot = NULL;
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

static inline void context_begin(struct stp_slot *slot, const struct stp_point *point, u32 actions)
{
	struct stp_context *c = &slot->c;

	slot->wrote = false;
	slot->time = 0;
	c->error = NULL;
	c->actions = min_t(u32, actions, S32_MAX);
	c->nesting = stp_script.limits.nesting;
	c->point = point;
	c->stack = slot->stack;
	c->cpu = slot->cpu;
	if (slot->match)
		slot->match->groups = 0;
}

/* The context of this CPU and level; NULL when a handler is using it. */
static inline struct stp_slot *slot_get(void)
{
	struct stp_slot *slot = this_cpu_ptr(&stp_cpus)->slots[in_nmi() ? 1 : 0];

	if (unlikely(slot->busy))
		return NULL;
	slot->busy = true;
	/* What a nested hit on this CPU must see in this order. */
	barrier();
	return slot;
}

static inline void slot_put(struct stp_slot *slot)
{
	if (unlikely(slot->c.error))
		report_error(&slot->c);
	if (slot->wrote)
		stp_ring_leave(&slot->c);
	barrier();
	slot->busy = false;
}

static inline void count_handled(const struct stp_point *point)
{
	struct stp_counters *counters = this_cpu_ptr(&stp_cpus)->counters + point->probe;

	local_inc(&counters->hits);
	local_inc(&counters->handled);
}

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

bool stp_probe_on(u32 probe)
{
	return !test_bit(probe, probes_off);
}

/*
 * Runs `handler` in a context of this CPU. False when it was missed or failed. A miss is counted; a
 * hit that was handled only with `count`, or when it failed.
 */
static __always_inline bool run(const struct stp_point *point, const struct stp_probe *probe,
				void (*handler)(struct stp_context *), const struct pt_regs *regs,
				const u64 *args, u64 address, void *entry, bool count)
{
	enum stp_miss cause = STP_MISS_REENTRY;
	struct stp_slot *slot;
	unsigned long flags;
	bool done;

	if (unlikely(READ_ONCE(stp_live) != STP_LIVE) && !passes(point))
		return false;
	local_irq_save(flags);
	slot = slot_get();
	if (unlikely(!slot))
		goto missed;
	slot->cpu = smp_processor_id();
	context_begin(slot, point, stp_script.limits.actions);
	slot->c.regs = (const u64 *)regs;
	slot->c.args = args;
	slot->c.entry = entry;
	slot->c.address = address;
	if (probe->n_locks && unlikely(!stp_lock(&slot->c, probe))) {
		cause = STP_MISS_LOCK;
		slot_put(slot);
		goto missed;
	}
	handler(&slot->c);
	if (probe->n_locks)
		stp_unlock(probe);
	done = !slot->c.error;
	slot_put(slot);
	if (count || !done)
		count_handled(point);
	local_irq_restore(flags);
	return done;
missed:
	local_irq_restore(flags);
	stp_missed(point, cause, 1);
	return false;
}

void stp_hit(const struct stp_point *point, const struct pt_regs *regs, const u64 *args,
	     u64 address, void *entry)
{
	const struct stp_probe *probe = stp_script.probes + point->probe;

	run(point, probe, probe->handler, regs, args, address, entry, true);
}

bool stp_hit_entry(const struct stp_point *point, const struct pt_regs *regs, u64 address,
		   void *entry)
{
	const struct stp_probe *probe = stp_script.probes + point->probe;

	if (!probe->entry_handler)
		return READ_ONCE(stp_live);
	return run(point, probe, probe->entry_handler, regs, NULL, address, entry, false);
}

/* The interruptible context, which may sleep, and stays where its ring is. */
static struct stp_slot *thread_begin(const struct stp_point *point)
{
	struct stp_slot *slot = interruptible_slot;

	migrate_disable();
	slot->cpu = raw_smp_processor_id();
	context_begin(slot, point, stp_script.limits.actions_interruptible);
	slot->c.regs = NULL;
	slot->c.args = NULL;
	slot->c.entry = NULL;
	slot->c.address = 0;
	return slot;
}

void stp_run_interruptible(const struct stp_point *point)
{
	struct stp_slot *slot = thread_begin(point);

	stp_script.probes[point->probe].handler(&slot->c);
	slot_put(slot);
	count_handled(point);
	migrate_enable();
}

void stp_run_gates(void)
{
	u32 i;

	for (i = 0; i < stp_script.n_gates; i++) {
		struct stp_slot *slot = thread_begin(stp_script.points);

		stp_script.gates[i](&slot->c);
		slot_put(slot);
		migrate_enable();
	}
}
