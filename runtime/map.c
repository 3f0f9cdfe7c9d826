// SPDX-License-Identifier: GPL-2.0
/*
 * Associative arrays.
 *
 * A hash table with chains of indices into a block of entries that is allocated when the
 * module is loaded, and by grow.c: a handler never allocates. Entries also stand in a list in order of
 * insertion, which foreach follows and which tells `%` arrays what to drop. An entry has its keys and
 * its value in place, strings with room for the longest.
 */
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "map_parts.h"
#include "words.h"

static inline u32 index_of(const struct stp_map *m, const struct stp_entry *e)
{
	return ((const char *)e - m->entries) / m->entry_size;
}

/* stp_map_make() of arrays by one string; by several keys. */
STP_IF_NEEDED struct stp_entry *stp_map_make_of_text(struct stp_context *c, struct stp_map *m,
						     const union stp_key *keys, const struct stp_place *place);
STP_IF_NEEDED struct stp_entry *stp_map_make_of_several(struct stp_context *c, struct stp_map *m,
							const union stp_key *keys, const struct stp_place *place);

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
		return *(u32 *)stp_entry_field(e, m->hash_at);
	for (k = 0; k < m->global->n_keys; k++)
		hash = hash_number(hash, stp_entry_key(m, e, k));
	return hash;
}

bool stp_map_key_equals(const struct stp_map *m, const struct stp_entry *e, u32 k,
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
		if (!stp_map_key_equals(m, e, k, &keys[k]))
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

		if (*(s64 *)stp_entry_field(e, m->key_at[0]) == key)
			return e;
		index = e->chain;
	}
	return NULL;
}

/* As find_keys() does it, with the one key's own hash. */
static __always_inline u32 hash_text(struct stp_str key)
{
	return hash_64(stp_words_hash(key, 0), 32);
}

static __always_inline struct stp_entry *find_text(const struct stp_map *m, struct stp_str key, u32 hash)
{
	u32 index = m->table[bucket_of(m, hash)];

	while (index != NONE) {
		struct stp_entry *e = stp_entry_at(m, index);
		const struct stp_text *text = stp_entry_field(e, m->key_at[0]);

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
		const s64 *numbers = stp_entry_field(e, m->key_at[0]);
		u32 k = 0;

		while (k < n && numbers[k] == keys[k].number)
			k++;
		if (k == n)
			return e;
		index = e->chain;
	}
	return NULL;
}

static struct stp_entry *find_keys(const struct stp_map *m, const union stp_key *keys, u32 hash)
{
	u32 index = m->table[bucket_of(m, hash)];

	if (!m->hash_at)
		return find_numbers(m, keys, hash);
	while (index != NONE) {
		struct stp_entry *e = stp_entry_at(m, index);

		if (*(u32 *)stp_entry_field(e, m->hash_at) == hash && keys_equal(m, e, keys))
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
	return find_keys(m, keys, *hash);
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
		if (m->global->key_types[k] == STP_STRING && keys[k].string.len >= stp_map_key_room(m->global, k))
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
			*(s64 *)stp_entry_field(e, m->key_at[k]) = keys[k].number;
		else
			stp_copy(c, stp_entry_field(e, m->key_at[k]), keys[k].string, place);
	}
}

static void link_entry(struct stp_map *m, struct stp_entry *e, u32 hash)
{
	u32 index = index_of(m, e), bucket = bucket_of(m, hash);

	if (m->hash_at)
		*(u32 *)stp_entry_field(e, m->hash_at) = hash;
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
			 keys[too_long].string.len, m->global->name, stp_map_key_room(m->global, too_long));
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

STP_IF_NEEDED struct stp_entry *stp_map_make_of_text(struct stp_context *c, struct stp_map *m,
					       const union stp_key *keys, const struct stp_place *place)
{
	u32 hash = hash_text(keys[0].string);
	struct stp_entry *e = find_text(m, keys[0].string, hash);

	return likely(e) ? e : make(c, m, keys, place, hash);
}

STP_IF_NEEDED struct stp_entry *stp_map_make_of_several(struct stp_context *c, struct stp_map *m,
						  const union stp_key *keys, const struct stp_place *place)
{
	u32 hash = hash_keys(m, keys);
	struct stp_entry *e = find_keys(m, keys, hash);

	return likely(e) ? e : make(c, m, keys, place, hash);
}

/* Functions of their own: the code that looks up a number needs so few registers that it saves none. */
struct stp_entry *stp_map_make(struct stp_context *c, struct stp_map *m, const union stp_key *keys,
			       const struct stp_place *place)
{
	struct stp_entry *e;
	u32 hash;

	if (m->text)
		return stp_map_make_of_text(c, m, keys, place);
	if (unlikely(!m->number))
		return stp_map_make_of_several(c, m, keys, place);
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

/* ----------------------------------------------------------------- fields */

s64 stp_entry_key(const struct stp_map *m, const struct stp_entry *e, u32 key)
{
	return *(const s64 *)stp_entry_field(e, m->key_at[key]);
}

struct stp_str stp_entry_key_string(const struct stp_map *m, const struct stp_entry *e, u32 key)
{
	const struct stp_text *text = stp_entry_field(e, m->key_at[key]);

	return STP_BORROW(text);
}
