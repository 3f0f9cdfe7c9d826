// SPDX-License-Identifier: GPL-2.0
/*
 * Contexts before and after the hits that use them: reserved when the module is loaded; and the one of
 * begin, end and error probes, which run one after the other.
 */
#include <linux/bitops.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "lock.h"
#include "transport/ring.h"

struct stp_dispatch *stp_dispatches;
struct stp_budget stp_budget;
static struct stp_budget interruptible_budget;
unsigned long *stp_probes_off;
static u32 n_probes_off;
static struct stp_slot *interruptible_slot;

/* ------------------------------------------- for what is seldom run */

unsigned long stp_interrupts_off(void)
{
	unsigned long flags;

	local_irq_save(flags);
	return flags;
}

void stp_interrupts_as(unsigned long flags)
{
	local_irq_restore(flags);
}

int stp_next_cpu(int cpu)
{
	unsigned int next = cpumask_next(cpu, cpu_possible_mask);

	return next < nr_cpu_ids ? next : -1;
}

/* -------------------------------------------------------------- reserving */

static struct stp_budget budget_of(u32 actions)
{
	return (struct stp_budget){ min_t(u32, actions, S32_MAX), stp_script.limits.nesting };
}

static void slot_destroy(struct stp_slot *slot)
{
	if (!slot)
		return;
	kvfree(slot->stack);
	kvfree(slot);
}

static struct stp_slot *slot_create(int node, u32 flags)
{
	struct stp_slot *slot = kvzalloc_node(sizeof(*slot), GFP_KERNEL, node);
	u32 frames = ALIGN(stp_script.limits.frame_stack, 16);
	u32 tokens = ALIGN(sizeof(struct stp_text) + stp_script.limits.string_size, 8);
	u32 match = stp_script.limits.keeps_match ?
			    sizeof(struct stp_match) + stp_script.limits.string_size : 0;

	if (!slot)
		return NULL;
	/* Whole cache lines: beside it lies that of another CPU. */
	slot->stack = kvzalloc_node(ALIGN(frames + tokens + match, L1_CACHE_BYTES), GFP_KERNEL, node);
	if (!slot->stack) {
		kvfree(slot);
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

	stp_each_cpu(cpu) {
		struct stp_cpu *own = per_cpu_ptr(&stp_cpus, cpu);

		for (level = 0; level < STP_LEVELS; level++) {
			own->slots[level] = slot_create(cpu_to_node(cpu),
							level ? STP_CONTEXT_NMI : 0);
			if (!own->slots[level])
				goto no_memory;
			own->slots[level]->cpu = cpu;
		}
	}
	stp_probes_off = kvcalloc(BITS_TO_LONGS(max(stp_script.n_probes, 1u)), sizeof(long), GFP_KERNEL);
	interruptible_slot = slot_create(NUMA_NO_NODE, STP_CONTEXT_INTERRUPTIBLE);
	stp_budget = budget_of(stp_script.limits.actions);
	interruptible_budget = budget_of(stp_script.limits.actions_interruptible);
	if (interruptible_slot && stp_probes_off && !dispatches_create())
		return 0;
no_memory:
	stp_contexts_exit();
	return -ENOMEM;
}

void stp_contexts_exit(void)
{
	int cpu, level;

	stp_each_cpu(cpu) {
		struct stp_cpu *own = per_cpu_ptr(&stp_cpus, cpu);

		for (level = 0; level < STP_LEVELS; level++) {
			slot_destroy(own->slots[level]);
			own->slots[level] = NULL;
		}
	}
	slot_destroy(interruptible_slot);
	interruptible_slot = NULL;
	dispatches_destroy();
	kvfree(stp_probes_off);
	stp_probes_off = NULL;
}

/* ---------------------------------------------------------- errors that nobody caught */

void stp_report_error(struct stp_context *c)
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

/* --------------------------------------------------------- probes on and off */

int stp_probe_switch(u32 probe, bool on)
{
	if (probe >= stp_script.n_probes)
		return -EINVAL;
	if (on && test_and_clear_bit(probe, stp_probes_off))
		n_probes_off--;
	else if (!on && !test_and_set_bit(probe, stp_probes_off))
		n_probes_off++;
	/* A session that has ended meanwhile stays so. */
	if (n_probes_off)
		cmpxchg(&stp_live, STP_LIVE, STP_LIVE_IN_PART);
	else
		cmpxchg(&stp_live, STP_LIVE_IN_PART, STP_LIVE);
	return 0;
}

/* ------------------------------------------------------ the interruptible one */

/* The interruptible context, which may sleep, and stays where its ring is. */
static struct stp_slot *thread_begin(const struct stp_point *point)
{
	struct stp_slot *slot = interruptible_slot;

	migrate_disable();
	slot->cpu = raw_smp_processor_id();
	stp_context_begin(slot, &interruptible_budget);
	slot->c.point = point;
	return slot;
}

void stp_run_interruptible(const struct stp_point *point)
{
	const struct stp_dispatch *d = stp_dispatches + point->probe;
	struct stp_slot *slot = thread_begin(point);

	d->handler(&slot->c);
	stp_context_end(slot);
	stp_count_handled(d);
	migrate_enable();
}

void stp_run_gates(void)
{
	u32 i;

	for (i = 0; i < stp_script.n_gates; i++) {
		struct stp_slot *slot = thread_begin(stp_script.points);

		stp_script.gates[i](&slot->c);
		stp_context_end(slot);
		migrate_enable();
	}
}
