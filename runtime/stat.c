// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics: what `<<<` feeds and @count, @avg, @hist_log and their kin read.
 *
 * A scalar one has a part for each CPU and level, so adding needs no lock and loses nothing to an NMI
 * in the middle; reading adds the parts up. An element of an array is one struct, guarded by
 * the array's lock. Averages round towards zero, as division does in the script language.
 */
#include <linux/hardirq.h>
#include <linux/kernel.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "slot.h"
#include "stat.h"

struct stats {
	struct stp_stats head; /* what scripts see of it */
	const struct stp_stat_shape *shape;
	u32 part_size;
	struct stp_stat *merged; /* its reader has the lock for writing, or runs alone */
	char **parts;		 /* by CPU: STP_LEVELS of them in a row; NULL when they are counted */
};

static struct stats *stats_of(const struct stp_stats *head)
{
	return container_of(head, struct stats, head);
}

u32 stp_stat_size(const struct stp_stat_shape *shape)
{
	return stp_stat_head(shape) +
	       (shape->histogram ? shape->buckets * sizeof(s64) : 0);
}

/* ----------------------------------------------------------------- adding */

u32 stp_stat_bucket_linear(const struct stp_stat_shape *shape, s64 value)
{
	if (value < shape->low)
		return 0;
	if (value > shape->high)
		return shape->buckets - 1;
	return min_t(u64, 1 + ((u64)value - (u64)shape->low) / (u64)shape->step,
		     shape->buckets - 2);
}

static unsigned __int128 squares_of(const struct stp_stat *s)
{
	return (unsigned __int128)s->squares[1] << 64 | s->squares[0];
}

/* The sum without wrapping around; `sum` alone is what the script sees. */
static __int128 whole_sum(const struct stp_stat *s)
{
	return (__int128)((unsigned __int128)(u64)s->sum_high << 64 | (u64)s->sum);
}

static void add_moments(struct stp_stat *s, __int128 sum, unsigned __int128 squares)
{
	squares += squares_of(s);
	s->squares[0] = (u64)squares;
	s->squares[1] = (u64)(squares >> 64);
	s->sum_high = (s64)((whole_sum(s) + sum) >> 64);
}

void stp_stat_add_square(struct stp_stat *s, s64 value)
{
	add_moments(s, value, (unsigned __int128)((__int128)value * value));
}

void stp_stat_add_all(struct stp_stat *to, const struct stp_stat *from,
		      const struct stp_stat_shape *shape)
{
	const s64 *buckets = stp_stat_buckets(from, shape);
	u32 i;

	if (!from->count)
		return;
	if (!to->count) {
		memcpy(to, from, stp_stat_size(shape));
		return;
	}
	if (shape->variance)
		add_moments(to, whole_sum(from), squares_of(from));
	if (shape->extremes) {
		to->min = min(to->min, from->min);
		to->max = max(to->max, from->max);
	}
	if (shape->sum)
		to->sum = (s64)((u64)to->sum + (u64)from->sum);
	to->count += from->count;
	for (i = 0; shape->histogram && i < shape->buckets; i++)
		stp_stat_buckets(to, shape)[i] += buckets[i];
}

/* ---------------------------------------------------------------- reading */

/* n / d. The kernel has no division of 128 bits by 64; this one is slow and seldom asked for. */
static unsigned __int128 divide(unsigned __int128 n, u64 d)
{
	unsigned __int128 quotient = 0, rest = 0;
	int bit;

	for (bit = 127; bit >= 0; bit--) {
		rest = rest << 1 | (n >> bit & 1);
		if (rest >= d) {
			rest -= d;
			quotient |= (unsigned __int128)1 << bit;
		}
	}
	return quotient;
}

/*
 * The sample variance, rounded down, exactly: a running mean in whole numbers would gather rounding
 * errors, so the bit shift that @variance takes against them has nothing to do. With the sum S = m n + r,
 * the sum of (x - m)^2 is the sum of squares - m (S + r), and that of (x - S/n)^2 is less by r^2 / n.
 * Only the last may be a fraction.
 */
static s64 variance_of(const struct stp_stat *s)
{
	__int128 sum = whole_sum(s), mean, rest;
	unsigned __int128 squares, less, result;
	u64 n = s->count;

	if (n < 2)
		return 0;
	mean = (__int128)divide(sum < 0 ? -(unsigned __int128)sum : (unsigned __int128)sum, n);
	mean = sum < 0 ? -mean : mean;
	rest = sum - mean * (__int128)n;
	squares = squares_of(s) - (unsigned __int128)mean * (unsigned __int128)(sum + rest);
	less = divide((unsigned __int128)(rest * rest), n);
	if (less * n != (unsigned __int128)(rest * rest))
		less++;
	result = squares > less ? divide(squares - less, n - 1) : 0;
	return result > S64_MAX ? S64_MAX : (s64)result;
}

static s64 value_of(const struct stp_stat *s, const struct stp_stat_shape *shape,
		    enum stp_stat_op op)
{
	switch (op) {
	case STP_COUNT:
		return s->count;
	case STP_SUM:
		return s->sum;
	case STP_MIN:
		return s->min;
	case STP_MAX:
		return s->max;
	case STP_AVG:
		return s->sum / s->count;
	case STP_VARIANCE:
		return variance_of(s);
	}
	return 0;
}

s64 stp_stat_rank(const struct stp_stat *s, const struct stp_stat_shape *shape,
		  enum stp_stat_op op)
{
	return s->count ? value_of(s, shape, op) : 0;
}

s64 stp_stat_value(struct stp_context *c, const struct stp_stat *s,
		   const struct stp_stat_shape *shape, enum stp_stat_op op,
		   const struct stp_place *place)
{
	if (likely(s && s->count))
		return value_of(s, shape, op);
	if (op != STP_COUNT && op != STP_SUM)
		stp_fail(c, place, "empty aggregate");
	return 0;
}

s64 stp_stat_bucket(struct stp_context *c, const struct stp_stat *s,
		    const struct stp_stat_shape *shape, s64 n, const struct stp_place *place)
{
	if (n < 0 || n >= shape->buckets) {
		stp_fail(c, place, "a histogram of %u buckets has no bucket %lld", shape->buckets, n);
		return 0;
	}
	return s && s->count ? stp_stat_buckets(s, shape)[n] : 0;
}

u32 stp_histogram_size(const struct stp_stat_shape *shape)
{
	return sizeof(struct stp_histogram_head) + shape->buckets * sizeof(s64);
}

void *stp_put_histogram(void *at, const struct stp_stat *s, const struct stp_stat_shape *shape)
{
	struct stp_histogram_head *head = at;

	*head = (struct stp_histogram_head){
		.low = shape->low,
		.high = shape->high,
		.step = shape->histogram == STP_HIST_LINEAR ? shape->step : 0,
		.buckets = shape->buckets,
	};
	if (s)
		memcpy(head + 1, stp_stat_buckets(s, shape), shape->buckets * sizeof(s64));
	else
		memset(head + 1, 0, shape->buckets * sizeof(s64));
	return at + stp_histogram_size(shape);
}

/* ---------------------------------------------------------------- scalars */

/* Parts that are counted have one level: an NMI adds to it as well. */
static int levels(const struct stats *stats)
{
	return stats->parts ? STP_LEVELS : 1;
}

static struct stp_stat *part(const struct stats *stats, int cpu, int level)
{
	if (!stats->parts)
		return per_cpu_ptr((struct stp_stat __percpu *)stats->head.counted, cpu);
	return (struct stp_stat *)(stats->parts[cpu] + level * stats->part_size);
}

static bool parts_create(struct stats *stats)
{
	int cpu;

	if (stats->shape->counted) {
		stats->head.counted = (struct stp_stat __force *)__alloc_percpu(stp_stat_size(stats->shape),
										sizeof(s64));
		return stats->head.counted;
	}
	stats->parts = kcalloc(nr_cpu_ids, sizeof(*stats->parts), GFP_KERNEL);
	for_each_possible_cpu(cpu) {
		if (stats->parts)
			stats->parts[cpu] = kzalloc_node(STP_LEVELS * stats->part_size, GFP_KERNEL,
							 cpu_to_node(cpu));
		if (!stats->parts || !stats->parts[cpu])
			return false;
	}
	return true;
}

static void destroy_stats(void *stored)
{
	struct stp_stats *head = stored;
	struct stats *stats;
	int cpu;

	if (!head)
		return;
	stats = stats_of(head);
	for (cpu = 0; stats->parts && cpu < nr_cpu_ids; cpu++)
		kfree(stats->parts[cpu]);
	free_percpu((struct stp_stat __percpu *)head->counted);
	kfree(stats->parts);
	kfree(stats->merged);
	kfree(stats);
}

static void *create_stats(const struct stp_global *global)
{
	struct stats *stats = kzalloc(sizeof(*stats), GFP_KERNEL);

	if (!stats)
		return NULL;
	stats->shape = global->shape;
	/* No two CPUs share a cache line. */
	stats->part_size = ALIGN(stp_stat_size(global->shape), L1_CACHE_BYTES);
	stats->merged = kzalloc(stats->part_size, GFP_KERNEL);
	if (stats->merged && parts_create(stats))
		return &stats->head;
	destroy_stats(&stats->head);
	return NULL;
}

struct stp_stat *stp_stats_part(struct stp_stats *head)
{
	return part(stats_of(head), raw_smp_processor_id(), in_nmi() ? 1 : 0);
}

struct stp_stat *stp_stats_merge(struct stp_context *c, struct stp_stats *head)
{
	struct stats *stats = stats_of(head);
	int cpu, level;

	memset(stats->merged, 0, stats->part_size);
	for_each_possible_cpu(cpu)
		for (level = 0; level < levels(stats); level++)
			stp_stat_add_all(stats->merged, part(stats, cpu, level), stats->shape);
	return stats->merged;
}

static void clear_part(void *stored, int cpu)
{
	const struct stats *stats = stats_of(stored);
	int level;

	for (level = 0; level < levels(stats); level++)
		memset(part(stats, cpu, level), 0, stp_stat_size(stats->shape));
}

void stp_stats_clear(struct stp_stats *head)
{
	int cpu;

	for_each_possible_cpu(cpu)
		clear_part(head, cpu);
}

static void clear_stats(void *stored)
{
	stp_stats_clear(stored);
}

static void show_stats(struct seq_file *out, void *stored)
{
	const struct stats *stats = stats_of(stored);
	s64 count = 0;
	int cpu, level;

	for_each_possible_cpu(cpu)
		for (level = 0; level < levels(stats); level++)
			count += part(stats, cpu, level)->count;
	seq_printf(out, "<%lld values>", count);
}

const struct stp_store stp_statistic_store = {
	.create = create_stats,
	.destroy = destroy_stats,
	.clear = clear_stats,
	.clear_part = clear_part,
	.show = show_stats,
};
