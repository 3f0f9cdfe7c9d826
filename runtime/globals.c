// SPDX-License-Identifier: GPL-2.0
/*
 * The script's globals that are more than a word or a text: made when the module is loaded, so
 * that a machine without the memory refuses the module and no handler ever finds one missing. And
 * what somebody who watches the session asks of them: to see them, and to begin anew.
 */
#include <linux/cpu.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string_helpers.h>

#include "runtime.h"

static int create(const struct stp_global *global)
{
	if (global->store) {
		void *stored = global->store->create(global);

		*(void **)global->storage = stored;
		if (!stored && global->is_array)
			stp_warn("no memory for %u entries of array %s\n", global->max_entries,
				 global->name);
		return stored ? 0 : -ENOMEM;
	}
	if (global->parts) {
		*global->parts = (s64 __force *)alloc_percpu(s64);
		return *global->parts ? 0 : -ENOMEM;
	}
	return 0;
}

/* What the CPUs have counted beside a counter's value; 0 for others. */
static s64 parts_of(const struct stp_global *global)
{
	s64 sum = 0;
	int cpu;

	if (!global->parts)
		return 0;
	stp_each_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr((s64 __percpu *)*global->parts, cpu));
	return sum;
}

static void gather(void)
{
	const struct stp_global *global = stp_script.globals;
	const struct stp_global *end = global + stp_script.n_globals;
	int cpu;

	for (; global < end; global++) {
		if (!global->parts)
			continue;
		*(s64 *)global->storage += parts_of(global);
		stp_each_cpu(cpu)
			*per_cpu_ptr((s64 __percpu *)*global->parts, cpu) = 0;
	}
}

/* By global: a number or a text as it was at the start; NULL for others, and without memory. */
static void **kept;

static void copy_text(struct stp_text *to, const struct stp_text *from)
{
	to->len = from->len;
	memcpy(to->text, from->text, from->len);
}

static size_t scalar_size(const struct stp_global *global)
{
	return global->type == STP_NUMBER ? sizeof(s64) :
					    sizeof(struct stp_text) + stp_script.limits.string_size;
}

static void globals_exit(void)
{
	const struct stp_global *global = stp_script.globals;
	const struct stp_global *end = global + stp_script.n_globals;
	u32 i;

	if (stp_script.parts.growing)
		stp_script.parts.growing->exit();
	for (i = 0; kept && i < stp_script.n_globals; i++)
		kvfree(kept[i]);
	kvfree(kept);
	kept = NULL;
	for (; global < end; global++) {
		if (global->store) {
			global->store->destroy(*(void **)global->storage);
			*(void **)global->storage = NULL;
		} else if (global->parts) {
			free_percpu((s64 __percpu *)*global->parts);
			*global->parts = NULL;
		}
	}
}

static int globals_init(void)
{
	u32 i;
	int error = 0;

	for (i = 0; !error && i < stp_script.n_globals; i++)
		error = create(&stp_script.globals[i]);
	if (!error && stp_script.parts.growing)
		error = stp_script.parts.growing->init();
	if (error)
		globals_exit();
	return error;
}

static void keep(void)
{
	u32 i;

	kept = kvcalloc(max(stp_script.n_globals, 1u), sizeof(*kept), GFP_KERNEL);
	for (i = 0; kept && i < stp_script.n_globals; i++) {
		const struct stp_global *global = stp_script.globals + i;

		if (global->store)
			continue;
		kept[i] = kvzalloc(scalar_size(global), GFP_KERNEL);
		if (!kept[i])
			continue;
		if (global->type == STP_NUMBER)
			*(s64 *)kept[i] = *(s64 *)global->storage;
		else
			copy_text(kept[i], global->storage);
	}
}

static bool is_locked_by(const struct stp_probe *probe, u32 global)
{
	u32 i;

	for (i = 0; i < probe->n_locks; i++)
		if (probe->locks[i].global == global)
			return true;
	return false;
}

/* Whether handlers add to parts of it, and take no lock for that. */
static bool is_added_to_alone(u32 global)
{
	u32 i;

	if (!stp_script.globals[global].store || !stp_script.globals[global].store->clear_part)
		return false;
	for (i = 0; i < stp_script.n_probes; i++)
		if (is_locked_by(&stp_script.probes[i], global))
			return false;
	return true;
}

static void clear_here(void *global)
{
	const struct stp_global *own = global;

	own->store->clear_part(*(void **)own->storage, raw_smp_processor_id());
}

/* Each CPU clears its own: zeroes that another one writes are lost when a handler has read the number that it adds
 * to, and then writes it. */
static void clear_parts(const struct stp_global *global)
{
	int cpu;

	cpus_read_lock();
	on_each_cpu(clear_here, (void *)global, 1);
	stp_each_cpu(cpu)
		if (!cpu_online(cpu))
			global->store->clear_part(*(void **)global->storage, cpu);
	cpus_read_unlock();
}

static void reset_one(u32 index)
{
	const struct stp_global *global = stp_script.globals + index;
	unsigned long flags = stp_lock_global(index, STP_LOCK_WRITE);

	if (global->store)
		global->store->clear(*(void **)global->storage);
	else if (kept && kept[index] && global->type == STP_NUMBER)
		*(s64 *)global->storage = *(s64 *)kept[index] - parts_of(global);
	else if (kept && kept[index])
		copy_text(global->storage, kept[index]);
	stp_unlock_global(index, STP_LOCK_WRITE, flags);
}

static void reset(void)
{
	u32 i;

	for (i = 0; i < stp_script.n_globals; i++) {
		if (is_added_to_alone(i))
			clear_parts(stp_script.globals + i);
		else
			reset_one(i);
	}
}

static void show_one(struct seq_file *out, const struct stp_global *global)
{
	const struct stp_text *text = global->storage;

	if (global->store)
		global->store->show(out, *(void **)global->storage);
	else if (global->type == STP_NUMBER)
		seq_printf(out, "%lld", *(s64 *)global->storage + parts_of(global));
	else
		seq_escape_mem(out, text->text, text->len, ESCAPE_SPACE, NULL);
}

static void show(struct seq_file *out)
{
	u32 i;

	for (i = 0; i < stp_script.n_globals; i++) {
		unsigned long flags;

		seq_printf(out, "%s = ", stp_script.globals[i].name);
		flags = stp_lock_global(i, STP_LOCK_READ);
		show_one(out, stp_script.globals + i);
		stp_unlock_global(i, STP_LOCK_READ, flags);
		seq_printf(out, "\n");
	}
}

static int set(const char *name, const char *value)
{
	const struct stp_global *global = stp_script.globals;
	const struct stp_global *end = global + stp_script.n_globals;
	struct stp_text *text;
	size_t length = strlen(value);

	while (global < end && strcmp(global->name, name))
		global++;
	if (global == end)
		return -ENOENT;
	if (global->store)
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

const struct stp_globals_part stp_globals_part = {
	.init = globals_init,
	.exit = globals_exit,
	.gather = gather,
	.keep = keep,
	.reset = reset,
	.set = set,
	.show = show,
};
