// SPDX-License-Identifier: GPL-2.0
/* Arrays as globals: made when the module is loaded, cleared, shown, taken away. */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "map_parts.h"
#include "stat.h"

static u32 text_size(u32 room)
{
	return ALIGN(sizeof(struct stp_text) + room, sizeof(u32));
}

/*
 * Memory for a whole array. One that is too large is the script's mistake: it must fail quietly,
 * and before the kernel kills programs to make room.
 */
static void *allocate(size_t n, size_t size, gfp_t flags)
{
	return kvmalloc_array(n, size, GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL | flags);
}

/* The value comes first: where it is must not depend on the array. Strings come last: they need no more than the
 * alignment of their length. */
static void lay_out(struct stp_map *m)
{
	const struct stp_global *global = m->global;
	u32 at, k, numbers = 0;

	m->value_size = global->type == STP_STRING ? text_size(stp_script.limits.string_size) :
			global->type == STP_STAT   ? stp_stat_size(global->shape) :
						     sizeof(s64);
	at = ALIGN(sizeof(struct stp_entry) + m->value_size, 8);
	for (k = 0; k < global->n_keys; k++) {
		if (global->key_types[k] == STP_STRING)
			continue;
		m->key_at[k] = at;
		at += sizeof(s64);
		numbers++;
	}
	if (global->type == STP_STAT && global->walks) {
		m->rank_at = at;
		at += sizeof(s64);
	}
	m->number = global->n_keys == 1 && numbers;
	m->text = global->n_keys == 1 && !numbers;
	/* That of numbers is computed as fast as it is read. */
	if (numbers < global->n_keys) {
		m->hash_at = at;
		at += sizeof(u32);
	}
	for (k = 0; k < global->n_keys; k++) {
		if (global->key_types[k] != STP_STRING)
			continue;
		m->key_at[k] = at;
		at += text_size(stp_map_key_room(global, k));
	}
	m->entry_size = ALIGN(at, 8);
}

/* All that it will ever have. */
static void allocate_fixed(struct stp_map *m, size_t buckets)
{
	m->table = allocate(buckets, sizeof(*m->table), 0);
	m->entries = allocate(m->room, m->entry_size, __GFP_ZERO);
	if (m->global->walks)
		m->orders = allocate((size_t)m->global->walks * m->room, sizeof(u64), 0);
}

/* What it begins with. */
static void allocate_growing(struct stp_map *m, size_t buckets)
{
	m->table = stp_area_grow(&m->table_area, buckets * sizeof(*m->table));
	m->entries = stp_area_grow(&m->entry_area, (size_t)m->room * m->entry_size);
	if (m->global->walks)
		m->orders = stp_area_grow(&m->order_area,
					  (size_t)m->global->walks * m->room * sizeof(u64));
}

static void destroy_map(void *stored)
{
	struct stp_map *m = stored;

	if (!m)
		return;
	stp_map_count_memory(-stp_map_bytes(m, m->room, m->buckets));
	if (m->growth == STP_FIXED) {
		kvfree(m->table);
		kvfree(m->entries);
		kvfree(m->orders);
	}
	stp_area_free(&m->table_area);
	stp_area_free(&m->entry_area);
	stp_area_free(&m->order_area);
	kvfree(m);
}

static void *create_map(const struct stp_global *global)
{
	struct stp_map *m = kvzalloc(sizeof(*m), GFP_KERNEL);
	size_t buckets;

	if (!m)
		return NULL;
	m->global = global;
	lay_out(m);
	m->room = global->max_entries;
	m->growth = global->grows ? STP_GROWS : STP_FIXED;
	m->grow_at = NONE;
	if (global->grows)
		stp_map_first_room(m);
	buckets = stp_map_buckets(m->room);
	m->mask = buckets - 1;
	m->buckets = buckets;
	if (global->grows)
		allocate_growing(m, buckets);
	else
		allocate_fixed(m, buckets);
	stp_map_count_memory(stp_map_bytes(m, m->room, m->buckets));
	if (!m->table || !m->entries || (global->walks && !m->orders)) {
		destroy_map(m);
		return NULL;
	}
	memset(m->table, 0xff, buckets * sizeof(*m->table));
	m->free = m->oldest = m->newest = NONE;
	m->stamp = 1;
	return m;
}

static void clear_map(void *stored)
{
	stp_map_clear(stored);
}

static void show_map(struct seq_file *out, void *stored)
{
	const struct stp_map *m = stored;

	seq_printf(out, "[%u elements]", m->count);
}

const struct stp_store stp_array_store = {
	.create = create_map,
	.destroy = destroy_map,
	.clear = clear_map,
	.show = show_map,
};
