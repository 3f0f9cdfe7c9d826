/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an array is made of, for those who work on it: map.c; map_store.c, which makes it; grow.c,
 * which makes it larger; and walk.c, which is foreach.
 */
#ifndef STP_MAP_PARTS_H
#define STP_MAP_PARTS_H

#include <linux/kernel.h>
#include <linux/log2.h>

#include "area.h"
#include "script.h"

#define NONE 0xffffffffu

/* Small: there may be millions. Behind it lie the value, keys that are numbers, and what map_store.c's lay_out() finds
 * that this array needs. */
struct stp_entry {
	u32 chain;	  /* next of the same bucket, or of the free ones */
	u32 older, newer; /* in order of insertion */
	u32 stamp;	  /* of its insertion: odd, a later one has 2 more; 0 while it is free */
};
_Static_assert(sizeof(struct stp_entry) == STP_ENTRY_HEAD, "where scripts find values");

/* Why an array does not grow. */
enum stp_growth { STP_GROWS, STP_FIXED, STP_AT_LIMIT, STP_NO_MEMORY };

struct stp_map {
	const struct stp_global *global;
	u32 entry_size, value_size;
	u32 mask;    /* of the table's length */
	/* One key, which is a number, or a string: the cases that must cost least. */
	bool number, text;
	u32 hash_at; /* of the keys, where strings are among them; 0: none is kept */
	u32 rank_at; /* s64: of a statistic, while a walk is sorted by it; 0: there are no walks */
	u32 key_at[STP_MOST_KEYS];
	u32 count;
	u32 free;    /* first free entry */
	u32 fresh;   /* entries from here on were never used */
	u32 oldest, newest;
	u32 stamp; /* of the next insertion */
	u32 walks; /* that are under way */
	u32 *table;
	char *entries;
	u64 *orders; /* `room` for each walk that may nest */

	u32 room;    /* entries that there is memory for */
	u32 grow_at; /* from so many fresh ones on it wants more; NONE: never */
	u8 growth;   /* enum stp_growth */
	bool wants;  /* somebody has asked for more, and it is not there yet */
	u32 asker;   /* on this CPU, where it is made ready */
	/* What is ready to be taken: valid while next_room is not 0. */
	u32 next_room, next_buckets;
	char *next_entries;
	u64 *next_orders;
	u32 *next_table;
	u32 buckets; /* that there is memory for; the table's length doubles up to it */
	u32 half;    /* while it doubles, what it was, else 0; see grow.c */
	u32 copied, split; /* of the first half */
	struct stp_area entry_area, table_area, order_area; /* of one that grows */
};

static inline struct stp_entry *stp_entry_at(const struct stp_map *m, u32 index)
{
	return (struct stp_entry *)(m->entries + (size_t)index * m->entry_size);
}

static inline void *stp_entry_field(const struct stp_entry *e, u32 at)
{
	return (char *)e + at;
}

/* What a string key may have, with its end. */
static inline u32 stp_map_key_room(const struct stp_global *global, u32 k)
{
	return global->key_rooms[k] ?: stp_script.limits.string_size;
}

/* Two to four for three entries: more would not make chains much shorter. */
static inline size_t stp_map_buckets(u32 room)
{
	return max(2ul, roundup_pow_of_two((unsigned long)room * 2 / 3 + 1));
}

static inline s64 stp_map_bytes(const struct stp_map *m, u32 room, u32 buckets)
{
	return (s64)room * (m->entry_size + m->global->walks * sizeof(u64)) + (s64)buckets * sizeof(u32);
}

/* The hash of an entry's keys. */
u32 stp_map_hash_of(const struct stp_map *m, const struct stp_entry *e);

/* Whether an entry has this as its key number k. */
bool stp_map_key_equals(const struct stp_map *m, const struct stp_entry *e, u32 k,
			const union stp_key *key);

/* The first of a chain. Two buckets have one chain while the table doubles. */
static inline void stp_map_set_head(struct stp_map *m, u32 bucket, u32 index)
{
	m->table[bucket] = index;
	if (unlikely(m->half) && (bucket & (m->half - 1)) >= m->split)
		m->table[bucket ^ m->half] = index;
}

/* ------------------------------------------------------------- grow.c */

/* What an array has at the start counts for MAXMAPMEMORY as well, but is not refused. */
void stp_map_count_memory(s64 bytes);
/* `grow_at` entries are in use: has it grow. begin and end probes do it themselves. Any context; the caller
 * has the array's lock. */
void stp_map_crowded(struct stp_context *c, struct stp_map *m);
/* It is full: waits for what another CPU makes ready, no longer than for a lock. False: in vain. */
bool stp_map_await(struct stp_context *c, struct stp_map *m) __attribute__((cold));
/* A piece of doubling the table, when there are more buckets. The caller has the lock. */
void stp_map_double(struct stp_map *m);
/* An error that says why there is no room. */
void stp_map_full(struct stp_context *c, const struct stp_map *m, const struct stp_place *place)
	__attribute__((cold));
/* How much an array that grows begins with, and when it will want more. */
void stp_map_first_room(struct stp_map *m);

#endif
