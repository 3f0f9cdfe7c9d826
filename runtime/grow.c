// SPDX-License-Identifier: GPL-2.0
/*
 * Arrays that grow.
 *
 * An array without a size of its own begins small. The handler that sees it fill up asks for more, and
 * a thread makes it larger while handlers go on: one of the handler's own CPU and of high priority, so
 * that who fills an array must wait for it. begin and end probes run alone and may sleep: they do it on the
 * spot, so theirs are never full while there is memory.
 *
 * The thread makes memory ready and takes no lock. Entries stay where they are (area.c), so to have more of
 * them is a change of a few numbers, which the next handler that wants it makes. The table doubles in
 * pieces, one with each insertion, such that a look-up need not know: each bucket of the new half begins as
 * a second head of its twin's chain, and insertions and deletions change both. When all are there the mask
 * has a bit more, from one moment to the next, and then the chains are cut in two. Until that is done
 * chains are twice as long.
 *
 * Rejected: two tables of which each look-up asks both, and an index of chunks of entries. Both make
 * every hit pay for what happens a few times.
 */
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include "map_parts.h"

/* With each insertion. The array is filled by half or more until it is to double again. */
#define HEADS_AT_ONCE 32u
#define CHAINS_AT_ONCE 8u
/* Up to these bytes of entries an array may have at the start, and grows fourfold; then by half; later by so many
 * entries; and a large one by an eighth. */
#define FIRST_BYTES (2u << 20)
#define LEAST_STEP 131072u
/* What is left when it asks must last until the thread has come: on a quiet machine at once, but a virtual processor
 * may stand still for a tenth of a second, in which another one fills in 20000. And until the thread is done: it
 * makes room several times as fast as one handler at a time can fill it, so half a step is enough. */
#define LEAST_RESERVE (LEAST_STEP / 2) /* entries, where that is no more than half of all */
#define MOST_ENTRIES (1u << 30)

static s64 bytes_used; /* by all arrays. Changed by one thread at a time */

void stp_map_count_memory(s64 bytes)
{
	bytes_used += bytes;
}

static u64 most_megabytes(void)
{
	return stp_script.limits.map_megabytes ?: (u64)totalram_pages() >> (20 - PAGE_SHIFT + 3);
}

/* What an entry takes, with its part of the table, at most. */
static u32 entry_bytes(const struct stp_map *m)
{
	return m->entry_size + m->global->walks * sizeof(u64) + 3 * sizeof(u32) / 2;
}

void stp_map_first_room(struct stp_map *m)
{
	u64 most = min((u64)FIRST_BYTES, most_megabytes() << (20 - 3));

	m->room = max(m->global->max_entries, (u32)(most / entry_bytes(m)));
	m->grow_at = m->room / 4;
}

/* ------------------------------------------------------------------- room */

/* How many entries it may have next; as many as now when the limit allows no sixteenth more. */
static u32 next_room(const struct stp_map *m)
{
	s64 left = (s64)(most_megabytes() << 20) - bytes_used;
	u64 step = min(m->room / 2, max(m->room / 8, LEAST_STEP));
	u64 wanted = (u64)m->room * entry_bytes(m) > FIRST_BYTES ? step : 3ull * m->room;
	u64 more = min(wanted, (u64)(MOST_ENTRIES - m->room));

	more = left > 0 ? min(more, (u64)left / entry_bytes(m)) : 0;
	return more > m->room / 16 ? m->room + more : m->room;
}

/* Makes room ready, or finds that there is none. No lock: nobody else changes these. */
static void prepare_room(struct stp_map *m)
{
	u32 room = next_room(m), walks = m->global->walks;
	u64 buckets = max((u64)m->buckets, (u64)stp_map_buckets(room));

	if (room > m->room) {
		m->next_entries = stp_area_grow(&m->entry_area, (size_t)room * m->entry_size);
		m->next_orders = walks ? stp_area_grow(&m->order_area, (size_t)walks * room * sizeof(u64)) :
					 NULL;
		m->next_table = stp_area_grow(&m->table_area, buckets * sizeof(u32));
	}
	if (room == m->room || !m->next_entries || !m->next_table || (walks && !m->next_orders)) {
		WRITE_ONCE(m->growth, room == m->room ? STP_AT_LIMIT : STP_NO_MEMORY);
		WRITE_ONCE(m->grow_at, NONE);
		WRITE_ONCE(m->wants, false);
		return;
	}
	bytes_used += stp_map_bytes(m, room, buckets) - stp_map_bytes(m, m->room, m->buckets);
	m->next_buckets = buckets;
	smp_store_release(&m->next_room, room);
}

/* Takes what is ready. The caller has the lock. */
static void take_room(struct stp_map *m, u32 room)
{
	m->entries = m->next_entries;
	m->orders = m->next_orders;
	m->table = m->next_table;
	m->room = room;
	m->buckets = m->next_buckets;
	m->grow_at = room - max(room / 16, min(room / 2, LEAST_RESERVE));
	WRITE_ONCE(m->next_room, 0);
	WRITE_ONCE(m->wants, false);
}

/* ------------------------------------------------------- doubling the table */

static void copy_heads(struct stp_map *m)
{
	u32 end = min(m->half, m->copied + HEADS_AT_ONCE);

	for (; m->copied < end; m->copied++)
		m->table[m->half + m->copied] = m->table[m->copied];
	if (m->copied == m->half)
		m->mask = 2 * m->half - 1;
}

/* One chain that two buckets share becomes two, each in the order that it had. */
static void split_chain(struct stp_map *m, u32 bucket)
{
	u32 *ends[2] = { m->table + bucket, m->table + bucket + m->half };
	u32 index = m->table[bucket];

	while (index != NONE) {
		struct stp_entry *e = stp_entry_at(m, index);
		bool upper = stp_map_hash_of(m, e) & m->half;

		*ends[upper] = index;
		ends[upper] = &e->chain;
		index = e->chain;
	}
	*ends[0] = *ends[1] = NONE;
}

static void split_chains(struct stp_map *m)
{
	u32 end = min(m->half, m->split + CHAINS_AT_ONCE);

	for (; m->split < end; m->split++)
		split_chain(m, m->split);
	if (m->split == m->half)
		m->half = 0;
}

void stp_map_double(struct stp_map *m)
{
	if (!m->half) {
		m->copied = m->split = 0;
		m->half = m->mask + 1;
	}
	if (m->copied < m->half)
		copy_heads(m);
	else
		split_chains(m);
}

/* -------------------------------------------------------- in the background */

static void grow(struct work_struct *work)
{
	const struct stp_global *global = stp_script.globals;
	const struct stp_global *end = global + stp_script.n_globals;

	for (; global < end; global++) {
		struct stp_map *m = global->grows ? *(struct stp_map **)global->storage : NULL;

		if (m && READ_ONCE(m->wants) && !smp_load_acquire(&m->next_room))
			prepare_room(m);
	}
}
static DECLARE_WORK(grow_work, grow);

static struct workqueue_struct *growing_thread;

static int growing_init(void)
{
	u32 i = 0;

	while (i < stp_script.n_globals && !stp_script.globals[i].grows)
		i++;
	if (i == stp_script.n_globals)
		return 0;
	growing_thread = alloc_workqueue("%s_grow", WQ_HIGHPRI | WQ_CPU_INTENSIVE | WQ_PERCPU, 0, THIS_MODULE->name);
	return growing_thread ? 0 : -ENOMEM;
}

static void growing_exit(void)
{
	if (growing_thread)
		destroy_workqueue(growing_thread);
	growing_thread = NULL;
}

static void pass_on_growing(struct irq_work *work)
{
	queue_work(growing_thread, &grow_work);
}
static DEFINE_IRQ_WORK(crowded, pass_on_growing);

void stp_map_crowded(struct stp_context *c, struct stp_map *m)
{
	u32 room = smp_load_acquire(&m->next_room);

	if (!room && (c->flags & STP_CONTEXT_INTERRUPTIBLE)) {
		prepare_room(m);
		room = m->next_room;
	}
	if (room) {
		take_room(m, room);
	} else if (!m->wants && m->grow_at != NONE) {
		m->asker = raw_smp_processor_id();
		WRITE_ONCE(m->wants, true);
		/* Handlers may run inside the scheduler: waking is left to an interrupt of its own. */
		irq_work_queue(&crowded);
	}
}

bool stp_map_await(struct stp_context *c, struct stp_map *m)
{
	u32 tries = stp_script.limits.trylock, room = 0;

	/* Here the thread runs when the handler is done, and no sooner. */
	if (!m->wants || m->asker == raw_smp_processor_id() || c->flags & STP_CONTEXT_NMI)
		return false;
	while (!room && tries-- && READ_ONCE(m->growth) == STP_GROWS) {
		/* That CPU may be in a handler that waits for our locks: then neither would get what it waits for.
		 * Each time: who waits for another array's room writes there as well. */
		WRITE_ONCE(stp_awaited_cpu, m->asker);
		/* In a virtual machine the thread may be waiting for our processor: pause gives it away. */
		cpu_relax();
		udelay(stp_script.limits.trylock_delay_us);
		room = smp_load_acquire(&m->next_room);
	}
	WRITE_ONCE(stp_awaited_cpu, -1);
	if (room)
		take_room(m, room);
	return room;
}

static void growing_finish(void)
{
	irq_work_sync(&crowded);
	flush_work(&grow_work);
}

const struct stp_growing_part stp_growing_part = {
	.init = growing_init,
	.exit = growing_exit,
	.finish = growing_finish,
};

/* -------------------------------------------------------------------- full */

void stp_map_full(struct stp_context *c, const struct stp_map *m, const struct stp_place *place)
{
	switch (m->growth) {
	case STP_FIXED:
		stp_fail(c, place, "array %s is full: it has %u entries; give it a size, or -D MAXMAPENTRIES=N",
			 m->global->name, m->room);
		break;
	case STP_AT_LIMIT:
		stp_fail(c, place, "array %s is full: it has %u entries, and arrays may have %llu MB together; -D MAXMAPMEMORY=MB",
			 m->global->name, m->room, most_megabytes());
		break;
	case STP_NO_MEMORY:
		stp_fail(c, place, "array %s is full: it has %u entries, and there is no memory for more; delete some, or give it a size",
			 m->global->name, m->room);
		break;
	default:
		stp_fail(c, place, "array %s is full: it has %u entries, and was filled faster than it grows; give it a size, or -D MAXMAPENTRIES=N",
			 m->global->name, m->room);
	}
}
