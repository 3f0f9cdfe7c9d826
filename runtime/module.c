// SPDX-License-Identifier: GPL-2.0
/*
 * The session: what happens between loading the module and removing it.
 *
 * init makes everything that a handler will need and then waits for the reader's START. From then
 * on one thread of our own does all that may sleep: it runs the begin probes, arms the others,
 * and at STOP disarms them and runs the end probes. Handlers only ask it, by setting a flag that the
 * reader sees.
 */
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "slot.h"
#include "transport/ring.h"
#include "transport/transport.h"

s64 stp_target;
u64 stp_kernel_offset;

static struct workqueue_struct *thread;
static atomic_t state = ATOMIC_INIT(STP_LOADED);
static atomic_t wants_stop = ATOMIC_INIT(0);
static atomic_t errors = ATOMIC_INIT(0);

/* ------------------------------------------------------ parts, if there are */

static void parts_exit(void)
{
	const struct stp_parts *parts = &stp_script.parts;

	if (parts->globals)
		parts->globals->exit();
	if (parts->timing)
		parts->timing->exit();
	if (parts->modules)
		parts->modules->exit();
}

static int parts_init(void)
{
	const struct stp_parts *parts = &stp_script.parts;
	int error = parts->modules ? parts->modules->init() : 0;

	if (!error && parts->timing)
		error = parts->timing->init();
	if (!error && parts->globals)
		error = parts->globals->init();
	if (error)
		parts_exit();
	return error;
}

static void globals_settle(void)
{
	if (stp_script.parts.growing)
		stp_script.parts.growing->finish();
}

/* ------------------------------------------------------------------ state */

static void set_state(enum stp_state to)
{
	atomic_set(&state, to);
	stp_control_wake();
}

void stp_session_wants_stop(void)
{
	/* No handler starts from here on; those that run end. */
	WRITE_ONCE(stp_live, STP_DEAD);
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
	stp_arm_count(&status->armed, &status->failed);
	status->skipped = stp_skipped();
}

/* ---------------------------------------------------------------- begin, end */

static void run_all(enum stp_kind kind, bool even_when_stopping)
{
	u32 i, n;
	const struct stp_point *const *points = stp_points_of(kind, &n);

	for (i = 0; i < n; i++)
		if (even_when_stopping || !atomic_read(&wants_stop))
			stp_run_interruptible(points[i]);
}

void stp_tell(u16 kind, const char *text, ...)
{
	/* Process context, but probes may be armed: as a handler would, with interrupts off. The session's
	 * thread and the arming of modules' probes come one at a time. */
	static struct stp_slot slot;
	char line[256];
	va_list args;
	unsigned long flags;

	va_start(args, text);
	vsnprintf(line, sizeof(line), text, args);
	va_end(args);
	flags = stp_interrupts_off();
	slot.cpu = smp_processor_id();
	slot.time = 0;
	slot.wrote = false;
	stp_ring_text(&slot.c, kind, (struct stp_str){ line, strlen(line) });
	if (slot.wrote)
		stp_ring_leave(&slot.c);
	stp_interrupts_as(flags);
}

/* ------------------------------------------------------------ the session */

static void start(struct work_struct *work)
{
	if (atomic_cmpxchg(&state, STP_LOADED, STP_STARTING) != STP_LOADED)
		return;
	run_all(STP_KIND_BEGIN, false);
	if (!atomic_read(&wants_stop)) {
		if (stp_script.parts.run_gates)
			stp_script.parts.run_gates();
		stp_arm_all();
		/* All at once: arming is not traced by what is armed already. */
		WRITE_ONCE(stp_live, STP_LIVE);
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
		WRITE_ONCE(stp_live, STP_DEAD);
		stp_disarm_all();
		if (stp_skipped_too_many()) {
			stp_tell(STP_RECORD_ERROR, "more than %u hits were missed (MAXSKIPPED)",
			     stp_script.limits.max_skipped);
			stp_session_error();
		}
		globals_settle();
		if (stp_script.parts.globals)
			stp_script.parts.globals->gather();
		run_all(atomic_read(&errors) > stp_script.limits.max_errors ? STP_KIND_ERROR :
									      STP_KIND_END,
			true);
	}
	set_state(STP_FINISHED);
}

/* begin and end probes use globals without locks: on their thread, and between the two. */
static void reset_globals(struct work_struct *work)
{
	if (atomic_read(&state) == STP_RUNNING)
		stp_script.parts.globals->reset();
}

static DECLARE_WORK(start_work, start);
static DECLARE_WORK(stop_work, stop);
static DECLARE_WORK(reset_work, reset_globals);

int stp_session_start(const struct stp_start *how)
{
	if (atomic_read(&state) != STP_LOADED)
		return -EALREADY;
	stp_target = how->target;
	stp_rings_clock(how->clock);
	if (stp_script.parts.globals)
		stp_script.parts.globals->keep();
	stp_orphan_helper(how->unload);
	queue_work(thread, &start_work);
	return 0;
}

int stp_session_set_global(const char *name, const char *value)
{
	if (atomic_read(&state) != STP_LOADED)
		return -EALREADY;
	return stp_script.parts.globals ? stp_script.parts.globals->set(name, value) : -ENOENT;
}

int stp_session_reset(void)
{
	if (atomic_read(&state) > STP_RUNNING)
		return -EALREADY;
	if (stp_script.parts.globals)
		queue_work(thread, &reset_work);
	return 0;
}

void stp_session_queue(struct work_struct *work)
{
	queue_work(thread, work);
}

void stp_session_stop(void)
{
	/* The thread does one thing after the other: a start that was asked for comes first. */
	queue_work(thread, &stop_work);
}

void stp_session_stop_if_wanted(void)
{
	if (atomic_read(&wants_stop) && atomic_read(&state) < STP_STOPPING)
		stp_session_stop();
}

/* ------------------------------------------------------- load and unload */

static int __init stp_init(void)
{
	int error;

	if (stp_script.abi != STP_ABI)
		return -ENOEXEC;
	if (stp_script.anchor)
		stp_kernel_offset = (u64)&_printk - stp_script.anchor;
	error = stp_locks_init();
	if (error)
		return error;
	error = stp_contexts_init();
	if (error)
		goto free_locks;
	error = parts_init();
	if (error)
		goto free_contexts;
	if (stp_script.init)
		stp_script.init();
	error = -ENOMEM;
	thread = alloc_ordered_workqueue("%s", 0, THIS_MODULE->name);
	if (!thread)
		goto free_parts;
	error = stp_files_init();
	if (error)
		goto free_thread;
	error = stp_rings_init();
	if (error)
		goto free_files;
	error = stp_arm_init();
	if (error)
		goto free_rings;
	stp_orphan_init();
	return 0;

free_rings:
	stp_rings_exit();
free_files:
	stp_files_exit();
free_thread:
	destroy_workqueue(thread);
free_parts:
	parts_exit();
free_contexts:
	stp_contexts_exit();
free_locks:
	stp_locks_exit();
	return error;
}

static void __exit stp_exit(void)
{
	stp_orphan_exit();
	/* Removed by hand while it ran: what the reader would have asked for. */
	stp_session_stop();
	flush_workqueue(thread);
	stp_arm_exit();
	globals_settle();
	destroy_workqueue(thread);
	stp_rings_exit();
	stp_files_exit();
	stp_control_exit();
	parts_exit();
	stp_contexts_exit();
	stp_locks_exit();
}

module_init(stp_init);
module_exit(stp_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A probe script, translated by stp");
