// SPDX-License-Identifier: GPL-2.0
/*
 * The session: what happens between loading the module and removing it.
 *
 * init makes everything that a handler will need and then waits for the reader's START. From then
 * on one thread of our own does all that may sleep: it runs the begin probes, arms the others,
 * and at STOP disarms them and runs the end probes. Handlers only ask it, by setting a flag that the
 * reader sees.
 */
#include <linux/sort.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "slot.h"
#include "transport/transport.h"

s64 stp_target;
u64 stp_kernel_offset;

static struct workqueue_struct *thread;
static atomic_t state = ATOMIC_INIT(STP_LOADED);
static atomic_t wants_stop = ATOMIC_INIT(0);
static atomic_t errors = ATOMIC_INIT(0);
static u32 armed, failed;
/* Points of the table, sorted by kind; those of one kind lie together. */
static const struct stp_point **sorted;
static u32 first_of[STP_KINDS + 1];

/* ------------------------------------------------------------------ state */

static void set_state(enum stp_state to)
{
	atomic_set(&state, to);
	stp_control_wake();
}

void stp_session_wants_stop(void)
{
	/* No handler starts from here on; those that run end. */
	WRITE_ONCE(stp_live, false);
	if (!atomic_xchg(&wants_stop, 1))
		stp_control_wake();
}

bool stp_session_error(void)
{
	return atomic_inc_return(&errors) > stp_script.limits.max_errors;
}

void stp_session_status(struct stp_status *status)
{
	status->abi = STP_ABI;
	status->state = atomic_read(&state);
	status->wants_stop = atomic_read(&wants_stop);
	status->errors = atomic_read(&errors);
	status->armed = armed;
	status->failed = failed;
	status->skipped = stp_skipped();
}

/* ------------------------------------------------------------- the points */

static int by_kind_and_priority(const void *a, const void *b)
{
	const struct stp_point *p = *(const struct stp_point **)a;
	const struct stp_point *q = *(const struct stp_point **)b;

	if (p->kind != q->kind)
		return p->kind - q->kind;
	if (p->priority != q->priority)
		return p->priority < q->priority ? -1 : 1;
	return p < q ? -1 : p > q;
}

static int sort_points(void)
{
	u32 i, kind = 0;

	sorted = kvcalloc(max(stp_script.n_points, 1u), sizeof(*sorted), GFP_KERNEL);
	if (!sorted)
		return -ENOMEM;
	for (i = 0; i < stp_script.n_points; i++)
		sorted[i] = stp_script.points + i;
	sort(sorted, stp_script.n_points, sizeof(*sorted), by_kind_and_priority, NULL);
	for (i = 0; i < stp_script.n_points; i++)
		while (kind <= sorted[i]->kind)
			first_of[kind++] = i;
	while (kind <= STP_KINDS)
		first_of[kind++] = stp_script.n_points;
	return 0;
}

static void run_all(enum stp_kind kind, bool even_when_stopping)
{
	u32 i;

	for (i = first_of[kind]; i < first_of[kind + 1]; i++)
		if (even_when_stopping || !atomic_read(&wants_stop))
			stp_run_interruptible(sorted[i]);
}

/* A message of the runtime's own, in order with the script's output. */
static void tell(u16 kind, const char *text, ...)
{
	/* Process context, but probes may be armed: as a handler would, with interrupts off. */
	static struct stp_slot slot;
	char line[256];
	va_list args;
	unsigned long flags;

	va_start(args, text);
	vscnprintf(line, sizeof(line), text, args);
	va_end(args);
	local_irq_save(flags);
	slot.cpu = smp_processor_id();
	slot.time = 0;
	slot.wrote = false;
	stp_ring_text(&slot.c, kind, (struct stp_str){ line, strlen(line) });
	if (slot.wrote)
		stp_ring_leave(&slot.c);
	local_irq_restore(flags);
}

void stp_point_failed(const struct stp_point *point, int error)
{
	failed++;
	if (error == -ENOENT && point->section != STP_ABSOLUTE && point->symbol && !point->address) {
		tell(STP_RECORD_WARN, "probe %s was not armed: %s", point->name,
		     stp_symbol_lack(point->symbol));
		return;
	}
	if (point->section && point->section != STP_ABSOLUTE && !stp_section_offsets[point->section - 1]) {
		tell(STP_RECORD_WARN, "probe %s was not armed: %s", point->name,
		     stp_section_lack(&stp_script.sections[point->section - 1]));
		return;
	}
	tell(STP_RECORD_WARN, "probe %s was not armed: error %d%s", point->name, error,
	     error == -ENOENT ? " (nothing is there)" :
	     error == -EILSEQ ? " (no instruction begins there)" :
	     error == -EINVAL ? " (the kernel allows no probe there)" : "");
}

static void arm_all(void)
{
	int kind, n;
	u32 i, count;

	/* Timers last: they run from when everything else does. */
	for (kind = STP_KINDS - 1; kind >= 0; kind--) {
		count = first_of[kind + 1] - first_of[kind];
		if (!stp_probe_kinds[kind] || !count)
			continue;
		n = stp_probe_kinds[kind]->arm(sorted + first_of[kind], count);
		for (i = 0; n < 0 && i < count; i++)
			stp_point_failed(sorted[first_of[kind] + i], n);
		armed += max(n, 0);
	}
}

static void disarm_all(void)
{
	int kind;

	for (kind = 0; kind < STP_KINDS; kind++)
		if (stp_probe_kinds[kind] && first_of[kind + 1] > first_of[kind])
			stp_probe_kinds[kind]->disarm();
}

/* ------------------------------------------------------------ the session */

static void start(struct work_struct *work)
{
	if (atomic_cmpxchg(&state, STP_LOADED, STP_STARTING) != STP_LOADED)
		return;
	stp_sections_find();
	run_all(STP_KIND_BEGIN, false);
	if (!atomic_read(&wants_stop)) {
		WRITE_ONCE(stp_live, true);
		arm_all();
		/* exit() in a probe that was armed first must win over the line above. */
		if (atomic_read(&wants_stop))
			WRITE_ONCE(stp_live, false);
	}
	set_state(STP_RUNNING);
}

static void stop(struct work_struct *work)
{
	int was = atomic_read(&state);

	if (was == STP_STOPPING || was == STP_FINISHED)
		return;
	if (was == STP_RUNNING) {
		set_state(STP_STOPPING);
		WRITE_ONCE(stp_live, false);
		disarm_all();
		if (stp_skipped_too_many()) {
			tell(STP_RECORD_ERROR, "more than %u hits were missed (MAXSKIPPED)",
			     stp_script.limits.max_skipped);
			stp_session_error();
		}
		run_all(atomic_read(&errors) > stp_script.limits.max_errors ? STP_KIND_ERROR :
									      STP_KIND_END,
			true);
	}
	set_state(STP_FINISHED);
}

static DECLARE_WORK(start_work, start);
static DECLARE_WORK(stop_work, stop);

int stp_session_start(const struct stp_start *how)
{
	if (atomic_read(&state) != STP_LOADED)
		return -EALREADY;
	stp_target = how->target;
	stp_orphan_helper(how->unload);
	queue_work(thread, &start_work);
	return 0;
}

void stp_session_stop(void)
{
	/* The thread does one thing after the other: a start that was asked for comes first. */
	queue_work(thread, &stop_work);
}

int stp_session_set_global(const char *name, const char *value)
{
	const struct stp_global *global = stp_script.globals;
	const struct stp_global *end = global + stp_script.n_globals;
	struct stp_text *text;
	size_t length = strlen(value);

	if (atomic_read(&state) != STP_LOADED)
		return -EALREADY;
	while (global < end && strcmp(global->name, name))
		global++;
	if (global == end)
		return -ENOENT;
	if (global->is_array || global->type == STP_STAT)
		return -EINVAL;
	if (global->type == STP_NUMBER)
		return kstrtos64(value, 0, global->storage);
	if (length >= stp_script.limits.string_size)
		return -E2BIG;
	text = global->storage;
	memcpy(text->text, value, length);
	text->len = length;
	return 0;
}

/* ------------------------------------------------------- load and unload */

static int __init stp_init(void)
{
	int error;

	if (stp_script.abi != STP_ABI)
		return -ENOEXEC;
	if (stp_script.anchor)
		stp_kernel_offset = (u64)&_printk - stp_script.anchor;
	error = sort_points();
	if (error)
		return error;
	error = stp_sections_init();
	if (error)
		goto free_points;
	error = stp_contexts_init();
	if (error)
		goto free_sections;
	error = stp_locks_init();
	if (error)
		goto free_contexts;
	error = stp_globals_init();
	if (error)
		goto free_locks;
	if (stp_script.init)
		stp_script.init();
	error = -ENOMEM;
	thread = alloc_ordered_workqueue("%s", 0, THIS_MODULE->name);
	if (!thread)
		goto free_globals;
	error = stp_files_init();
	if (error)
		goto free_thread;
	error = stp_rings_init();
	if (error)
		goto free_files;
	stp_orphan_init();
	return 0;

free_files:
	stp_files_exit();
free_thread:
	destroy_workqueue(thread);
free_globals:
	stp_globals_exit();
free_locks:
	stp_locks_exit();
free_contexts:
	stp_contexts_exit();
free_sections:
	stp_sections_exit();
free_points:
	kvfree(sorted);
	return error;
}

static void __exit stp_exit(void)
{
	stp_orphan_exit();
	/* Removed by hand while it ran: what the reader would have asked for. */
	stp_session_stop();
	destroy_workqueue(thread);
	stp_rings_exit();
	stp_files_exit();
	stp_control_exit();
	stp_globals_exit();
	stp_locks_exit();
	stp_contexts_exit();
	stp_sections_exit();
	kvfree(sorted);
}

module_init(stp_init);
module_exit(stp_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A probe script, translated by stp");
