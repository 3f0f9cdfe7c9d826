/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a translated script and the runtime know of each other.
 *
 * The script's C file includes this header and nothing else, no kernel header:
 * that is why it compiles in milliseconds. The runtime includes it behind the
 * kernel's own types. The script defines `stp_script` (tables) and the handlers it
 * points to; the runtime calls handlers and offers the functions below.
 *
 * Rules for handlers. They run with interrupts off (but for those of begin, end and
 * error probes), may be on any stack, must not sleep, and do not return early: a
 * failure sets c->error and jumps to the handler's own label. A function that can
 * fail returns normally; the caller looks at c->error (stp_failed()).
 */
#ifndef STP_SCRIPT_H
#define STP_SCRIPT_H

#ifndef __KERNEL__
typedef unsigned long long u64;
typedef long long s64;
typedef unsigned int u32;
typedef int s32;
typedef unsigned short u16;
typedef unsigned char u8;
typedef _Bool bool;
#define NULL ((void *)0)
#define true 1
#define false 0
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

/* Of variables that several CPUs write. */
#define STP_OWN_LINE __attribute__((aligned(64)))
/* Of a function that hits pass, in a unit of the runtime of which most is seldom run (runtime/Kbuild). */
#define STP_HOT __attribute__((hot))
/*
 * Of a function that only some scripts need, and that others never come to: a module has it when its script says
 * that it does. What calls it does not bring it along; where it is missing its address is NULL.
 */
#define STP_IF_NEEDED __attribute__((weak))
#define STP_NEEDS(function) __asm__(".globl " #function)

/* ----------------------------------------------------------------- places */

/* A place in the script, for the text of errors. */
struct stp_place {
	const char *file;
	u32 line, column;
};

/* ---------------------------------------------------------------- strings */

/*
 * A borrowed string: not NUL-terminated, any bytes but NUL. Whoever needs it past the
 * life of `p` copies it. Passed by value (two registers).
 */
struct stp_str {
	const char *p;
	u32 len;
};

/* An owned string; `text` has room for the session's string_size bytes. */
struct stp_text {
	u32 len;
	char text[];
};

#define STP_STR(literal) ((struct stp_str){ (literal), sizeof(literal) - 1 })
#define STP_BORROW(t) ((struct stp_str){ (t)->text, (t)->len })

/* ---------------------------------------------------------------- context */

struct stp_point;
struct stp_runtime_context; /* the runtime's own part */

/*
 * What tells the hit that a handler runs for. Those that cannot fail and keep nothing
 * (STP_PROBE_LIGHT, STP_PROBE_GUARDED) get this much of a context and no more.
 */
#define STP_HIT_MEMBERS                                                                            \
	const u64 *regs; /* as struct pt_regs lies in memory; NULL when the probe has none.        \
			    At a function's entry only argument registers and the stack pointer    \
			    are valid, unless the probe asked for STP_PROBE_ALL_REGS */            \
	const u64 *args; /* tracepoint arguments, 8 bytes each */                                  \
	void *entry;	 /* what the entry handler of this call saved: the probe's own struct; of  \
			    procfs and stdin probes, their struct stp_value */                     \
	const struct stp_point *point; /* the point that was hit */                                \
	u64 address;		       /* its run-time address, or 0 */

struct stp_hit {
	STP_HIT_MEMBERS
};

/*
 * The state of one running handler. One is reserved for each CPU and level (task or
 * irq, NMI); begin, end and error probes use one of their own.
 */
struct stp_context {
	STP_HIT_MEMBERS
	const char *error; /* NULL, or the text of the script error being raised */
	const struct stp_place *error_place;
	s32 actions; /* statements left; below 0 is an error */
	u32 nesting; /* calls left */
	u32 flags; /* STP_CONTEXT_* */
	bool next_overload; /* the function that ran hands its call on */

	char *stack, *stack_end; /* for frames: strings of functions and handlers */

	char error_text[1024];
};

#define STP_CONTEXT_INTERRUPTIBLE 1 /* begin, end, error: may wait for ring space */
#define STP_CONTEXT_NMI 2

struct stp_value;
static inline struct stp_value *stp_value(struct stp_context *c) { return (struct stp_value *)c->entry; }

static inline bool stp_failed(const struct stp_context *c)
{
	return unlikely(c->error != NULL);
}

/* Raise a script error at `place`: printf-like text, kept in c->error_text. */
void stp_fail(struct stp_context *c, const struct stp_place *place, const char *text, ...)
	__attribute__((format(printf, 3, 4), cold));
/* As above with a script string: error("..."). */
void stp_fail_str(struct stp_context *c, const struct stp_place *place, struct stp_str text)
	__attribute__((cold));
/*
 * catch (msg): takes the error's text (with its place, "text at file:line:col") into `to`
 * (may be NULL) and clears it. False when the error cannot be caught (the action budget).
 */
bool stp_catch(struct stp_context *c, struct stp_text *to);

/* n statements are about to run. False, and the error raised, when that is too many. */
bool stp_out_of_actions(struct stp_context *c, const struct stp_place *place)
	__attribute__((cold));
static inline bool stp_actions(struct stp_context *c, s32 n, const struct stp_place *place)
{
	c->actions -= n;
	return likely(c->actions >= 0) || stp_out_of_actions(c, place);
}

/*
 * Room for a function's owned strings, from the context's stack; NULL and an error
 * (MAXNESTING, or no room) otherwise. stp_leave() gives it back, also after errors.
 */
void *stp_enter(struct stp_context *c, u32 size, const struct stp_place *place);
static inline void stp_leave(struct stp_context *c, void *frame)
{
	c->stack = (char *)frame;
	c->nesting++;
}

/* ----------------------------------------------------------------- values */

/* 64-bit division as the language has it; a zero divisor and MIN/-1: see place's error. */
s64 stp_div_slow(struct stp_context *c, s64 a, s64 b, const struct stp_place *place);
s64 stp_mod_slow(struct stp_context *c, s64 a, s64 b, const struct stp_place *place);
static inline s64 stp_div(struct stp_context *c, s64 a, s64 b, const struct stp_place *place)
{
	return likely(b > 0) ? a / b : stp_div_slow(c, a, b, place);
}
static inline s64 stp_mod(struct stp_context *c, s64 a, s64 b, const struct stp_place *place)
{
	return likely(b > 0) ? a % b : stp_mod_slow(c, a, b, place);
}
/* Shift counts are taken modulo 64, as x86 does. */
static inline s64 stp_shl(s64 a, s64 b) { return (s64)((u64)a << (b & 63)); }
static inline s64 stp_shr(s64 a, s64 b) { return a >> (b & 63); }
static inline s64 stp_shr_unsigned(s64 a, s64 b) { return (s64)((u64)a >> (b & 63)); }
/* In locations of variables: the compiler that wrote them divides by nothing that is 0. */
static inline s64 stp_div_unsigned(s64 a, s64 b) { return b ? (s64)((u64)a / (u64)b) : 0; }
static inline s64 stp_mod_unsigned(s64 a, s64 b) { return b ? (s64)((u64)a % (u64)b) : 0; }

int stp_compare(struct stp_str a, struct stp_str b); /* <0, 0, >0 by bytes */
bool stp_equal(struct stp_str a, struct stp_str b);

/*
 * Copies into an owned string. A value of more than MAXSTRINGLEN - 1 bytes is a script
 * error at `place`; `to` is then unchanged. `from` may overlap `to`.
 */
bool stp_copy(struct stp_context *c, struct stp_text *to, struct stp_str from,
	      const struct stp_place *place);
/* to = a . b; a may be to's own text. Too long is a script error. */
struct stp_str stp_concat(struct stp_context *c, struct stp_text *to, struct stp_str a,
			  struct stp_str b, const struct stp_place *place);

/* $value of a procfs or stdin probe: what a writer gave, or what a reader will get, at most `size`
 * bytes. More is a script error at `place`. */
struct stp_value {
	u32 len, size;
	char text[];
};
void stp_value_set(struct stp_context *c, struct stp_str from, const struct stp_place *place);
void stp_value_add(struct stp_context *c, struct stp_str from, const struct stp_place *place);

/*
 * Regular expressions. The translator emits a finder for each: true when it matches in `s`; tags
 * then say where groups begin and end. To an automaton the text lies between symbols that no byte is:
 * ^ matches one before it, $ one of the `ends` behind it.
 */
#define STP_MATCH_GROUPS 64
#define STP_REGEX_NONE (-(1 << 30)) /* no match; a group that took no part */
typedef bool stp_regex_find(struct stp_str s, s32 *tags);
static inline u32 stp_regex_peek(struct stp_str s, s32 at, s32 ends)
{
	/* One that is negative is greater than any length. */
	if (likely((u32)at < s.len))
		return (u8)s.p[(u32)at];
	return at < 0 ? 0x101 : at < (s32)s.len + ends ? 0x100 : 0x103;
}
/* For matched() and ngroups(), when the script calls them. */
s32 *stp_match_tags(struct stp_context *c);
bool stp_match_keep(struct stp_context *c, struct stp_str text, u32 groups, bool matched);
static inline bool stp_match(struct stp_context *c, stp_regex_find *find, u32 groups,
			     struct stp_str text)
{
	return stp_match_keep(c, text, groups, find(text, stp_match_tags(c)));
}

/*
 * Reads `size` (1, 2, 4, 8) bytes of kernel (or user, as the current process sees it)
 * memory, zero-extended. A bad address is a script error at `place`, value 0.
 */
u64 stp_load(struct stp_context *c, u64 address, u32 size, const struct stp_place *place);
u64 stp_load_user(struct stp_context *c, u64 address, u32 size, const struct stp_place *place);
/* Where the current process has its thread's own variables: fs of x86-64. */
u64 stp_thread_base(void);
/* A script error: of a value that callers know, this one does not. */
u64 stp_unknown_caller(struct stp_context *c, u64 caller, const struct stp_place *place);
/* Guru mode. */
void stp_store(struct stp_context *c, u64 address, u32 size, u64 value,
	       const struct stp_place *place);

/*
 * Guru mode: 64-bit word `index` of the registers, which the probed code gets back so. As the
 * instructions do it, 4 bytes clear what is above them, 1 and 2 leave it.
 */
static inline void stp_set_register(struct stp_context *c, u32 index, u32 size, u64 value)
{
	u64 *at = (u64 *)&c->regs[index];

	if (size == 1)
		*at = (*at & ~0xffULL) | (u8)value;
	else if (size == 2)
		*at = (*at & ~0xffffULL) | (u16)value;
	else
		*at = size == 4 ? (u32)value : value;
}

/* Guru mode: what becomes of the packet of a netfilter probe. A verdict that the kernel does not take is
 * a script error. */
void stp_set_verdict(struct stp_context *c, s64 verdict, const struct stp_place *place);

/* The run-time address of a link-time address of vmlinux (KASLR). */
extern u64 stp_kernel_offset;
static inline u64 stp_address(u64 link_address) { return link_address + stp_kernel_offset; }

/* The same of an address in a section of a module; 0 while that is not loaded. */
extern s64 *stp_section_offsets;
static inline u64 stp_section_address(u32 section, u64 link_address)
{
	s64 offset = stp_section_offsets[section];

	return offset ? link_address + (u64)offset : 0;
}

/* ----------------------------------------------------------------- arrays */

struct stp_map;	  /* made by the runtime from struct stp_global */
struct stp_entry; /* one element; valid until the next insertion or deletion */

union stp_key {
	s64 number;
	struct stp_str string;
};

#define STP_MOST_KEYS 32 /* of an array: bits of a slice's mask */

enum stp_type { STP_NUMBER = 1, STP_STRING = 2, STP_STAT = 3 };

struct stp_entry *stp_map_find(struct stp_map *m, const union stp_key *keys);
/* Finds or makes. NULL and an error (the array is full) otherwise. A string key that is too
 * long is an error as well. */
struct stp_entry *stp_map_make(struct stp_context *c, struct stp_map *m,
			       const union stp_key *keys, const struct stp_place *place);
/* Whether an element has slice[k] for key k wherever bit k of `mask` is set. */
bool stp_map_any(const struct stp_map *m, u32 mask, const union stp_key *slice);
void stp_map_delete(struct stp_map *m, const union stp_key *keys); /* absent: nothing */
void stp_map_clear(struct stp_map *m);

/* Its value lies behind what the runtime keeps of an entry. */
#define STP_ENTRY_HEAD 16
static inline s64 *stp_entry_number(struct stp_entry *e)
{
	return (s64 *)((char *)e + STP_ENTRY_HEAD);
}
static inline struct stp_text *stp_entry_text(struct stp_entry *e)
{
	return (struct stp_text *)((char *)e + STP_ENTRY_HEAD);
}
static inline struct stp_stat *stp_entry_stat(struct stp_entry *e)
{
	return (struct stp_stat *)((char *)e + STP_ENTRY_HEAD);
}
s64 stp_entry_key(const struct stp_map *m, const struct stp_entry *e, u32 key);
struct stp_str stp_entry_key_string(const struct stp_map *m, const struct stp_entry *e, u32 key);

/* foreach. Sorted by `key` (1-based), by the value (0), or not (direction 0). */
struct stp_walk {
	struct stp_map *map;
	u32 position, count; /* the runtime's */
	void *order;
};
enum stp_stat_op {
	STP_COUNT,
	STP_SUM,
	STP_MIN,
	STP_MAX,
	STP_AVG,
	STP_VARIANCE,
};
struct stp_walk_order {
	s32 direction; /* +1 ascending, -1 descending, 0 insertion order */
	u32 key;
	u32 stat_op;	 /* what of a statistic to sort by */
	u32 slice_mask;	 /* bit k: key k (0-based) must equal slice[k] */
	s64 limit;	 /* at most so many; < 0: all */
};
/* False and an error when too many walks over this array nest. Pair with stp_walk_end(). */
bool stp_walk_begin(struct stp_context *c, struct stp_walk *w, struct stp_map *m,
		    const struct stp_walk_order *order, const union stp_key *slice,
		    const struct stp_place *place);
struct stp_entry *stp_walk_next(struct stp_walk *w); /* NULL at the end */
void stp_walk_end(struct stp_walk *w);

/* --------------------------------------------------------------- counters */

/*
 * Adds to this CPU's part of a counter (struct stp_global, `parts`): one instruction, so neither an
 * interrupt nor another CPU can come in between. GS is the kernel's base of per-CPU data.
 */
static inline void stp_count(s64 *part, s64 n)
{
	asm volatile("addq %1, %%gs:%0" : "+m"(*part) : "er"(n) : "cc");
}

/* ------------------------------------------------------------- statistics */

/* One statistic. It ends where its shape needs no more; there come the buckets of a histogram. */
struct stp_stat {
	s64 count;
	s64 sum;
	s64 min, max;
	/* For @variance: what the sum is beyond 64 bits, and the sum of squares, low half first. */
	s64 sum_high;
	u64 squares[2];
};

enum stp_histogram { STP_HIST_NONE, STP_HIST_LINEAR, STP_HIST_LOG };
struct stp_stat_shape {
	u8 histogram;
	u8 sum, extremes; /* keep them; the count always is */
	u8 counted;	  /* nothing but sums: stp_stats_count() adds to a scalar one */
	u8 variance;	  /* keep squares */
	u8 variance_shift;
	u32 buckets; /* how many */
	s64 low, high, step;
};
/* Bytes before the buckets. */
static inline u32 stp_stat_head(const struct stp_stat_shape *shape)
{
	return shape->variance ? sizeof(struct stp_stat) :
	       shape->extremes ? __builtin_offsetof(struct stp_stat, sum_high) :
	       shape->sum      ? __builtin_offsetof(struct stp_stat, min) :
				 __builtin_offsetof(struct stp_stat, sum);
}
static inline s64 *stp_stat_buckets(const struct stp_stat *s, const struct stp_stat_shape *shape)
{
	return (s64 *)((char *)s + stp_stat_head(shape));
}

/* A scalar statistic: one per CPU and level, merged when it is read. */
struct stp_stats {
	struct stp_stat *counted; /* with shape->counted: one per CPU, as per-CPU data has them */
};
/* That of this CPU, to be added to before anything else runs on it. Not with shape->counted. */
struct stp_stat *stp_stats_part(struct stp_stats *s);
/* The merged view; valid until the next merge on this CPU. */
struct stp_stat *stp_stats_merge(struct stp_context *c, struct stp_stats *s);
void stp_stats_clear(struct stp_stats *s);

u32 stp_stat_bucket_linear(const struct stp_stat_shape *shape, s64 value);
static inline u32 stp_stat_bucket_of(const struct stp_stat_shape *shape, s64 value)
{
	if (shape->histogram != STP_HIST_LOG)
		return stp_stat_bucket_linear(shape, value);
	/* include/stp/abi.h tells the ranges: 64 and the number of bits, or that of the absolute value down. */
	if (!value)
		return 64;
	return value > 0 ? 128 - __builtin_clzll((u64)value) : __builtin_clzll(0 - (u64)value);
}
void stp_stat_add_square(struct stp_stat *s, s64 value);
/* What is not asked for costs nothing: shapes are constants where this is inlined. */
static inline void stp_stat_add(struct stp_stat *s, const struct stp_stat_shape *shape, s64 value)
{
	bool first = !s->count++;

	if (shape->extremes) {
		if (first || value < s->min)
			s->min = value;
		if (first || value > s->max)
			s->max = value;
	}
	if (shape->variance)
		stp_stat_add_square(s, value);
	if (shape->sum)
		s->sum = (s64)((u64)s->sum + (u64)value);
	if (shape->histogram)
		stp_stat_buckets(s, shape)[stp_stat_bucket_of(shape, value)]++;
}
static inline void stp_stats_add(struct stp_stats *s, const struct stp_stat_shape *shape, s64 value)
{
	stp_stat_add(stp_stats_part(s), shape, value);
}
static inline void stp_stats_count(struct stp_stats *s, const struct stp_stat_shape *shape, s64 value)
{
	struct stp_stat *part = s->counted;

	stp_count(&part->count, 1);
	if (shape->sum)
		stp_count(&part->sum, value);
	if (shape->histogram)
		stp_count(&stp_stat_buckets(part, shape)[stp_stat_bucket_of(shape, value)], 1);
}
/* min, max, avg and variance of nothing are script errors; count and sum are 0. A NULL
 * `s` (no such element) is nothing. */
s64 stp_stat_value(struct stp_context *c, const struct stp_stat *s,
		   const struct stp_stat_shape *shape, enum stp_stat_op op,
		   const struct stp_place *place);
/* Bucket n of the histogram; out of range is a script error. */
s64 stp_stat_bucket(struct stp_context *c, const struct stp_stat *s,
		    const struct stp_stat_shape *shape, s64 n, const struct stp_place *place);

/* --------------------------------------------------------------- printing */

/*
 * A record: begin with the number of payload bytes, put the arguments in order. NULL
 * means that there was no room (counted as lost): then nothing is to be put.
 * Sizes: 8 for a number, STP_PUT_SIZE(s) for a string, stp_histogram_size() for a histogram.
 */
void *stp_record_begin(struct stp_context *c, u32 format, u32 payload);
#define STP_PUT_SIZE(s) ((((s).len) + 4 + 7) & ~7u)
static inline void *stp_put_number(void *at, s64 value)
{
	*(s64 *)at = value;
	return (char *)at + 8;
}
void *stp_put_string(void *at, struct stp_str s);
u32 stp_histogram_size(const struct stp_stat_shape *shape);
void *stp_put_histogram(void *at, const struct stp_stat *s, const struct stp_stat_shape *shape);

/* sprintf: formats into `to`. `letters` and `format` as in the format table. */
union stp_arg {
	s64 number;
	struct stp_str string;
};
struct stp_str stp_sprint(struct stp_context *c, struct stp_text *to, const char *format,
			  const char *letters, const union stp_arg *args,
			  const struct stp_place *place);

/*
 * Pretty-printing ($x$, $$vars$$). `description` is text with, for each value, '%', what it is, its
 * bytes, and where it lies behind the argument; without @ the argument is the value:
 *   %i4@16     signed number; %u unsigned, %p hexadecimal, %c a character in quotes
 *   %u4@16:3:5 bit-field: 5 bits from bit 3 on of those 4 bytes
 *   %s16@8     array of 16 characters; without @ they are the bytes of two arguments
 *   %S@8       pointer to text
 * %> goes on to the next of `args`. What cannot be read is '?'; a text that is longer than a string
 * ends with "...".
 */
struct stp_str stp_pretty(struct stp_context *c, struct stp_text *to, const char *description,
			  const s64 *args);

/* ----------------------------------------------------- built-in functions */

/*
 * Declared in builtins.h: one C function for each row of translator/sema/builtins.def
 * that is not done by the translator itself. Number result: `s64 stp_fn_NAME(c, ...)`;
 * string result: `struct stp_str stp_fn_NAME(c, struct stp_text *scratch, ...)`, which may
 * borrow instead of using the scratch. Those that can fail take `place` last.
 */

/*
 * Arming conditions of probe points, `if (...)`. A handler that writes what one reads ends with calling it.
 * The caller holds the locks of what the condition reads.
 */
void stp_gate_set(u32 gate, bool open);

/*
 * Timing, in modules that were built for it: what the handler took counts for the point that was hit.
 * The counter of the processor that it runs on, in reference cycles.
 */
static inline u64 stp_cycles(void) { return __builtin_ia32_rdtsc(); }
void stp_timed(struct stp_context *c, u64 cycles);

/* ----------------------------------------------------------------- tables */

enum stp_kind {
	STP_KIND_BEGIN,
	STP_KIND_END,
	STP_KIND_ERROR,
	STP_KIND_TIMER,		/* number: period, ns; number2: randomize, ns */
	STP_KIND_TIMER_JIFFIES, /* number: period, jiffies; number2: randomize */
	STP_KIND_PROFILE,	/* on every CPU; number: Hz, 0 for the tick's rate */
	STP_KIND_ENTRY,		/* a function's first instruction */
	STP_KIND_RETURN,	/* a function returns; number: maxactive or 0 */
	STP_KIND_STATEMENT,	/* any instruction */
	STP_KIND_TRACEPOINT,	/* symbol: the tracepoint's name */
	STP_KIND_PERF,		/* offset: type; number: config; number2: period, or -Hz */
	STP_KIND_PERF_TASKS,	/* the same; symbol: the program, NULL: what the session was started with */
	STP_KIND_WATCH,		/* number: address, without symbol; number2: width, negative: reads too */
	STP_KIND_NETFILTER,	/* offset: family; number: hook; number2: priority */
	STP_KIND_PROCFS,	/* symbol: path; offset: mode; number: writes; number2: most bytes, or 0 */
	STP_KIND_STDIN,		/* number: lines */
	STP_KINDS
};

/*
 * One place to attach to. Address: a link-time address of vmlinux, or 0: then
 * `symbol` + `offset` is looked up when the module starts.
 */
/* A section of a kernel module, which moves as one when the module is loaded. */
struct stp_section {
	const char *module; /* "ext4" */
	const char *name;   /* ".text" */
	const char *anchor; /* a symbol in it, called like no other of the module */
	u64 address;	    /* its link-time address */
};

/* What debug information tells of a section's addresses; see stp/places.h. */
struct stp_places {
	const void *table;
	u64 begin, end; /* link-time addresses */
	u16 section;	/* as stp_point::section */
	bool inlined;	/* otherwise lines */
};

/* What a call returns to, by its link-time address in the point's image; level 1: the call of the
 * function that the point is in. Those of one level stand together, level 1 first. */
struct stp_caller {
	u64 address;
	u32 level;
};

/*
 * The system call that a point is of: only hits by this number and this way in are its own. A letter for
 * each argument says how it is shown: i I signed and unsigned, h H of 16 bits, l L of 64; o octal, p an
 * address; s text, b as many bytes of it as the next argument says; d the folder that a path is relative to, f the
 * flags of open().
 */
struct stp_call {
	const char *name;
	const char *arguments;
	u32 number;
	bool ia32;
	char result; /* l, o or p */
};

#define STP_ABSOLUTE 0xffff /* section of an address that is the running kernel's own */

/* There may be ten thousands. */
struct stp_point {
	u32 kind : 8;
	u32 is_wild : 1; /* a function that a wildcard matched: nobody asked for this one */
	u32 n_callers : 23;
	u16 section; /* 1 + index into sections; 0: vmlinux; or STP_ABSOLUTE */
	u16 gate;    /* 1 + number of its arming condition; 0: none */
	u32 probe;   /* index into probes */
	u32 offset;
	u64 address;
	const char *symbol;
	const char *name;     /* pp(): the whole probe point, "kernel.function(\"vfs_read@fs/...\")" */
	const char *function; /* ppfunc(), probefunc(); "" when there is none */
	s64 number;
	union {
		s64 number2;
		s64 priority; /* begin, end and error: order */
	};
	union {
		const struct stp_caller *callers; /* entry, return, statement: only calls from there count */
		const struct stp_call *call;	  /* entry, return without callers: see stp_call_of() */
		const char *counter; /* perf: the name for @perf(); NULL: it runs the handler */
	};
};

/* NULL for a function's point that is no system call's. */
static inline const struct stp_call *stp_call_of(const struct stp_point *point)
{
	return point->n_callers ? NULL : point->call;
}

enum stp_lock_mode { STP_LOCK_READ = 0, STP_LOCK_WRITE = 1 };
struct stp_lock_use {
	u16 global;
	u16 mode;
};

#define STP_PROBE_ALL_REGS 1	  /* more than argument registers and the stack pointer */
#define STP_PROBE_INTERRUPTIBLE 2 /* begin, end, error */
/* Its handlers cannot fail, take no lock, and use struct stp_hit alone of their context. */
#define STP_PROBE_GUARDED 4 /* nothing else of the session may run on this CPU meanwhile */
#define STP_PROBE_LIGHT 8   /* that may: each thing that they do is one instruction */
#define STP_PROBE_BARE 16  /* and they read neither registers nor arguments */

/* One `probe` of the script (or one of its variants, where variables lie differently). */
struct stp_probe {
	void (*handler)(struct stp_context *c);
	/* For returns: runs at the call's entry and fills c->entry; NULL when nothing is kept. */
	void (*entry_handler)(struct stp_context *c);
	u32 entry_size; /* bytes of the struct that c->entry points to */
	u32 flags;
	const struct stp_lock_use *locks; /* ascending by global; the runtime takes them */
	u32 n_locks;
	const char *name;     /* for the account: its first point, as written */
	struct stp_place place; /* of the word `probe` */
};

struct stp_global {
	const char *name;
	u8 type;      /* enum stp_type, of the value */
	u8 is_array;
	u8 wrap;      /* when full, the oldest entry makes room */
	u8 n_keys;
	u8 key_types[STP_MOST_KEYS];
	u16 key_rooms[STP_MOST_KEYS]; /* bytes that a string has with its end; 0: string_size */
	u8 walks;     /* how many foreach over it may nest */
	u8 grows;     /* max_entries is the least that it begins with */
	u32 max_entries;
	const struct stp_store *store; /* what an array or a statistic is kept by; NULL: others */
	const struct stp_stat_shape *shape; /* statistics */
	/* Of an array of statistics: stp_stat_rank(), where a foreach may be sorted by them. */
	s64 (*rank)(const struct stp_stat *s, const struct stp_stat_shape *shape, enum stp_stat_op op);
	/* Where the value or the runtime's object is: s64 *, struct stp_text *,
	 * struct stp_map ** or struct stp_stats **. */
	void *storage;
	/* Of a number that running handlers only add to: where the runtime puts the address of the parts
	 * that they add to, as per-CPU data has them. Otherwise NULL. */
	s64 **parts;
};

struct stp_limits {
	u32 actions, actions_interruptible;
	u32 nesting;
	u32 string_size; /* MAXSTRINGLEN: bytes with the terminator, so length < this */
	u32 frame_stack; /* bytes of context stack that the script's frames need */
	u32 trylock;	 /* MAXTRYLOCK: iterations */
	u32 trylock_delay_us;
	u32 max_errors;
	u32 max_skipped;
	u32 buffer_bytes; /* of one CPU's ring; a power of two; 0: the runtime chooses */
	u32 return_slots; /* KRETACTIVE; 0: the runtime chooses */
	u32 keeps_match;  /* matched() or ngroups() is called */
	u32 map_megabytes; /* MAXMAPMEMORY: what arrays may grow to, together; 0: the runtime chooses */
	u32 procfs_size;  /* bytes that a procfs read probe gives, when its point does not tell */
};

/*
 * A new kind: its file in runtime/probes/ that defines its object, its number above; and the mirror of
 * both in translator/. begin, end and error probes are run by the session itself and have none.
 */
struct stp_probe_kind;
extern const struct stp_probe_kind stp_timer_kind, stp_jiffies_kind, stp_perf_kind, stp_perf_tasks_kind,
	stp_entry_kind, stp_return_kind, stp_statement_kind, stp_tracepoint_kind, stp_watch_kind, stp_netfilter_kind,
	stp_procfs_kind, stp_stdin_kind;

/*
 * Parts of the runtime that not every script needs. A script names those that it does; the module of one
 * that does not goes without them.
 */
struct stp_store;
extern const struct stp_store stp_array_store, stp_statistic_store;
struct stp_globals_part;
extern const struct stp_globals_part stp_globals_part;
struct stp_growing_part;
extern const struct stp_growing_part stp_growing_part;
struct stp_modules_part;
extern const struct stp_modules_part stp_modules_part;
struct stp_timing_part;
extern const struct stp_timing_part stp_timing_part;
void stp_run_gates(void);
struct pt_regs;
/* Whether the calls that led here are those of point->callers. Any context, also NMI; `regs` are all
 * of the registers, at an instruction of the function that the point is in; `ip` its address where a kprobe
 * is hit there, else 0. */
bool stp_called_as_said(const struct stp_point *point, const struct pt_regs *regs, unsigned long ip);
/* What a statistic is sorted by: as stp_stat_value(), 0 for one without values. */
s64 stp_stat_rank(const struct stp_stat *s, const struct stp_stat_shape *shape, enum stp_stat_op op);
int stp_stdin(const char *text, u32 length);

struct stp_parts {
	const struct stp_globals_part *globals;
	const struct stp_growing_part *growing; /* arrays that may grow */
	const struct stp_modules_part *modules; /* points and addresses in kernel modules */
	const struct stp_timing_part *timing;	/* handlers call stp_timed() */
	/* Finds out which arming conditions hold, before anything is armed. */
	void (*run_gates)(void);
	/* Tells which calls points with callers mean. */
	bool (*called)(const struct stp_point *point, const struct pt_regs *regs, unsigned long ip);
	/* The reader's standard input goes on so; length 0: it has ended. Process context. */
	int (*stdin)(const char *text, u32 length);
};

struct stp_script {
	u32 abi;
	const char *name; /* of the script, for messages */
	const struct stp_point *points;
	u32 n_points;
	/* By number, those that points are of: what a script does not name is not linked with it. */
	const struct stp_probe_kind *const *kinds;
	const struct stp_section *sections;
	u32 n_sections;
	const struct stp_places *places;
	u32 n_places;
	const struct stp_probe *probes;
	u32 n_probes;
	/* Each calls stp_gate_set() of its number. */
	void (*const *gates)(struct stp_context *c);
	u32 n_gates;
	const struct stp_global *globals;
	u32 n_globals;
	struct stp_limits limits;
	/* What stands in section ".stp.formats" (stp/abi.h). */
	const char *formats;
	u32 formats_size;
	/* The anchor: link address of an exported symbol, from the debug information that the
	 * addresses of `points` come from; 0 when no point has an address. */
	u64 anchor; /* of `_printk` */
	u64 clock;  /* of `_vdso_data`, where the kernel keeps the time for programs; 0: not known */
	/* By number: the names of system calls of 64 bits, and of 32; for points of all calls. */
	const char *const *call_names[2];
	u32 n_call_names[2];
	bool suppress_handler_errors;
	struct stp_parts parts;
	/* Called once before `begin`, to set initial values of strings. May be NULL. */
	void (*init)(void);
};

extern const struct stp_script stp_script;

#endif
