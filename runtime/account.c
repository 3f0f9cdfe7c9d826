// SPDX-License-Identifier: GPL-2.0
/*
 * The account of hits: what was handled, what was missed, and why. Each CPU counts for itself;
 * sums are made when they are asked for.
 */
#include "slot.h"

/* Misses that count against MAXSKIPPED: all but reentry, as in stap(1). What the kernel skips is reentry of
 * its own: it was at work on another probe on that CPU. */
static atomic64_t skipped = ATOMIC64_INIT(0);

void stp_missed(const struct stp_point *point, enum stp_miss cause, u64 n)
{
	this_cpu_add(stp_dispatches[point->probe].counters->missed[cause], n);
	if (cause != STP_MISS_REENTRY && cause != STP_MISS_KERNEL &&
	    atomic64_add_return(n, &skipped) > stp_script.limits.max_skipped)
		stp_session_wants_stop();
}

bool stp_skipped_too_many(void)
{
	return atomic64_read(&skipped) > stp_script.limits.max_skipped;
}

void stp_probe_count(u32 probe, struct stp_count *sum)
{
	int cpu, cause;

	memset(sum, 0, sizeof(*sum));
	stp_each_cpu(cpu) {
		struct stp_counters *counters = per_cpu_ptr(stp_dispatches[probe].counters, cpu);

		sum->handled += READ_ONCE(counters->handled);
		for (cause = 0; cause < STP_MISSES; cause++)
			sum->missed[cause] += READ_ONCE(counters->missed[cause]);
	}
	sum->hits = sum->handled;
	for (cause = 0; cause < STP_MISSES; cause++)
		sum->hits += sum->missed[cause];
}

u64 stp_skipped(void)
{
	struct stp_count sum;
	u64 total = 0;
	u32 probe;
	int cause;

	for (probe = 0; probe < stp_script.n_probes; probe++) {
		stp_probe_count(probe, &sum);
		for (cause = 0; cause < STP_MISSES; cause++)
			total += sum.missed[cause];
	}
	return total;
}
