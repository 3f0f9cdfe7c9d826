/*
 * A stand-in for the runtime, in user space: emit_test.cc compiles what emit() wrote together with
 * this file and runs it. It is strict where the real one trusts: frames are poisoned when they are
 * entered and left, elements of arrays move on every insertion and deletion, and walks and frames
 * that were not closed end the program.
 *
 * Runs the handlers of all points in their order (entry handlers before their returns). Prints one
 * line for each record: its format's number and its arguments; and one for each error that was not
 * caught.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builtins.h"

/* The formats' letters, given by the test. */
static const char *const letters[] = { LETTERS };

/* The program is short: what is freed is of no interest. */
const char *__asan_default_options(void) { return "detect_leaks=0"; }

static void die(const char *why)
{
	printf("FAULT: %s\n", why);
	exit(3);
}

bool stp_called_as_said(const struct stp_point *point, const struct pt_regs *regs, unsigned long ip)
{
	return true;
}

struct stp_probe_kind { int unused; };
const struct stp_probe_kind stp_timer_kind, stp_jiffies_kind, stp_perf_kind, stp_entry_kind,
	stp_return_kind, stp_statement_kind, stp_tracepoint_kind, stp_watch_kind, stp_netfilter_kind,
	stp_procfs_kind, stp_stdin_kind;

/* ---- context */

static char stack[1 << 20];

void stp_fail(struct stp_context *c, const struct stp_place *place, const char *text, ...)
{
	va_list args;

	if (c->error)
		die("an operation ran after a failure");
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
	if (!c->error)
		die("caught nothing");
	if (c->actions < 0)
		return false;
	if (to) {
		to->len = strlen(c->error);
		memcpy(to->text, c->error, to->len);
	}
	c->error = NULL;
	return true;
}

bool stp_out_of_actions(struct stp_context *c, const struct stp_place *place)
{
	stp_fail(c, place, "MAXACTION");
	return false;
}

void *stp_enter(struct stp_context *c, u32 size, const struct stp_place *place)
{
	char *frame = c->stack;

	if (size % 8)
		die("a frame's size");
	if (!c->nesting || size > c->stack_end - frame) {
		stp_fail(c, place, c->nesting ? "frame_stack" : "MAXNESTING");
		return NULL;
	}
	memset(frame, 0xa5, c->stack_end - frame);
	c->nesting--;
	c->stack = frame + size;
	return frame;
}

/* ---- values */

s64 stp_div_slow(struct stp_context *c, s64 a, s64 b, const struct stp_place *place)
{
	if (!b)
		stp_fail(c, place, "division by 0");
	return b ? a / b : 0;
}

s64 stp_mod_slow(struct stp_context *c, s64 a, s64 b, const struct stp_place *place)
{
	if (!b)
		stp_fail(c, place, "division by 0");
	return b ? a % b : 0;
}

int stp_compare(struct stp_str a, struct stp_str b)
{
	int order = memcmp(a.p, b.p, a.len < b.len ? a.len : b.len);

	return order ? order : (int)a.len - (int)b.len;
}

bool stp_equal(struct stp_str a, struct stp_str b)
{
	return a.len == b.len && !memcmp(a.p, b.p, a.len);
}

bool stp_copy(struct stp_context *c, struct stp_text *to, struct stp_str from,
	      const struct stp_place *place)
{
	if (from.len >= stp_script.limits.string_size) {
		stp_fail(c, place, "MAXSTRINGLEN");
		return false;
	}
	memmove(to->text, from.p, from.len);
	to->len = from.len;
	return true;
}

struct stp_str stp_concat(struct stp_context *c, struct stp_text *to, struct stp_str a,
			  struct stp_str b, const struct stp_place *place)
{
	if (a.len + b.len >= stp_script.limits.string_size) {
		stp_fail(c, place, "MAXSTRINGLEN");
		return STP_STR("");
	}
	memmove(to->text + a.len, b.p, b.len);
	memmove(to->text, a.p, a.len);
	to->len = a.len + b.len;
	return STP_BORROW(to);
}

u64 stp_kernel_offset = 0x1000;

u64 stp_load(struct stp_context *c, u64 address, u32 size, const struct stp_place *place)
{
	u64 value = 0;

	if (address < 4096)
		stp_fail(c, place, "bad address");
	else
		memcpy(&value, (void *)address, size);
	return value;
}

u64 stp_thread_base(void)
{
	return 0x7000;
}

u64 stp_unknown_caller(struct stp_context *c, u64 caller, const struct stp_place *place)
{
	stp_fail(c, place, "unknown caller");
	return 0;
}

u64 stp_load_user(struct stp_context *c, u64 address, u32 size, const struct stp_place *place)
{
	return stp_load(c, address, size, place);
}

void stp_store(struct stp_context *c, u64 address, u32 size, u64 value,
	       const struct stp_place *place)
{
	memcpy((void *)address, &value, size);
}

/* ---- arrays: a list of entries that are allocated anew whenever one comes or goes */

struct stp_entry {
	char head[STP_ENTRY_HEAD];
	union {
		s64 number;
		struct stp_text text;
		struct stp_stat stat;
		char room[8192];
	};
	union stp_key keys[9];
};

struct stp_map {
	const struct stp_global *global;
	u32 count, walks;
	struct stp_entry *entries[64];
};

static struct stp_str duplicate(struct stp_str s)
{
	return (struct stp_str){ memcpy(malloc(s.len + 1), s.p, s.len), s.len };
}

static bool is_string_key(const struct stp_map *m, u32 k)
{
	return m->global->key_types[k] == STP_STRING;
}

static int compare_key(const struct stp_map *m, u32 k, union stp_key a, union stp_key b)
{
	if (is_string_key(m, k))
		return stp_compare(a.string, b.string);
	return a.number < b.number ? -1 : a.number > b.number;
}

/* Old entries become garbage, and say so when somebody still looks at them. */
static void move_entries(struct stp_map *m)
{
	for (u32 i = 0; i < m->count; i++) {
		struct stp_entry *old = m->entries[i], *e = malloc(sizeof(*e));

		*e = *old;
		memset(old, 0x5a, sizeof(*old));
		m->entries[i] = e;
	}
}

struct stp_entry *stp_map_find(struct stp_map *m, const union stp_key *keys)
{
	for (u32 i = 0; i < m->count; i++) {
		u32 k = 0;

		while (k < m->global->n_keys && !compare_key(m, k, keys[k], m->entries[i]->keys[k]))
			k++;
		if (k == m->global->n_keys)
			return m->entries[i];
	}
	return NULL;
}

struct stp_entry *stp_map_make(struct stp_context *c, struct stp_map *m, const union stp_key *keys,
			       const struct stp_place *place)
{
	struct stp_entry *e = stp_map_find(m, keys);

	if (e)
		return e;
	if (m->count == m->global->max_entries) {
		stp_fail(c, place, "the array is full");
		return NULL;
	}
	e = calloc(1, sizeof(*e));
	for (u32 k = 0; k < m->global->n_keys; k++) {
		e->keys[k] = keys[k];
		if (is_string_key(m, k))
			e->keys[k].string = duplicate(keys[k].string);
	}
	move_entries(m);
	return m->entries[m->count++] = e;
}

void stp_map_delete(struct stp_map *m, const union stp_key *keys)
{
	struct stp_entry *e = stp_map_find(m, keys);

	for (u32 i = 0; i < m->count; i++) {
		if (m->entries[i] != e)
			continue;
		memmove(m->entries + i, m->entries + i + 1, (--m->count - i) * sizeof(e));
		memset(e, 0x5a, sizeof(*e));
		return;
	}
}

void stp_map_clear(struct stp_map *m) { m->count = 0; }

s64 stp_entry_key(const struct stp_map *m, const struct stp_entry *e, u32 key)
{
	if (is_string_key(m, key))
		die("a key's type");
	return e->keys[key].number;
}

struct stp_str stp_entry_key_string(const struct stp_map *m, const struct stp_entry *e, u32 key)
{
	if (!is_string_key(m, key))
		die("a key's type");
	return e->keys[key].string;
}

static const struct stp_map *sorted_map;
static const struct stp_walk_order *sorted_order;

s64 stp_stat_rank(const struct stp_stat *s, const struct stp_stat_shape *shape, enum stp_stat_op op)
{
	return op == STP_SUM ? s->sum : s->count;
}

static s64 rank_of(const struct stp_entry *e)
{
	if (sorted_map->global->type != STP_STAT)
		return e->number;
	return sorted_map->global->rank(&e->stat, NULL, sorted_order->stat_op);
}

static int compare_entries(const void *a, const void *b)
{
	const struct stp_entry *x = *(struct stp_entry *const *)a, *y = *(struct stp_entry *const *)b;
	s64 difference;

	if (sorted_order->key)
		difference = compare_key(sorted_map, sorted_order->key - 1,
					 x->keys[sorted_order->key - 1],
					 y->keys[sorted_order->key - 1]);
	else
		difference = rank_of(x) < rank_of(y) ? -1 : rank_of(x) > rank_of(y);
	return (int)difference * sorted_order->direction;
}

bool stp_walk_begin(struct stp_context *c, struct stp_walk *w, struct stp_map *m,
		    const struct stp_walk_order *order, const union stp_key *slice,
		    const struct stp_place *place)
{
	struct stp_entry **list = malloc(sizeof(m->entries));

	if (m->walks == m->global->walks) {
		stp_fail(c, place, "too many walks");
		return false;
	}
	m->walks++;
	*w = (struct stp_walk){ m, 0, 0, list };
	for (u32 i = 0; i < m->count; i++) {
		bool in = true;

		for (u32 k = 0; k < m->global->n_keys; k++)
			if (order->slice_mask & (1u << k))
				in &= !compare_key(m, k, slice[k], m->entries[i]->keys[k]);
		if (in)
			list[w->count++] = m->entries[i];
	}
	sorted_map = m;
	sorted_order = order;
	if (order->direction)
		qsort(list, w->count, sizeof(*list), compare_entries);
	if (order->limit >= 0 && order->limit < w->count)
		w->count = order->limit;
	return true;
}

struct stp_entry *stp_walk_next(struct stp_walk *w)
{
	return w->position < w->count ? ((struct stp_entry **)w->order)[w->position++] : NULL;
}

void stp_walk_end(struct stp_walk *w)
{
	if (!w->map || !w->map->walks)
		die("a walk ended twice");
	w->map->walks--;
	w->map = NULL;
}

/* ---- statistics */

/* GS is 0 in user space: what is counted is where it is. */
struct fake_stats {
	struct stp_stats head;
	struct stp_stat stat;
};

static struct stp_stat *stat_of(struct stp_stats *s) { return &((struct fake_stats *)s)->stat; }

u32 stp_stat_bucket_linear(const struct stp_stat_shape *shape, s64 value)
{
	if (shape->histogram != STP_HIST_LINEAR || value < shape->low || value > shape->high)
		return 0;
	return (value - shape->low) / shape->step + 1;
}

void stp_stat_add_square(struct stp_stat *s, s64 value) {}
struct stp_stat *stp_stats_part(struct stp_stats *s) { return stat_of(s); }
struct stp_stat *stp_stats_merge(struct stp_context *c, struct stp_stats *s) { return stat_of(s); }
void stp_stats_clear(struct stp_stats *s) { memset(stat_of(s), 0, sizeof(struct stp_stat)); }

s64 stp_stat_value(struct stp_context *c, const struct stp_stat *s,
		   const struct stp_stat_shape *shape, enum stp_stat_op op,
		   const struct stp_place *place)
{
	if (op == STP_COUNT)
		return s ? s->count : 0;
	if (op == STP_SUM)
		return s ? s->sum : 0;
	if (!s || !s->count) {
		stp_fail(c, place, "empty aggregate");
		return 0;
	}
	return op == STP_MIN ? s->min : op == STP_MAX ? s->max : s->sum / s->count;
}

s64 stp_stat_bucket(struct stp_context *c, const struct stp_stat *s,
		    const struct stp_stat_shape *shape, s64 n, const struct stp_place *place)
{
	if (n < 0 || n >= shape->buckets) {
		stp_fail(c, place, "bucket");
		return 0;
	}
	return s ? stp_stat_buckets(s, shape)[n] : 0;
}

u32 stp_histogram_size(const struct stp_stat_shape *shape) { return 8 + shape->buckets * 8; }

void *stp_put_histogram(void *at, const struct stp_stat *s, const struct stp_stat_shape *shape)
{
	s64 *out = at;

	*out++ = shape->buckets;
	for (u32 i = 0; i < shape->buckets; i++)
		*out++ = s ? stp_stat_buckets(s, shape)[i] : 0;
	return out;
}

/* ---- printing */

static _Alignas(8) char record[1 << 16];
static s64 record_format = -1;

static void flush_record(void)
{
	char *at = record;

	if (record_format < 0)
		return;
	printf("%lld", (long long)record_format);
	for (const char *l = letters[record_format]; *l; l++) {
		if (*l == 'l') {
			printf(" %lld", *(s64 *)at);
			at += 8;
		} else if (*l == 's') {
			struct stp_str s = { at + 4, *(u32 *)at };

			printf(" %.*s", (int)s.len, s.p);
			at += STP_PUT_SIZE(s);
		} else {
			s64 buckets = *(s64 *)at;

			for (at += 8; buckets--; at += 8)
				printf(" %lld", *(s64 *)at);
		}
	}
	printf("\n");
	record_format = -1;
}

void *stp_record_begin(struct stp_context *c, u32 format, u32 payload)
{
	flush_record();
	if (payload % 8)
		die("a payload's size");
	record_format = format;
	return record;
}

void *stp_put_string(void *at, struct stp_str s)
{
	*(u32 *)at = s.len;
	memcpy((char *)at + 4, s.p, s.len);
	return (char *)at + STP_PUT_SIZE(s);
}

/* The format is ignored: the arguments, each in brackets. */
struct stp_str stp_sprint(struct stp_context *c, struct stp_text *to, const char *format,
			  const char *types, const union stp_arg *args,
			  const struct stp_place *place)
{
	to->len = 0;
	for (; *types; types++, args++)
		to->len += *types == 'l' ? sprintf(to->text + to->len, "[%lld]", (long long)args->number) :
					   sprintf(to->text + to->len, "[%.*s]", (int)args->string.len,
						   args->string.p);
	return STP_BORROW(to);
}

/* ---- built-in functions: one of each shape */

s64 stp_fn_pid(struct stp_context *c) { return 42; }
s64 stp_fn_strlen(struct stp_context *c, struct stp_str s) { return s.len; }
void stp_fn_error(struct stp_context *c, struct stp_str text, const struct stp_place *place)
{
	stp_fail_str(c, place, text);
}
struct stp_str stp_fn_execname(struct stp_context *c, struct stp_text *scratch)
{
	return STP_STR("fake");
}
struct stp_str stp_fn_substr(struct stp_context *c, struct stp_text *scratch, struct stp_str s,
			     s64 start, s64 length, const struct stp_place *place)
{
	return (struct stp_str){ s.p + start, length }; /* borrows from its argument */
}

/* ---- parts of the runtime that scripts name */

const struct stp_store {
	int unused;
} stp_array_store, stp_statistic_store;
const struct stp_globals_part {
	int unused;
} stp_globals_part;
const struct stp_growing_part {
	int unused;
} stp_growing_part;

/* ---- the session */

static void make_globals(void)
{
	for (u32 i = 0; i < stp_script.n_globals; i++) {
		const struct stp_global *g = &stp_script.globals[i];

		if (g->is_array) {
			struct stp_map *m = calloc(1, sizeof(*m));

			m->global = g;
			*(struct stp_map **)g->storage = m;
		} else if (g->type == STP_STAT) {
			struct fake_stats *stats = calloc(1, sizeof(*stats) + 200 * sizeof(s64));

			stats->head.counted = &stats->stat;
			*(struct stp_stats **)g->storage = &stats->head;
		} else if (g->parts) {
			*g->parts = g->storage;
		}
	}
}

static void run(void (*handler)(struct stp_context *), const struct stp_point *point, void *entry)
{
	static u64 regs[21] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
				      12, 13, 14, 15, 16, 17, 18, 19, 20, 21 };
	static const u64 args[6] = { 100, 101, 102, 103, 104, 105 };
	struct stp_context c = {
		.actions = stp_script.limits.actions,
		.nesting = stp_script.limits.nesting,
		.regs = regs,
		.args = args,
		.entry = entry,
		.point = point,
		.stack = stack,
		.stack_end = stack + stp_script.limits.frame_stack,
	};

	handler(&c);
	flush_record();
	if (c.error)
		printf("ERROR: %s at %s:%u:%u\n", c.error, c.error_place->file, c.error_place->line,
		       c.error_place->column);
	if (c.stack != stack || c.nesting != stp_script.limits.nesting)
		die("a frame was not left");
	for (u32 i = 0; i < stp_script.n_globals; i++)
		if (stp_script.globals[i].is_array &&
		    (*(struct stp_map **)stp_script.globals[i].storage)->walks)
			die("a walk was not ended");
}

int main(void)
{
	make_globals();
	for (u32 i = 0; i < stp_script.n_points; i++) {
		const struct stp_point *point = &stp_script.points[i];
		const struct stp_probe *probe = &stp_script.probes[point->probe];
		void *entry = probe->entry_size ? malloc(probe->entry_size) : NULL;

		if (probe->entry_handler)
			run(probe->entry_handler, point, entry);
		memset(stack, 0xa5, sizeof(stack));
		run(probe->handler, point, entry);
	}
	return 0;
}
