// SPDX-License-Identifier: GPL-2.0
/*
 * foreach walks a snapshot: the entries' numbers, sorted when that is asked for, in a buffer that
 * the array has for each walk that may nest. So the body may change the array. An entry
 * that is gone by the time its turn comes is known by its stamp. Only as many as the walk's
 * limit are sorted: the ten greatest of n cost a comparison for each of the n, as a rule.
 */
#include <linux/kernel.h>

#include "map_parts.h"
#include "stat.h"

/* What decides: a number or a string of the entry. */
struct sorting {
	const struct stp_map *map;
	u32 at;
	bool text, down;
	u32 oldest; /* the oldest entry's stamp: stamps wrap around */
};

static struct sorting sorting_by(const struct stp_map *m, const struct stp_walk_order *order)
{
	u8 type = order->key ? m->global->key_types[order->key - 1] : m->global->type;

	return (struct sorting){
		.map = m,
		.at = order->key	? m->key_at[order->key - 1] :
		      type == STP_STAT ? m->rank_at :
					 STP_ENTRY_HEAD,
		.text = type == STP_STRING,
		.down = order->direction < 0,
		.oldest = m->oldest == NONE ? 0 : stp_entry_at(m, m->oldest)->stamp,
	};
}

/* Of two of a walk's list. Those that are equal stay in order of insertion. */
static __always_inline bool comes_before(const struct sorting *s, u64 a, u64 b)
{
	const void *x = stp_entry_field(stp_entry_at(s->map, (u32)a), s->at);
	const void *y = stp_entry_field(stp_entry_at(s->map, (u32)b), s->at);

	if (s->text) {
		int order = stp_compare(STP_BORROW((const struct stp_text *)x), STP_BORROW((const struct stp_text *)y));

		if (order)
			return s->down ? order > 0 : order < 0;
	} else if (*(const s64 *)x != *(const s64 *)y) {
		return s->down ? *(const s64 *)x > *(const s64 *)y : *(const s64 *)x < *(const s64 *)y;
	}
	return (u32)(a >> 32) - s->oldest < (u32)(b >> 32) - s->oldest;
}

/* A heap: whatever is at `at` comes behind what is at 2 at + 1 and 2 at + 2. */
static void sift_down(const struct sorting *s, u64 *heap, u32 at, u32 n)
{
	u64 moved = heap[at];
	u32 child;

	while ((child = 2 * at + 1) < n) {
		if (child + 1 < n && comes_before(s, heap[child], heap[child + 1]))
			child++;
		if (comes_before(s, heap[child], moved))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

/*
 * Brings the first `wanted` of n entries to the list's start, in order. A heap of as many as are
 * wanted, its last one on top: most others do not come before that one, and are done with. In place, without
 * recursion, n log wanted in the worst case.
 */
static void sort_entries(const struct sorting *s, u64 *list, u32 n, u32 wanted)
{
	u32 i;

	if (!wanted)
		return;
	for (i = wanted / 2; i-- > 0;)
		sift_down(s, list, i, wanted);
	/* From both ends: arrays that were filled in order are frequent. */
	for (i = wanted; i < n;) {
		u64 next = (n - i) & 1 ? list[i++] : list[--n];

		if (!comes_before(s, next, list[0]))
			continue;
		list[0] = next;
		sift_down(s, list, 0, wanted);
	}
	for (i = wanted; i-- > 1;) {
		swap(list[0], list[i]);
		sift_down(s, list, 0, i);
	}
}

static bool in_slice(const struct stp_map *m, const struct stp_entry *e,
		     u32 mask, const union stp_key *slice)
{
	u32 k;

	for (k = 0; mask; k++, mask >>= 1)
		if ((mask & 1) && !stp_map_key_equals(m, e, k, &slice[k]))
			return false;
	return true;
}

bool stp_map_any(const struct stp_map *m, u32 mask, const union stp_key *slice)
{
	u32 index;

	for (index = m->oldest; index != NONE; index = stp_entry_at(m, index)->newer)
		if (in_slice(m, stp_entry_at(m, index), mask, slice))
			return true;
	return false;
}

bool stp_walk_begin(struct stp_context *c, struct stp_walk *w, struct stp_map *m,
		    const struct stp_walk_order *order, const union stp_key *slice,
		    const struct stp_place *place)
{
	bool by_statistic = order->direction && !order->key && m->global->type == STP_STAT;
	struct sorting sorting;
	u32 index, n = 0;
	u64 *list;

	w->map = NULL;
	if (unlikely(m->walks >= m->global->walks)) {
		stp_fail(c, place, "more than %u nested foreach over array %s", m->global->walks,
			 m->global->name);
		return false;
	}
	list = m->orders + (size_t)m->walks++ * m->room;
	for (index = m->oldest; index != NONE; index = stp_entry_at(m, index)->newer) {
		struct stp_entry *e = stp_entry_at(m, index);

		if (!in_slice(m, e, order->slice_mask, slice))
			continue;
		list[n++] = (u64)e->stamp << 32 | index;
		if (by_statistic)
			*(s64 *)stp_entry_field(e, m->rank_at) = m->global->rank(stp_entry_stat(e), m->global->shape,
								     order->stat_op);
	}
	w->map = m;
	w->position = 0;
	w->count = order->limit >= 0 && order->limit < n ? order->limit : n;
	w->order = list;
	if (order->direction) {
		sorting = sorting_by(m, order);
		sort_entries(&sorting, list, n, w->count);
	}
	return true;
}

struct stp_entry *stp_walk_next(struct stp_walk *w)
{
	const u64 *list = w->order;

	while (w->position < w->count) {
		u64 at = list[w->position++];
		struct stp_entry *e = stp_entry_at(w->map, (u32)at);

		if (e->stamp == at >> 32)
			return e;
	}
	return NULL;
}

void stp_walk_end(struct stp_walk *w)
{
	if (w->map)
		w->map->walks--;
	w->map = NULL;
}
