// SPDX-License-Identifier: GPL-2.0
/*
 * Clocks, but for the time of day (clock.c). The fast accessors of the timekeeping core are used: they may be called from NMIs and
 * take no lock, so a handler in the middle of a clock update reads a time, not a deadlock.
 */
#include <linux/jiffies.h>
#include <linux/sched/clock.h>
#include <linux/time.h>
#include <linux/timekeeping.h>
#include <linux/timex.h>

#include "builtins.h"
#include "runtime.h"

s64 stp_fn_get_cycles(struct stp_context *c)
{
	return get_cycles();
}

s64 stp_fn_jiffies(struct stp_context *c)
{
	return jiffies;
}

s64 stp_fn_cpu_clock_ns(struct stp_context *c, s64 cpu)
{
	if (cpu < 0 || cpu >= nr_cpu_ids || !cpu_possible(cpu))
		return 0;
	return sched_clock_cpu(cpu);
}

s64 stp_fn_local_clock_ns(struct stp_context *c)
{
	return sched_clock_cpu(raw_smp_processor_id());
}

s64 stp_fn_ktime_get_ns(struct stp_context *c)
{
	return ktime_get_mono_fast_ns();
}

struct stp_str stp_fn_ctime(struct stp_context *c, struct stp_text *scratch, s64 seconds,
			    const struct stp_place *place)
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm;

	/* The range that the manual gives: 32 bits. */
	if (seconds < S32_MIN || seconds > S32_MAX) {
		stp_fail(c, place, "ctime: %lld is not between 1901 and 2038", seconds);
		return (struct stp_str){ "", 0 };
	}
	time64_to_tm(seconds, 0, &tm);
	scratch->len = scnprintf(scratch->text, stp_script.limits.string_size,
				 "%s %s %2d %02d:%02d:%02d %ld", days[tm.tm_wday], months[tm.tm_mon],
				 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, tm.tm_year + 1900);
	return STP_BORROW(scratch);
}
