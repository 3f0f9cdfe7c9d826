/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the runtime's files know of each other: one section per file, in the order in
 * which a session goes through them. script.h is what the script sees; this is the rest.
 *
 * Life of a session: module init makes contexts, globals, rings and files (LOADED); START
 * runs the begin probes and arms the kinds (RUNNING); STOP disarms, runs the end probes
 * (FINISHED); module exit frees. begin, end and error probes run on a kernel thread, all
 * others from whatever context the kernel calls their kind in.
 */
#ifndef STP_RUNTIME_H
#define STP_RUNTIME_H

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/ptrace.h>
#include <linux/string.h>

#include "script.h"
#include "stp/abi.h"

static inline struct stp_str stp_str_of(const char *text)
{
	return (struct stp_str){ text, strlen(text) };
}

/* Of large variables on the stack, which the kernel's compiler flags would have zeroed at each call. */
#define STP_NOT_ZEROED __attribute__((uninitialized))

/*
 * What the kernel has as well, inline, with a row in several tables of a module wherever it stands; these are for what
 * is seldom run. stp_interrupts_off() says what they were before, for stp_interrupts_as(). stp_next_cpu() gives the first
 * possible CPU behind `cpu`, -1 when there is none.
 */
unsigned long stp_interrupts_off(void);
void stp_interrupts_as(unsigned long flags);
int stp_next_cpu(int cpu);
#define stp_each_cpu(cpu) for ((cpu) = -1; ((cpu) = stp_next_cpu(cpu)) >= 0;)

#define stp_warn(fmt, ...) pr_warn("%s: " fmt, THIS_MODULE->name, ##__VA_ARGS__)

/* ------------------------------------------------------------- string.c */

/* Of the string's bytes: equal strings have the same. The upper half is the better one. */
u64 stp_hash(struct stp_str s, u64 seed);

/* ------------------------------------------------------- probes/table.c */

/*
 * A kind of probe: one file in probes/, its object in script.h, its row in the scripts that use it. arm() gets a set of points
 * at once, in the order of the script's table. It arms what it can, calls stp_point_failed() for
 * what it cannot, and returns how many are armed, or a negative errno when none can be (every
 * point is then reported). What it needs to remember goes to *set; when that stays NULL, nothing is
 * armed. disarm() gets that, frees it, and returns only when no handler of these points
 * runs any more (or settle() waits for those) or will run. Both run in process context, one at a time. begin, end and error have no
 * row: module.c runs them.
 */
struct stp_probe_kind {
	const char *name;
	int (*arm)(const struct stp_point *const *points, u32 n, void **set);
	void (*disarm)(void *set);
	/* What an error of arm() means; NULL: nothing special. May be NULL. */
	const char *(*explain)(int error);
	/* A point's symbol is a name of the kind's own, not of the kernel's or a module's. Points of one
	 * name lie side by side. */
	bool own_names;
	/* Of a module that is unloaded: disarmed before the kernel's own parts take leave of it. */
	bool leaves_first;
	/* There are few of what a point takes; sets that go make room for those that come. */
	bool scarce;
	/* The kernel takes the points one by one: of those with a condition at most so many are armed at a time; 0:
	 * all. */
	u32 most;
	/* Waits for handlers that run although their set was disarmed. NULL: disarm() does. */
	void (*settle)(void);
};

/* Run-time address of a point: its link address moved by KASLR, or its symbol's (through a
 * kprobe on it, for what is not exported); 0 when there is none. Process context. */
unsigned long stp_resolve(const struct stp_point *point);
/* That of each; points that have none are reported. Process context. */
void stp_resolve_all(const struct stp_point *const *points, unsigned long *addresses, u32 n);
/* Of any function of the running kernel, exported or not; 0 when there is none. Process context. */
unsigned long stp_symbol_address(const char *symbol);
/* `address`, where there is code; else 0. For scripts with points at addresses (STP_ABSOLUTE). */
STP_IF_NEEDED unsigned long stp_verified_address(unsigned long address);
/* Link-time addresses of vmlinux lie this much lower than the running kernel's. */
extern u64 stp_kernel_offset;

/* ----------------------------------------------------------- sections.c */

struct module;

/* Of scripts that have points or addresses in kernel modules. All in process context. */
struct stp_modules_part {
	int (*init)(void);
	void (*exit)(void);
	/* Looks for the sections of modules that were not found yet; of `module`, when it is not NULL, which
	 * is being loaded. */
	void (*find)(const struct module *module);
	/* The module is being unloaded. */
	void (*forget)(const struct module *module);
	/* Whether a module is loaded, or being loaded. */
	bool (*is_loaded)(struct stp_str module);
	/* Why a section was not found, for a message. */
	const char *(*section_lack)(const struct stp_section *section);
	/* Why a symbol, "module:name", was not found. */
	const char *(*symbol_lack)(const char *symbol);
};

/* ---------------------------------------------------------------- arm.c */

int stp_arm_init(void);
void stp_arm_exit(void);
/* begin, end and error probes: in order of priority. */
const struct stp_point *const *stp_points_of(enum stp_kind kind, u32 *n);
/* Between them sets come and go with modules and conditions. Process context. */
void stp_arm_all(void);
void stp_disarm_all(void);
/* How many points are armed, and how many could not be. */
void stp_arm_count(u32 *armed, u32 *not_armed);
/* The point could not be armed: a warning with its name and the reason. For arm() of kinds. */
void stp_point_failed(const struct stp_point *point, int error);
/* So many points of wildcards have no site of ftrace and are not armed, which is a warning. For arm() of
 * kinds. */
void stp_points_left_out(u32 n);

/* --------------------------------------------------- context.c, slots.c */

int stp_contexts_init(void);
void stp_contexts_exit(void);

/*
 * Runs the point's handler, if the CPU's context of this level (task and irq, or NMI) is free
 * and the session runs; otherwise counts a miss. Any context, also NMI. `regs` NULL: the
 * point has no registers. `args`: tracepoint arguments, 8 bytes each, or NULL. `entry`: what
 * the entry handler of this call saved, or NULL. Interrupts are off while a handler runs. False when
 * the hit was missed or the handler failed.
 */
bool stp_hit(const struct stp_point *point, const struct pt_regs *regs, const u64 *args,
	     u64 address, void *entry);
/*
 * As stp_hit() for the entry handler of a return probe: fills `entry` (the probe's entry_size
 * bytes). False: it was missed (and counted as one hit, one miss) or failed: the return is
 * not to be followed. Not counted when true: the return will be.
 */
bool stp_hit_entry(const struct stp_point *point, const struct pt_regs *regs, u64 address,
		   void *entry);
/* `n` hits of the point's probe were missed before the runtime could see them: counts n hits
 * and n misses. Any context. */
void stp_missed(const struct stp_point *point, enum stp_miss cause, u64 n);
/* Runs the handler of a begin, end or error probe on the calling thread. */
void stp_run_interruptible(const struct stp_point *point);

/* Switches a probe off and on again while the session runs; hits that come while it is off are not
 * counted. -EINVAL: there is no such probe. Process context, one at a time. */
int stp_probe_switch(u32 probe, bool on);

/* The sum over CPUs of one probe's counters. */
struct stp_count {
	u64 hits, handled;
	u64 missed[STP_MISSES];
};
void stp_probe_count(u32 probe, struct stp_count *sum);
/* Hits missed, all probes. */
u64 stp_skipped(void);
/* More hits than MAXSKIPPED were missed, other than by reentry. */
bool stp_skipped_too_many(void);

/* -------------------------------------------------------------- times.c */

struct dentry;
struct seq_file;

/* What points' handlers took. Process context. */
struct stp_timing_part {
	int (*init)(void);
	void (*exit)(void);
	/* Makes the file that tells. */
	void (*report)(void);
};

/* --------------------------------------------------------------- lock.c */

int stp_locks_init(void);
void stp_locks_exit(void);
/* For one global, in process context: waits for handlers, and turns interrupts off until it is
 * given back. */
unsigned long stp_lock_global(u32 global, enum stp_lock_mode mode);
void stp_unlock_global(u32 global, enum stp_lock_mode mode, unsigned long flags);
/* A handler holds locks while it waits for a thread of this CPU; -1: none does. Of several, one. */
extern int stp_awaited_cpu;

/* -------------------------------------------------------- map.c, map_store.c, walk.c, grow.c, stat.c */

/* The script's globals. All in process context. */
struct stp_globals_part {
	/* Makes every global of the script's table: arrays, statistics, parts of counters. */
	int (*init)(void);
	void (*exit)(void);
	/* Adds what each CPU has counted to the counters' values. Nothing counts meanwhile. */
	void (*gather)(void);
	/* Remembers what numbers and strings are now; and makes them that again, and arrays and statistics
	 * empty. */
	void (*keep)(void);
	void (*reset)(void);
	/* Before anything runs. -ENOENT: no such global, -EINVAL: no such value, -E2BIG: too long. */
	int (*set)(const char *name, const char *value);
	/* "name = value" of each. */
	void (*show)(struct seq_file *out);
};

/* What arrays or statistics are kept in. */
struct stp_store {
	void *(*create)(const struct stp_global *global); /* NULL: no memory */
	void (*destroy)(void *stored);
	void (*clear)(void *stored);
	/* What one CPU adds to, where each has its own part; else NULL. On that CPU, or while it is offline. */
	void (*clear_part)(void *stored, int cpu);
	void (*show)(struct seq_file *out, void *stored);
};

/* The thread that arrays grow on. */
struct stp_growing_part {
	int (*init)(void);
	void (*exit)(void);
	/* No handler runs any more: waits until arrays have what was asked for. */
	void (*finish)(void);
};


/* -------------------------------------------------------------- print.c */

/* Writes the text to the ring, as print() would. */
__printf(2, 3) void stp_print_text(struct stp_context *c, const char *format, ...);
/* The same of a text in pieces, which may be empty. */
void stp_print_pieces(struct stp_context *c, const struct stp_str *pieces, u32 n);

/* --------------------------------------------------------- transport/ */

/* debugfs: stp/<module>/ and its files. */
int stp_files_init(void);
void stp_files_exit(void);
extern struct dentry *stp_directory;

int stp_rings_init(void);
void stp_rings_exit(void);
/* Before the first record: where times come from, enum stp_clock. Process context. */
void stp_rings_clock(u32 clock);

/*
 * A record in this CPU's ring: between stp_ring_enter() and stp_ring_leave() (transport/ring.h) of a handler,
 * reserve as often as wanted; all carry the time of the first. Interrupts off (or a thread
 * that may not migrate). NULL when there is no room (then the loss was counted).
 */
void stp_ring_enter(struct stp_context *c);
void *stp_ring_reserve(struct stp_context *c, u32 what, u32 payload);
#define STP_RECORD_OF_FORMAT(number) (STP_RECORD_FORMAT | (u32)(number) << 16)
/* A whole record of text (ERROR, WARN, TEXT); may be called without enter/leave from process
 * context. */
void stp_ring_text(struct stp_context *c, u16 kind, struct stp_str text);
/* Wakes the reader: the status changed. Any context, also NMI. */
void stp_control_wake(void);

/* ------------------------------------------------------------- module.c */

/* What control.c asks of the session. Process context; serialised by the caller. */
int stp_session_set_global(const char *name, const char *value);
/* Globals get their initial values again: at once, or when the begin probes are done. Process context. */
int stp_session_reset(void);
int stp_session_start(const struct stp_start *start);
void stp_session_stop(void);
/* Stops when exit() was called, or errors passed their limit. Any context but NMI. */
void stp_session_stop_if_wanted(void);
void stp_session_status(struct stp_status *status);
/* exit() and too many errors: any context. */
void stp_session_wants_stop(void);
/* A message of the runtime's own, in order with the script's output. Process context. */
__printf(2, 3) void stp_tell(u16 kind, const char *text, ...);
struct work_struct;
/* Has the session's thread do it. Any context but NMI. */
void stp_session_queue(struct work_struct *work);
/* Counts a script error. Any context. True when the session should stop because of it. */
bool stp_session_error(void);
extern s64 stp_target; /* what target() returns */

#endif
