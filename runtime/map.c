// SPDX-License-Identifier: GPL-2.0
/*
 * Associative arrays.
 *
 * A hash table with chains of indices into a block of entries that is allocated when the
 * module is loaded, and by grow.c: a handler never allocates. Entries also stand in a list in order of
 * insertion, which foreach follows and which tells `%` arrays what to drop. An entry has its keys and
 * its value in place, strings with room for the longest.
 *
 * foreach walks a snapshot: the entries' numbers, sorted when that is asked for, in a buffer that
 * the array has for each walk that may nest. So the body may change the array. An entry
 * that is gone by the time its turn comes is known by its stamp. Only as many as the walk's
 * limit are sorted: the ten greatest of n cost a comparison for each of the n, as a rule.
 */
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "map_parts.h"
#include "stat.h"
#include "words.h"

static inline u32 index_of(const struct stp_map *m, const struct stp_entry *e)
{
	return ((const char *)e - m->entries) / m->entry_size;
}

static inline void *field(const struct stp_entry *e, u32 at)
{
	return (char *)e + at;
}

/* ----------------------------------------------------------- making them */

static u32 text_size(u32 room)
{
	return ALIGN(sizeof(struct stp_text) + room, sizeof(u32));
}

/* What a string key may have, with its end. */
static u32 key_room(const struct stp_global *global, u32 k)
{
	return global->key_rooms[k] ?: stp_script.limits.string_size;
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
		at += text_size(key_room(global, k));
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
	kfree(m);
}

static void *create_map(const struct stp_global *global)
{
	struct stp_map *m = kzalloc(sizeof(*m), GFP_KERNEL);
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

/* ---------------------------------------------------------------- finding */

static __always_inline u32 hash_number(u32 hash, s64 number)
{
	return hash * 31 + hash_64(number, 32);
}

static u32 hash_keys(const struct stp_map *m, const union stp_key *keys)
{
	u32 hash = 0, k;

	for (k = 0; k < m->global->n_keys; k++) {
		if (m->global->key_types[k] == STP_STRING)
			hash = hash_64(stp_hash(keys[k].string, hash), 32);
		else
			hash = hash_number(hash, keys[k].number);
	}
	return hash;
}

u32 stp_map_hash_of(const struct stp_map *m, const struct stp_entry *e)
{
	u32 hash = 0, k;

	if (m->hash_at)
		return *(u32 *)field(e, m->hash_at);
	for (k = 0; k < m->global->n_keys; k++)
		hash = hash_number(hash, stp_entry_key(m, e, k));
	return hash;
}

static bool key_equals(const struct stp_map *m, const struct stp_entry *e, u32 k,
		       const union stp_key *key)
{
	if (m->global->key_types[k] == STP_STRING)
		return stp_equal(stp_entry_key_string(m, e, k), key->string);
	return stp_entry_key(m, e, k) == key->number;
}

static bool keys_equal(const struct stp_map *m, const struct stp_entry *e,
		       const union stp_key *keys)
{
	u32 k;

	for (k = 0; k < m->global->n_keys; k++)
		if (!key_equals(m, e, k, &keys[k]))
			return false;
	return true;
}

static u32 bucket_of(const struct stp_map *m, u32 hash)
{
	return hash & m->mask;
}

static __always_inline struct stp_entry *find_number(const struct stp_map *m, s64 key, u32 hash)
{
	u32 index = m->table[bucket_of(m, hash)];

	while (index != NONE) {
		struct stp_entry *e = stp_entry_at(m, index);

		if (*(s64 *)field(e, m->key_at[0]) == key)
			return e;
		index = e->chain;
	}
	return NULL;
}

/* As find() does it, with the one key's own hash. */
static __always_inline u32 hash_text(struct stp_str key)
{
	return hash_64(stp_words_hash(key, 0), 32);
}

static __always_inline struct stp_entry *find_text(const struct stp_map *m, struct stp_str key, u32 hash)
{
	u32 index = m->table[bucket_of(m, hash)];

	while (index != NONE) {
		struct stp_entry *e = stp_entry_at(m, index);
		const struct stp_text *text = field(e, m->key_at[0]);

		if (((u32 *)text)[-1] == hash && stp_words_equal((struct stp_str){ text->text, text->len }, key))
			return e;
		index = e->chain;
	}
	return NULL;
}

/* Several keys, all of them numbers, which lie side by side. */
static struct stp_entry *find_numbers(const struct stp_map *m, const union stp_key *keys, u32 hash)
{
	u32 index = m->table[bucket_of(m, hash)], n = m->global->n_keys;

	while (index != NONE) {
		struct stp_entry *e = stp_entry_at(m, index);
		const s64 *numbers = field(e, m->key_at[0]);
		u32 k = 0;

		while (k < n && numbers[k] == keys[k].number)
			k++;
		if (k == n)
			return e;
		index = e->chain;
	}
	return NULL;
}

static struct stp_entry *find(const struct stp_map *m, const union stp_key *keys, u32 hash)
{
	u32 index = m->table[bucket_of(m, hash)];

	if (!m->hash_at)
		return find_numbers(m, keys, hash);
	while (index != NONE) {
		struct stp_entry *e = stp_entry_at(m, index);

		if (*(u32 *)field(e, m->hash_at) == hash && keys_equal(m, e, keys))
			return e;
		index = e->chain;
	}
	return NULL;
}

static __always_inline struct stp_entry *locate(const struct stp_map *m, const union stp_key *keys, u32 *hash)
{
	if (likely(m->number)) {
		*hash = hash_64(keys[0].number, 32);
		return find_number(m, keys[0].number, *hash);
	}
	if (m->text) {
		*hash = hash_text(keys[0].string);
		return find_text(m, keys[0].string, *hash);
	}
	*hash = hash_keys(m, keys);
	return find(m, keys, *hash);
}

static noinline struct stp_entry *find_other(const struct stp_map *m, const union stp_key *keys)
{
	u32 hash;

	return locate(m, keys, &hash);
}

struct stp_entry *stp_map_find(struct stp_map *m, const union stp_key *keys)
{
	if (unlikely(!m->number))
		return find_other(m, keys);
	return find_number(m, keys[0].number, hash_64(keys[0].number, 32));
}

/* --------------------------------------------------- inserting, deleting */

static void unlink_entry(struct stp_map *m, struct stp_entry *e, u32 hash)
{
	u32 index = index_of(m, e), bucket = bucket_of(m, hash), *link = &m->table[bucket];

	if (*link == index) {
		stp_map_set_head(m, bucket, e->chain);
	} else {
		while (*link != index)
			link = &stp_entry_at(m, *link)->chain;
		*link = e->chain;
	}
	if (e->older != NONE)
		stp_entry_at(m, e->older)->newer = e->newer;
	else
		m->oldest = e->newer;
	if (e->newer != NONE)
		stp_entry_at(m, e->newer)->older = e->older;
	else
		m->newest = e->older;
	e->stamp = 0;
	e->chain = m->free;
	m->free = index;
	m->count--;
}

static void unlink_oldest(struct stp_map *m)
{
	struct stp_entry *e = stp_entry_at(m, m->oldest);

	unlink_entry(m, e, stp_map_hash_of(m, e));
}

/* An entry that nobody uses; NULL when the array is full. */
static struct stp_entry *take_free(struct stp_map *m)
{
	struct stp_entry *e;

	if (m->free == NONE && m->fresh < m->room)
		return stp_entry_at(m, m->fresh++);
	if (m->free == NONE && m->global->wrap)
		unlink_oldest(m);
	if (m->free == NONE)
		return NULL;
	e = stp_entry_at(m, m->free);
	m->free = e->chain;
	return e;
}

/* The first string key that does not fit; n_keys: none. */
static u32 too_long_key(const struct stp_map *m, const union stp_key *keys)
{
	u32 k;

	for (k = 0; k < m->global->n_keys; k++)
		if (m->global->key_types[k] == STP_STRING && keys[k].string.len >= key_room(m->global, k))
			break;
	return k;
}

/* None is too long. A key may lie in the value of the very entry, which a full array dropped. */
static void store_keys(struct stp_context *c, struct stp_map *m, struct stp_entry *e,
		       const union stp_key *keys, const struct stp_place *place)
{
	u32 k;

	for (k = 0; k < m->global->n_keys; k++) {
		if (m->global->key_types[k] != STP_STRING)
			*(s64 *)field(e, m->key_at[k]) = keys[k].number;
		else
			stp_copy(c, field(e, m->key_at[k]), keys[k].string, place);
	}
}

static void link_entry(struct stp_map *m, struct stp_entry *e, u32 hash)
{
	u32 index = index_of(m, e), bucket = bucket_of(m, hash);

	if (m->hash_at)
		*(u32 *)field(e, m->hash_at) = hash;
	e->stamp = m->stamp;
	m->stamp += 2;
	e->chain = m->table[bucket];
	stp_map_set_head(m, bucket, index);
	e->older = m->newest;
	e->newer = NONE;
	if (m->newest != NONE)
		stp_entry_at(m, m->newest)->newer = index;
	else
		m->oldest = index;
	m->newest = index;
	m->count++;
}

/* Nothing: 0, "", no values. A string needs its length alone. */
static void clear_value(struct stp_map *m, struct stp_entry *e)
{
	if (m->global->type == STP_STAT)
		memset(e + 1, 0, m->value_size);
	else if (m->global->type == STP_STRING)
		stp_entry_text(e)->len = 0;
	else
		*stp_entry_number(e) = 0;
}

static noinline struct stp_entry *make(struct stp_context *c, struct stp_map *m,
				       const union stp_key *keys, const struct stp_place *place,
				       u32 hash)
{
	u32 too_long = too_long_key(m, keys);
	struct stp_entry *e;

	/* Before an entry is dropped for it. */
	if (unlikely(too_long < m->global->n_keys)) {
		stp_fail(c, place, "a key of %u bytes for array %s does not fit MAXSTRINGLEN (%u)",
			 keys[too_long].string.len, m->global->name, key_room(m->global, too_long));
		return NULL;
	}
	if (unlikely(m->fresh >= m->grow_at))
		stp_map_crowded(c, m);
	if (unlikely(m->half || m->mask + 1 < m->buckets))
		stp_map_double(m);
	e = take_free(m);
	if (unlikely(!e) && stp_map_await(c, m))
		e = take_free(m);
	if (unlikely(!e)) {
		stp_map_full(c, m, place);
		return NULL;
	}
	store_keys(c, m, e, keys, place);
	clear_value(m, e);
	link_entry(m, e, hash);
	return e;
}

static noinline struct stp_entry *make_of_text(struct stp_context *c, struct stp_map *m,
					       const union stp_key *keys, const struct stp_place *place)
{
	u32 hash = hash_text(keys[0].string);
	struct stp_entry *e = find_text(m, keys[0].string, hash);

	return likely(e) ? e : make(c, m, keys, place, hash);
}

static noinline struct stp_entry *make_of_several(struct stp_context *c, struct stp_map *m,
						  const union stp_key *keys, const struct stp_place *place)
{
	u32 hash = hash_keys(m, keys);
	struct stp_entry *e = find(m, keys, hash);

	return likely(e) ? e : make(c, m, keys, place, hash);
}

/* Functions of their own: the code that looks up a number needs so few registers that it saves none. */
struct stp_entry *stp_map_make(struct stp_context *c, struct stp_map *m, const union stp_key *keys,
			       const struct stp_place *place)
{
	struct stp_entry *e;
	u32 hash;

	if (m->text)
		return make_of_text(c, m, keys, place);
	if (unlikely(!m->number))
		return make_of_several(c, m, keys, place);
	hash = hash_64(keys[0].number, 32);
	e = find_number(m, keys[0].number, hash);
	return likely(e) ? e : make(c, m, keys, place, hash);
}

void stp_map_delete(struct stp_map *m, const union stp_key *keys)
{
	u32 hash;
	struct stp_entry *e = locate(m, keys, &hash);

	if (e)
		unlink_entry(m, e, hash);
}

/* When most of what was ever used goes: in the order in which it lies in memory. One entry after the other takes
 * ten times as long, with interrupts off, and other CPUs wait for the array. */
static void clear_at_once(struct stp_map *m)
{
	u32 index;

	memset(m->table, 0xff, (m->half ? 2 * m->half : m->mask + 1) * sizeof(*m->table));
	/* Walks that are under way know by that. */
	for (index = 0; index < m->fresh; index++)
		stp_entry_at(m, index)->stamp = 0;
	m->oldest = m->newest = m->free = NONE;
	m->count = m->fresh = 0;
}

void stp_map_clear(struct stp_map *m)
{
	if (m->count > m->fresh / 4 && m->count > m->mask / 16)
		clear_at_once(m);
	while (m->oldest != NONE)
		unlink_oldest(m);
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

/* ----------------------------------------------------------------- fields */

s64 stp_entry_key(const struct stp_map *m, const struct stp_entry *e, u32 key)
{
	return *(const s64 *)field(e, m->key_at[key]);
}

struct stp_str stp_entry_key_string(const struct stp_map *m, const struct stp_entry *e, u32 key)
{
	const struct stp_text *text = field(e, m->key_at[key]);

	return STP_BORROW(text);
}

/* ---------------------------------------------------------------- walking */

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
	const void *x = field(stp_entry_at(s->map, (u32)a), s->at);
	const void *y = field(stp_entry_at(s->map, (u32)b), s->at);

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
		if ((mask & 1) && !key_equals(m, e, k, &slice[k]))
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
			*(s64 *)field(e, m->rank_at) = stp_stat_rank(stp_entry_stat(e), m->global->shape,
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
