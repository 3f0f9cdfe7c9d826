// SPDX-License-Identifier: GPL-2.0
/*
 * What handlers cost, point by point: only in modules that were built with timing. Each CPU adds
 * for itself; an NMI may do so in the middle of an addition.
 */
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <asm/local64.h>

#include "slot.h"
#include "transport/transport.h"

struct times {
	local64_t hits, sum, least, most;
};
static DEFINE_PER_CPU(struct times *, cpu_times);

struct times_sum {
	u64 hits, sum, least, most;
};

static void times_exit(void)
{
	int cpu;

	stp_each_cpu(cpu) {
		kvfree(per_cpu(cpu_times, cpu));
		per_cpu(cpu_times, cpu) = NULL;
	}
}

static int times_init(void)
{
	int cpu;
	u32 i;

	stp_each_cpu(cpu) {
		struct times *times;

		times = kvcalloc(max(stp_script.n_points, 1u), sizeof(*times), GFP_KERNEL);
		if (!times)
			goto no_memory;
		for (i = 0; i < stp_script.n_points; i++)
			local64_set(&times[i].least, S64_MAX);
		per_cpu(cpu_times, cpu) = times;
	}
	return 0;
no_memory:
	times_exit();
	return -ENOMEM;
}

static void keep_least(local64_t *least, s64 value)
{
	s64 old = local64_read(least), seen;

	for (; value < old; old = seen) {
		seen = local64_cmpxchg(least, old, value);
		if (seen == old)
			return;
	}
}

static void keep_most(local64_t *most, s64 value)
{
	s64 old = local64_read(most), seen;

	for (; value > old; old = seen) {
		seen = local64_cmpxchg(most, old, value);
		if (seen == old)
			return;
	}
}

STP_HOT void stp_timed(struct stp_context *c, u64 cycles)
{
	struct times *times = this_cpu_read(cpu_times) + (c->point - stp_script.points);

	local64_inc(&times->hits);
	local64_add(cycles, &times->sum);
	keep_least(&times->least, cycles);
	keep_most(&times->most, cycles);
}

/* The sum over CPUs. */
static void sum_of(u32 point, struct times_sum *sum)
{
	int cpu;

	*sum = (struct times_sum){ .least = S64_MAX };
	stp_each_cpu(cpu) {
		struct times *times = per_cpu(cpu_times, cpu) + point;

		sum->hits += local64_read(&times->hits);
		sum->sum += local64_read(&times->sum);
		sum->least = min_t(u64, sum->least, local64_read(&times->least));
		sum->most = max_t(u64, sum->most, local64_read(&times->most));
	}
	if (!sum->hits)
		sum->least = 0;
}

static int times_show(struct seq_file *out, void *unused)
{
	const struct stp_point *point = stp_script.points;
	const struct stp_point *end = point + stp_script.n_points;

	for (; point < end; point++) {
		const struct stp_probe *probe = stp_script.probes + point->probe;
		struct times_sum times;

		sum_of(point - stp_script.points, &times);
		seq_printf(out, "%llu %llu %llu %llu %s\t%s\t%s:%u:%u\n", times.hits, times.least,
			   times.sum, times.most, point->name, probe->name, probe->place.file,
			   probe->place.line, probe->place.column);
	}
	return 0;
}

static void report(void)
{
	stp_report_file("times", times_show);
}

const struct stp_timing_part stp_timing_part = {
	.init = times_init,
	.exit = times_exit,
	.report = report,
};
