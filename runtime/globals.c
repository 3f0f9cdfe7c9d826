// SPDX-License-Identifier: GPL-2.0
/*
 * The script's globals that are more than a word or a text: made when the module is loaded, so
 * that a machine without the memory refuses the module and no handler ever finds one missing.
 */
#include <linux/percpu.h>

#include "map.h"
#include "runtime.h"
#include "stat.h"

static int create(const struct stp_global *global)
{
	if (global->is_array) {
		struct stp_map *map = stp_map_create(global);

		*(struct stp_map **)global->storage = map;
		if (!map)
			stp_warn("no memory for %u entries of array %s\n", global->max_entries,
				 global->name);
		return map ? 0 : -ENOMEM;
	}
	if (global->type == STP_STAT) {
		struct stp_stats *stats = stp_stats_create(global->shape);

		*(struct stp_stats **)global->storage = stats;
		return stats ? 0 : -ENOMEM;
	}
	if (global->parts) {
		*global->parts = (s64 __force *)alloc_percpu(s64);
		return *global->parts ? 0 : -ENOMEM;
	}
	return 0;
}

void stp_globals_gather(void)
{
	const struct stp_global *global = stp_script.globals;
	const struct stp_global *end = global + stp_script.n_globals;
	int cpu;

	for (; global < end; global++)
		for_each_possible_cpu(cpu) {
			s64 *part = global->parts ? per_cpu_ptr((s64 __percpu *)*global->parts, cpu) : NULL;

			if (part)
				*(s64 *)global->storage += *part;
			if (part)
				*part = 0;
		}
}

int stp_globals_init(void)
{
	u32 i;
	int error;

	for (i = 0; i < stp_script.n_globals; i++) {
		error = create(&stp_script.globals[i]);
		if (error) {
			stp_globals_exit();
			return error;
		}
	}
	return 0;
}

void stp_globals_exit(void)
{
	const struct stp_global *global = stp_script.globals;
	const struct stp_global *end = global + stp_script.n_globals;

	for (; global < end; global++) {
		if (global->is_array) {
			stp_map_destroy(*(struct stp_map **)global->storage);
			*(struct stp_map **)global->storage = NULL;
		} else if (global->type == STP_STAT) {
			stp_stats_destroy(*(struct stp_stats **)global->storage);
			*(struct stp_stats **)global->storage = NULL;
		} else if (global->parts) {
			free_percpu((s64 __percpu *)*global->parts);
			*global->parts = NULL;
		}
	}
}
